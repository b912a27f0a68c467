"""Known plaintext against archives under a password, with the plaintext found by itself."""

import contextlib
import io
import json
import struct
import subprocess
import zipfile
import zlib

import numpy as np
import pytest

from tests.fixtures.locked import picture
from tests.fixtures.program import UNRANSOM
from tests.lockers import content, drawn
from tests.lockers.zipcrypto import Stream, archive, seal, widen
from unransom.core.records import FileRef
from unransom.core.streams import BytesReader, Salvage
from unransom.crypto.ciphers.zipcrypto import state_of
from unransom.crypto.search.zipcrypto.known_plaintext import KnownPlaintext
from unransom.recover.keys.describing import Shape, stream_key, stream_scheme
from unransom.recover.keys.members import head_guesses, told_guesses
from unransom.recover.keys.opened import opened


def test_the_state_is_found_from_known_bytes_and_taken_back_to_the_beginning():
    plain = archive({"a.bin": drawn("member", 9000)}, 6, method=zipfile.ZIP_STORED)
    locked = seal(plain, b"secret")
    start = 30 + len("a.bin")
    known = KnownPlaintext(locked[start:][:9012], [(12, drawn("member", 9000))])
    assert known.over(0, len(known)) == [state_of(b"secret")]


def test_bytes_beyond_a_gap_decide_between_states_that_fit_a_short_row():
    plain = drawn("gap", 3200)
    locked = Stream(b"secret").seal(plain)
    other = plain[:3000] + bytes(byte ^ 1 for byte in plain[3000:])
    for told, found in ((plain, [state_of(b"secret")]), (other, [])):
        known = KnownPlaintext(locked, [(12, told[12:3000]), (3100, told[3100:3108])])
        assert known.over(0, len(known)) == found


@pytest.mark.parametrize("known", [[], [(0, bytes(11))], [(0, bytes(7)), (20, bytes(7))], [(90, bytes(12))]])
def test_too_little_is_no_known_plaintext(known):
    with pytest.raises(ValueError, match="12 known bytes"):
        KnownPlaintext(bytes(100), known)


def test_the_state_of_a_password_is_the_one_that_bkcrack_publishes_for_its_example():
    assert state_of(b"W4sF0rgotten") == b"".join(
        bytes.fromhex(word)[::-1] for word in ("c4490e28", "b414a23d", "91404b31")
    )


@pytest.mark.soak
def test_twenty_bytes_of_a_header_are_enough():
    header = b'<?xml version="1.0" '
    plain = archive({"spiral.svg": header + drawn("svg", 900)}, 0, method=zipfile.ZIP_STORED)
    locked, start = seal(plain, b"W4sF0rgotten"), 30 + len("spiral.svg")
    known = KnownPlaintext(locked[start:][: 12 + len(header)], [(12, header)])
    states = (known.over(at, at + 4096) for at in range(0, len(known), 4096))
    assert next(state for some in states for state in some) == state_of(b"W4sF0rgotten")


def test_wrong_plaintext_gives_no_state():
    known = KnownPlaintext(drawn("locked", 9000), [(0, drawn("plain", 9000))])
    assert known.over(0, len(known)) == []


