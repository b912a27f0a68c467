"""Films in streams, mail and logs as other programs write them, and where damage is seen in them."""

import mailbox
import subprocess
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from tests.catalog.formats import stream_samples as streams
from tests.fixtures.tools import tool
from unransom.catalog.formats import asf, flv, mail, mpeg, mpegts, pst, rtf, wal
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.core.streams import BytesReader
from unransom.recover.carve.found import Proof
from unransom.recover.carve.scan import scan
from unransom.recover.carve.space import Space
from unransom.recover.carve.whole import Wholes

FILMS = {
    "flv": (flv, "-c:v flv1 -c:a libmp3lame -ar 44100"),
    "mpg": (mpeg, "-c:v mpeg1video -c:a mp2"),
    "vob": (mpeg, "-c:v mpeg2video -c:a mp2"),
    "ts": (mpegts, "-c:v mpeg2video -c:a mp2"),
    "m2ts": (mpegts, "-c:v mpeg2video -c:a mp2"),
    "wmv": (asf, "-c:v wmv2 -c:a wmav2"),
    "wma": (asf, "-vn -c:a wmav2"),
}


def grade(module, data):
    return module.validate(BytesReader(data)).grade


@pytest.mark.parametrize("kind", FILMS)
def test_films_of_ffmpeg_are_sound_and_end_where_they_end(kind, tmp_path):
    module, options = FILMS[kind]
    path = tmp_path / f"film.{kind}"
    sources = "-f lavfi -i testsrc2=size=160x120:rate=25:duration=2 -f lavfi -i sine=duration=2"
    command = [tool("ffmpeg", "ffmpeg"), "-v", "error", "-threads", "1", *sources.split(), *options.split()]
    subprocess.run([*command, str(path)], check=True, stdin=subprocess.DEVNULL)
    data = path.read_bytes()
    assert grade(module, data) is Grade.GOOD
    assert module.measure(BytesReader(data + bytes(3000))).length == len(data)
    middle = len(data) // 2
    damaged = data[:middle] + bytes(range(256)) * 16 + data[middle + 4096 :]
    verdict = module.validate(BytesReader(damaged))
    assert verdict.grade is Grade.PARTIAL
    assert any(span.start <= middle + 4096 and middle <= span.end for span in verdict.damage)


def message(number):
    made = EmailMessage()
    made["From"], made["To"] = "Büro <shop@example.com>", "office@example.com"
    made["Subject"], made["Date"] = f"Order {number}", "Mon, 02 Mar 2026 08:00:00 +0000"
    made.set_content("A line of text, and more.\n" * 40)
    made.add_attachment(bytes(range(256)) * 8, maintype="application", subtype="pdf", filename="a.pdf")
    return made


@pytest.mark.parametrize("behind", [b"", bytes(500), b"\xb1\x02" * 100, b"\r\n" + b"another text\n" * 99])
def test_a_message_ends_where_its_parts_are_closed(behind):
    data = message(1).as_bytes(policy=SMTP)
    measured = mail.measure(BytesReader(data + behind))
    assert measured.length == len(data)
    assert grade(mail, data) is Grade.GOOD
    assert grade(mail, data[: len(data) // 2]) is Grade.PARTIAL


def test_a_folder_of_mail_ends_with_its_last_line(tmp_path):
    folder = mailbox.mbox(tmp_path / "mbox")
    for number in range(5):
        folder.add(message(number))
    folder.close()
    data = (tmp_path / "mbox").read_bytes()
    assert grade(mail, data) is Grade.GOOD
    assert mail.measure(BytesReader(data + bytes(2000))).length == len(data)
    assert mail.measure(BytesReader(data + b"aQ\x9c" * 90)).length == len(data)
    line = data.index(b"\nA line of text", len(data) // 2)
    assert (
        mail.measure(BytesReader(data[: line + 24] + b"\x80\1" * 90)).length is None
    )  # a fragment ends there


def test_frames_of_a_log_are_checked_those_of_the_round_before_too():
    data = bytearray(streams.wal())
    frames = (len(data) - wal.HEADER) // (wal.FRAME + 4096)
    assert f"{frames} frames" in str(wal.validate(BytesReader(bytes(data))).why)
    data[wal.HEADER + (frames - 2) * (wal.FRAME + 4096) + 900] ^= 1
    verdict = wal.validate(BytesReader(bytes(data)))
    assert verdict.grade is Grade.PARTIAL
    assert verdict.damage[0].start >= wal.HEADER + (frames - 3) * (wal.FRAME + 4096)


@pytest.mark.parametrize("wide", [True, False])
def test_every_block_of_an_outlook_file_is_checked(wide):
    data = bytearray(streams.pst(wide=wide))
    verdict = pst.validate(BytesReader(bytes(data)))
    assert "30 blocks" in str(verdict.why)
    data[2000] ^= 1
    verdict = pst.validate(BytesReader(bytes(data)))
    assert verdict.grade is Grade.PARTIAL
    assert len(verdict.damage) == 1
    assert verdict.damage[0].start <= 2000 < verdict.damage[0].end


def test_trees_of_an_outlook_file_that_go_in_circles_are_left():
    data = bytearray(streams.pst())
    tree = int.from_bytes(data[180 + 4 + 7 * 8 :][:8], "little")
    page = data[tree : tree + 488 + 8]
    page[16:24] = tree.to_bytes(8, "little")
    data[tree : tree + len(page)] = page
    data[tree + 500 : tree + 504] = streams.crc(bytes(page)).to_bytes(4, "little")
    assert pst.validate(BytesReader(bytes(data))).grade in {Grade.GOOD, Grade.PARTIAL}


@pytest.mark.parametrize(("behind", "more"), [(b"", 0), (b"\r\n", 2), (b"\r\n\0", 3), (b"\n" + b"x" * 40, 1)])
def test_what_writers_put_behind_the_last_brace_belongs_to_it(behind, more):
    data = streams.rtf()
    assert rtf.measure(BytesReader(data + behind)).length == len(data) + more


def test_all_of_them_are_carved():
    made = {
        "asf": streams.asf(),
        "flv": streams.flv(),
        "mail": streams.mail(),
        "mpeg": streams.mpeg(),
        "mpegts": streams.mpegts(),
        "pst": streams.pst(),
        "rtf": streams.rtf(),
        "wal": streams.wal(),
    }
    image, places = b"", {}
    for name, data in made.items():
        places[name] = len(image), len(data)
        image += data + bytes(-len(data) % 4096)
    space = Space(BytesReader(image))
    seen = scan(space, Span(0, space.size), 4096)
    found = {each.format: each for each in Wholes(space, seen.span).find(seen.heads.tolist())}
    assert {name: (each.start, each.size) for name, each in found.items()} == places
    assert {name for name, each in found.items() if each.proof is Proof.CHECKSUM} == {"pst", "wal"}
