"""Mails open again: with a header where that is lost, and attachments whole or in their size."""

import email
import email.policy
import random
from email.message import EmailMessage

import pytest

from tests.catalog.formats.repair.damage import KIB64, damaged, holes, locked, written
from unransom.catalog.formats.repair import mail
from unransom.core.spans import Span

WORDS = random.Random(8)
NAMES = ("lamp", "shop", "order", "paid", "box")


def words(count):
    return " ".join(f"{WORDS.choice(NAMES)}{WORDS.randrange(999)}" for _ in range(count))


FILES = {"bill.pdf": random.Random(9).randbytes(150_000), "photo.jpg": random.Random(10).randbytes(90_001)}
TEXT = "\n".join(words(9) for _ in range(150)) + "\n"
HTML = "<html><body>" + "".join(f"<p>{words(9)}</p>\n" for _ in range(200)) + "</body></html>\n"


def made():
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@shop.example", "b@shop.example", "\u53d1\u7968"
    message["Message-ID"] = "<1@shop.example>"
    message.set_content(TEXT)
    message.add_alternative(HTML, subtype="html")
    for name, data in FILES.items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    message.set_boundary("outer===")
    message.get_payload()[0].set_boundary("inner===")
    return message.as_bytes(policy=email.policy.SMTP)


DATA = made()


def parts(data):
    """Return (name or type, content) of the parts, as Python reads them."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    leaves = [part for part in message.walk() if not part.is_multipart()]
    return [
        (part.get_filename() or part.get_content_type(), part.get_payload(decode=True)) for part in leaves
    ]


def mended(spans, *, told=False):
    repaired = mail.repair(damaged(DATA, spans, b"a.eml", told=told))
    return repaired, parts(written(repaired))


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("how", ["head", "tail", "even", "odd"])
def test_attachments_that_are_left_are_whole(how, told):
    spans = holes(len(DATA), how)
    _, found = mended(spans, told=told)
    content = [data for _, data in found]
    for name, data in parts(DATA):
        start = DATA.index(name.encode()) - 200
        end = DATA.index(b"--outer===", start + 200) if name in FILES else 0
        if name in FILES and not any(span.start < end and start < span.end for span in spans):
            assert data in content
    lines = {line for _, data in parts(DATA) for line in data.splitlines()}
    for name, data in found:
        if name.startswith("text/"):
            assert set(data.decode().encode().splitlines()) <= lines | {b""}


def test_a_lost_header_is_written_and_parts_keep_their_kind():
    repaired, found = mended([Span(0, 4096)])
    assert [name for name, _ in found] == ["text/plain", "text/html", *FILES]
    assert TEXT.encode().replace(b"\n", b"\r\n").endswith(found[0][1])
    assert len(found[0][1]) > 3000
    assert dict(found)["bill.pdf"] == FILES["bill.pdf"]
    assert any("header" in each.text for each in repaired.missing)


def test_a_hole_in_an_attachment_keeps_its_size_and_the_places_of_all_else():
    at = DATA.index(b"bill.pdf") + 50_000
    repaired, found = mended([Span(at, at + 4096)])
    name, data = found[2]
    assert name == "bill.pdf"
    assert len(data) == len(FILES[name])
    first = next(place for place in range(len(data)) if data[place] != FILES[name][place])
    last = next(place for place in range(len(data) - 1, 0, -1) if data[place] != FILES[name][place])
    assert 2800 < last - first < 3400
    assert not data[first : last + 1].strip(b"\0")
    assert "bill.pdf" in repaired.lost
    assert found[3] == ("photo.jpg", FILES["photo.jpg"])


def test_an_attachment_whose_head_is_lost_is_kept_apart():
    at = DATA.index(b"photo.jpg") - 3000
    _, found = mended([Span(at, at + 6000)])
    assert FILES["bill.pdf"].startswith(found[2][1])
    assert len(found[2][1]) > 140_000
    assert found[3][0].startswith("left-")
    assert FILES["photo.jpg"].endswith(found[3][1])
    assert len(found[3][1]) > 80_000


def test_a_cut_mail_is_closed():
    repaired = mail.repair(damaged(DATA, [Span(len(DATA) - KIB64, len(DATA))], b"a.eml", told=True))
    out = written(repaired)
    found = parts(out)
    assert not email.message_from_bytes(out).defects
    assert [name for name, _ in found] == ["text/plain", "text/html", *FILES]
    assert len(repaired.lost) == 1


def test_a_mail_without_its_end_is_closed():
    cut = DATA[: DATA.index(b"photo.jpg") + 20_000]
    repaired = mail.repair(damaged(cut, name=b"a.eml"))
    left = dict(parts(written(repaired)))
    assert left["bill.pdf"] == FILES["bill.pdf"]
    assert FILES["photo.jpg"].startswith(left["photo.jpg"])
    assert repaired.missing
    assert repaired.lost == ("photo.jpg",)


def test_a_sound_mail_is_left_alone_and_a_folder_of_mails_comes_back_as_lines():
    assert mail.repair(damaged(DATA, name=b"a.eml")) is None
    folder = (b"From a@shop.example Mon Mar  4 10:00:00 2024\n" + DATA.replace(b"\r", b"") + b"\n") * 2
    span = Span(8192, 12_288)
    out = written(mail.repair(damaged(folder, [span], b"a.eml", told=True)))
    assert out.startswith(b"From a@")
    assert set(out.splitlines()) <= set(folder.splitlines())
    assert locked(folder, [span]) != folder