def test_an_archive_opens_with_the_original_of_one_member(tmp_path):
    files = {"orders.csv": content("orders", 20_000), "shop.bin": content("shop", 3000)}
    plain = archive(files, 9)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/backup.zip").write_bytes(seal(plain, b"correct horse"))
    (tmp_path / "in/second.zip").write_bytes(seal(archive({"b": drawn("b", 500)}, 6), b"correct horse"))
    (tmp_path / "old").mkdir()
    (tmp_path / "old/orders-copy.csv").write_bytes(files["orders.csv"])
    command = [UNRANSOM, "recover", tmp_path / "in", "--case", tmp_path / "case"]
    run = subprocess.run([*command, "--known", tmp_path / "old"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert (tmp_path / "case/recovered/in/backup.zip").read_bytes() == plain
    second = (tmp_path / "case/recovered/in/second.zip").read_bytes()
    assert zipfile.ZipFile(io.BytesIO(second)).read("b") == drawn("b", 500)


def solved(folder, *options):
    """Return the archive that recover opens in ``folder``/in, with the originals of ``folder``/old."""
    command = [UNRANSOM, "recover", folder / "in", "--case", folder / "case", "--budget", "120s", *options]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    (found,) = (folder / "case/recovered/in").glob("*.zip")
    return zipfile.ZipFile(found)


@pytest.fixture
def folders(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "old").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "command", [("7zz", "a", "-tzip", "-mem=ZipCrypto", "-psecret"), ("zip", "-1", "-P", "s")]
)
def test_archives_of_other_programs_open_with_an_original(folders, command):
    original = content("orders", 60_000)
    (folders / "old/orders.csv").write_bytes(original)
    subprocess.run(
        [*command, folders / "in/a.zip", "orders.csv"], cwd=folders / "old", check=True, capture_output=True
    )
    packed = zipfile.ZipFile(folders / "in/a.zip").getinfo("orders.csv").compress_size - 12
    zlibs = {len(zlib.compress(original, level, -15)) for level in range(1, 10)}
    assert packed not in zlibs  # the program itself must be asked
    assert solved(folders, "--known", folders / "old").read("orders.csv") == original


@pytest.mark.parametrize("options", [("-fz", "a.zip", "orders.csv", "b"), ("a.zip", "-")])
def test_archives_with_sizes_of_64_bits_open_with_the_password(folders, options):
    files = {"orders.csv": content("orders", 9000), "b": drawn("b", 500)}
    for name, data in files.items():
        (folders / "old" / name).write_bytes(data)
    command = ["zip", "-P", "secret", *options]
    subprocess.run(command, cwd=folders / "old", input=files["b"], check=True, capture_output=True)
    locked = (folders / "old/a.zip").rename(folders / "in/a.zip").read_bytes()
    assert b"\x01\x00\x10\x00" in locked  # a zip64 field with two sizes
    (folders / "password").write_bytes(b"secret")
    archive = solved(folders, "--key", folders / "password")
    assert archive.testzip() is None
    assert {archive.read(name) == files.get(name, files["b"]) for name in archive.namelist()} == {True}
    subprocess.run(["unzip", "-tq", archive.filename], check=True, capture_output=True)


@pytest.mark.parametrize("streamed", [False, True])
def test_archives_in_which_all_numbers_have_64_bits_open_with_an_original(folders, streamed):
    files = {"orders.csv": content("orders", 9000), "b": drawn("b", 500)}
    (folders / "old/copy").write_bytes(files["orders.csv"])
    plain = archive(files, 6)
    (folders / "in/a.zip").write_bytes(widen(seal(plain, b"secret", streamed=streamed)))
    found = solved(folders, "--known", folders / "old")
    assert {name: found.read(name) for name in found.namelist()} == files
    if not streamed:
        assert (folders / "case/recovered/in/a.zip").read_bytes() == widen(plain)


def test_an_archive_without_a_password_tells_how_a_program_packs_that_is_not_here(folders):
    original = content("orders", 60_000)
    plain = archive({"orders.csv": original, "b": drawn("b", 99)}, 6)
    odd = zlib.compressobj(9, zlib.DEFLATED, -15, 3, zlib.Z_FILTERED)
    packed = odd.compress(original) + odd.flush()
    assert len(packed) not in {len(zlib.compress(original, level, -15)) for level in range(1, 10)}
    open_archive = repacked(plain, "orders.csv", packed)
    (folders / "in/a.zip").write_bytes(seal(open_archive, b"secret"))
    (folders / "old/sent.zip").write_bytes(open_archive)
    assert solved(folders, "--known", folders / "old").read("orders.csv") == original


def test_the_one_archive_of_seven_with_a_known_member_opens_those_under_its_password(folders):
    files = {f"{number}.csv": content(f"{number}", 30_000) for number in range(7)}
    for number, (name, data) in enumerate(files.items()):
        plain = {name: data}
        if number == 5:  # tried last by its size
            plain["far.bin"] = drawn("far", 150_000)
            (folders / "old" / name).write_bytes(data)
        elif number < 3:  # begins as is usual, which takes half an hour to try
            plain["a.png"] = drawn("no picture", 900)
        password = b"another one" if number == 6 else b"correct horse"
        (folders / f"in/{number}.zip").write_bytes(seal(archive(plain, 6), password))
    command = [UNRANSOM, "recover", folders / "in", "--case", folders / "case", "--budget", "90s"]
    run = subprocess.run([*command, "--known", folders / "old"], capture_output=True, text=True, check=False)
    assert run.returncode in {0, 3}, run.stdout + run.stderr
    found = {path.name: zipfile.ZipFile(path) for path in (folders / "case/recovered/in").glob("*.zip")}
    assert sorted(found) == [f"{number}.zip" for number in range(6)]
    assert all(found[f"{number}.zip"].read(f"{number}.csv") == files[f"{number}.csv"] for number in range(6))


def repacked(plain, name, packed):
    """Return an archive of one member of ``plain``, packed as ``packed``."""
    entry = zipfile.ZipFile(io.BytesIO(plain)).getinfo(name)
    local = bytearray(plain[entry.header_offset :][: 30 + len(name)])
    struct.pack_into("<I", local, 18, len(packed))
    start = plain.index(b"PK\x01\x02")
    central = bytearray(plain[start : start + 46 + len(name)])
    struct.pack_into("<I", central, 20, len(packed))
    struct.pack_into("<I", central, 42, 0)
    at = len(local) + len(packed)
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(central), at, 0)
    return bytes(local) + packed + bytes(central) + end


def test_an_original_that_lies_in_the_evidence_is_found_there(folders):
    sealed_picture = picture("in the archive")
    (folders / "in/a.zip").write_bytes(seal(archive({"a.png": sealed_picture}, 6), b"secret"))
    (folders / "in/copy.png").write_bytes(sealed_picture)
    assert solved(folders).read("a.png") == sealed_picture


def test_an_image_of_a_disc_needs_no_original_as_it_begins_with_zeros(folders):
    image = bytes(32768) + drawn("image", 9000)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        plain = archive({"disc.iso": image}, 0, method=method)
        (folders / "in/a.zip").write_bytes(seal(plain, b"secret"))
        found = list(head_guesses(BytesReader((folders / "in/a.zip").read_bytes())))
        entry = zipfile.ZipFile(io.BytesIO(plain)).getinfo("disc.iso")
        data = plain[30 + len("disc.iso") :][: entry.compress_size]
        for place, known in found[0].known:
            assert (bytes([entry.CRC >> 24]) + data)[place - 11 :].startswith(known)
    assert solved(folders).read("disc.iso") == image


def test_bytes_that_people_tell_and_older_versions_are_taken(folders):
    text = drawn("log", 30_000)
    plain = archive({"logs/a.log": text}, 6, method=zipfile.ZIP_STORED)
    (folders / "in/a.zip").write_bytes(seal(plain, b"secret"))
    (folders / "old/a.log").write_bytes(text[:7000])
    (folders / "old/a.log@9000").write_bytes(text[9000:19_000])
    (folders / "old/a.log@99999999999").write_bytes(b"far away")
    refs = tuple(
        FileRef(source="old", path=path.name.encode(), size=path.stat().st_size)
        for path in sorted((folders / "old").iterdir())
    )

    def content_of(ref):
        return contextlib.nullcontext(BytesReader((folders / "old" / ref.path.decode()).read_bytes()))

    whole = (folders / "in/a.zip").read_bytes()
    older, told = told_guesses(BytesReader(whole), refs, content_of)
    assert older.known == ((11, bytes([zlib.crc32(text) >> 24]) + text[:32]),)
    assert told.known == ((11, bytes([zlib.crc32(text) >> 24])), (12 + 9000, text[9000 : 9000 + 8192]))
    assert whole[30 + len("logs/a.log") :].startswith(told.locked)
    (folders / "old/a.log").unlink()
    assert solved(folders, "--known", folders / "old").read("logs/a.log") == text


def test_an_original_that_is_packed_by_no_program_here_is_named_by_the_plan(folders):
    original = content("orders", 60_000)
    odd = zlib.compressobj(9, zlib.DEFLATED, -15, 3, zlib.Z_FILTERED)
    packed = odd.compress(original) + odd.flush()
    plain = repacked(archive({"orders.csv": original}, 6), "orders.csv", packed)
    (folders / "in/a.zip").write_bytes(seal(plain, b"secret"))
    (folders / "old/orders.csv").write_bytes(original)
    command = [UNRANSOM, "keys", folders / "in", "--known", folders / "old", "--plan", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    (plan,) = [each for each in json.loads(run.stdout)["plans"] if each["attack"] == "zipcrypto"]
    assert plan["shards"] == 0
    assert "is known, but no program that packs it" in plan["why"]["text"]
    assert plan["why"]["values"] == {"name": "orders.csv", "count": len(packed)}
    assert "archive of it without a password" in plan["helps"]["text"]


def test_a_short_member_begins_with_codes_that_are_known():
    text = b'<?xml version="1.0" encoding="UTF-8"?><a/>'
    plain = archive({"a.xml": text}, 6)
    (guess, *_) = head_guesses(BytesReader(seal(plain, b"secret")))
    ((place, known),) = guess.known
    assert place == 11
    assert len(known) >= 24
    assert plain[30 + len("a.xml") :].startswith(known[1:])


def test_a_key_that_leaves_a_file_as_it_is_proves_nothing():
    plain = archive({"a.png": picture("a")}, 0, method=zipfile.ZIP_STORED)
    for whole, proven in ((plain, False), (bytes(byte ^ 0x5A for byte in plain), True)):
        ref = FileRef(source="s", path=b"a.zip", size=len(whole), id=1)
        scheme = stream_scheme("stream", len(whole), Shape(), (ref,), repeats=False, partial=True)
        stream = np.frombuffer(bytes(len(whole)) if not proven else b"\x5a" * len(whole), np.uint8)
        key = stream_key(stream, np.ones(len(whole), bool), "test")
        found = opened(scheme.family(), Salvage(BytesReader(whole), b"a.zip"), key, b"a.zip")
        assert (found is not None and found.holds) == proven


def test_archives_are_not_taken_for_files_under_one_keystream(folders):
    for name in ("a", "b", "c"):
        plain = archive({f"{name}.csv": content(name, 900)}, 6)
        (folders / f"in/{name}.zip").write_bytes(seal(plain, name.encode()))
    command = [UNRANSOM, "keys", folders / "in", "--plan", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    (plan,) = [each for each in json.loads(run.stdout)["plans"] if each["attack"] == "keystream"]
    assert plan["shards"] == 0


def test_archives_that_no_search_opens_are_not_said_to_be_back(folders):
    for name in ("a", "b", "c"):
        plain = archive({f"{name}.png": picture(name)}, 0, method=zipfile.ZIP_STORED)
        (folders / f"in/{name}.zip").write_bytes(seal(plain, name.encode()))
    command = [UNRANSOM, "recover", folders / "in", "--case", folders / "case", "--budget", "4s"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "recovered" not in run.stdout.partition("What locked them")[0], run.stdout
    assert not [path for path in (folders / "case/recovered").rglob("*") if path.is_file()]


def test_without_an_original_the_plan_says_what_would_help(tmp_path):
    (tmp_path / "a.zip").write_bytes(seal(archive({"x.csv": content("x", 900)}, 6), b"pass"))
    run = subprocess.run(
        [UNRANSOM, "keys", tmp_path / "a.zip", "--json"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 13, run.stderr
    (plan,) = [each for each in json.loads(run.stdout)["plans"] if each["attack"] == "zipcrypto"]
    assert plan["shards"] == 0
    assert "original of one file" in plan["helps"]["text"]
