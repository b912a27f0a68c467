import contextlib
import io
import json
import random
import sqlite3
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.catalog.formats.locked import LOCKINGS, every, scramble
from tests.lockers import ecb, inc, phobos
from unransom.core.context import Context
from unransom.core.errors import UnreadableError
from unransom.core.records import FileRef, Finding, State, TimelineEvent
from unransom.core.streams import BytesReader
from unransom.examine.triage.step import run

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "lockers"
NOTE = (
    b"All your files have been encrypted! To decrypt them write to help@example.org and pay in Bitcoin. "
    b"Your personal ID: A1B2C3D4. Do not rename files. You have 72 hours."
)


def triage(name, data, **fields):
    """Return the file's record, and the others."""
    reader = data if hasattr(data, "read_at") else BytesReader(data)
    context = Context(open=lambda _: contextlib.nullcontext(reader))
    records = list(run(FileRef(source="s", path=name, size=reader.size, **fields), context))
    (ref,) = (each for each in records if isinstance(each, FileRef))
    return ref, [each for each in records if each is not ref]


def png():
    source = random.Random(1)
    picture = Image.frombytes("RGB", (200, 150), bytes(source.randrange(40) + x % 200 for x in range(90_000)))
    stream = io.BytesIO()
    picture.save(stream, "png")
    return stream.getvalue()


def packed():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        source = random.Random(2)
        archive.writestr("a.bin", bytes(source.choice(b"abcdefgh") for _ in range(90_000)))
        archive.writestr("b.txt", b"two lamps, shipped\n" * 2000)
    return stream.getvalue()


def database(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "a.db")) as made:
        made.execute("CREATE TABLE orders (number INTEGER, what TEXT)")
        made.executemany(
            "INSERT INTO orders VALUES (?, ?)", ((n, f"order of {n} lamps") for n in range(4000))
        )
        made.commit()
    return (tmp_path / "a.db").read_bytes()


@pytest.fixture
def files(tmp_path):
    """One file of some kinds, at least 40 KiB each."""
    orders = [{"number": number, "what": "two lamps"} for number in range(2000)]
    return {
        b"a.png": png(),
        b"a.zip": packed(),
        b"a.db": database(tmp_path),
        b"a.json": json.dumps(orders, indent=1).encode(),
        b"a.txt": "".join(f"2026-03-{n % 30:02} order {n} of lamps\n" for n in range(3000)).encode(),
        b"a.bin": b"".join(n.to_bytes(4, "little") * 3 for n in range(5000)),
    }


def test_healthy_files_are_intact(files):
    for name, data in files.items():
        ref, others = triage(name, data)
        assert (ref.state, ref.family, ref.candidates, ref.locked) == (State.INTACT, None, (), None), name
        assert ref.why
        assert not others


@pytest.mark.parametrize("extension", [b"", b".wxyzab", b".id-12AB.[a@b.com].zz"])
@pytest.mark.parametrize("locking", ["whole", "head", "blocks", "stripes"])
def test_locked_files_are_locked(files, locking, extension):
    for name, data in files.items():
        ref, _ = triage(name + extension, LOCKINGS[locking](data))
        assert (ref.state, ref.family) == (State.LOCKED, None), (name, str(ref.why))
        assert ref.original == (name if extension else b"")


def test_the_share_that_is_encrypted_is_estimated(files):
    data = files[b"a.txt"]
    for locking, share in (("whole", 1.0), ("blocks", 0.5), ("stripes", 1 / 3)):
        ref, _ = triage(b"a.txt", LOCKINGS[locking](data))
        assert ref.locked is not None
        assert abs(ref.locked / len(data) - share) < 0.1, locking


@pytest.mark.parametrize("name", [b"a.png", b"a.zip", b"a.db", b"a.json"])
def test_a_file_that_was_cut_off_is_not_locked(files, name):
    ref, _ = triage(name, files[name][: len(files[name]) // 2])
    assert ref.state is State.INTACT


def test_damage_without_random_bytes_is_not_a_locker(files):
    data = bytearray(files[b"a.png"])
    data[2000:2300] = bytes(300)
    ref, _ = triage(b"a.png", bytes(data))
    assert ref.state is State.INTACT
    assert str(ref.why) == "damaged, but not by encryption"
    assert ref.damaged


def test_tiny_files():
    assert triage(b"empty", b"")[0].state is State.INTACT
    assert triage(b"a.txt", b"yes\n")[0].state is State.INTACT
    assert triage(b"a", bytes(3))[0].state is State.INTACT
    assert triage(b"a", b"\x93\xf1\x07")[0].state is State.UNKNOWN
    assert triage(b"a.txt", random.Random(4).randbytes(40))[0].state is State.LOCKED


@pytest.mark.parametrize("name", [b"ProgramData/rsa_private.bin", b"3f9c", b"session.tmp"])
def test_noise_as_short_as_a_key_is_not_called_locked(name):
    noise = random.Random(4).randbytes(4096)
    for size in (16, 32, 64, 256, 512):
        assert triage(name, noise[:size])[0].state is not State.LOCKED
        assert triage(b"plan.docx.qqz", noise[:size])[0].state is State.LOCKED
    assert triage(name, noise)[0].state is State.LOCKED


@pytest.mark.parametrize(
    ("name", "head"),
    [
        (b"vault.kdbx", b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5"),
        (b"disk.img", b"LUKS\xba\xbe\0\x02"),
        (b"x", b"Salted__"),
    ],
)
def test_what_its_owner_encrypted_is_intact(name, head):
    ref, _ = triage(name, head + random.Random(4).randbytes(50_000))
    assert ref.state is State.INTACT
    assert str(ref.why).startswith("encrypted by its owner")


def test_a_container_without_a_header_is_unknown_by_its_name():
    assert triage(b"disk.hc", random.Random(4).randbytes(50_000))[0].state is State.UNKNOWN


def test_a_strong_mark_names_the_family():
    made = phobos.make({"seed": "a", "size": 5000, "name": "plan.xlsx", "large": False})
    ref, _ = triage(b"plan.xlsx", made.locked)
    assert (ref.state, ref.family) == (State.LOCKED, "phobos")


def test_a_weak_mark_names_the_family_with_its_extension_or_with_locked_content():
    made = inc.make({"seed": "a", "size": 50_000})
    ref, _ = triage(b"d/plan.bin.INC", made.locked)
    assert (ref.state, ref.family, ref.original) == (State.LOCKED, "inc", b"d/plan.bin")
    ref, _ = triage(b"renamed", made.locked)
    assert (ref.state, ref.family) == (State.LOCKED, "inc")


@pytest.mark.parametrize("extension", [b".locked", b".encrypted", b".crypt"])
def test_an_extension_of_a_dozen_lockers_names_none(files, extension):
    for name, data in files.items():
        ref, _ = triage(name + extension, scramble(data, (0, len(data))) + random.Random(8).randbytes(534))
        assert (ref.state, ref.family) == (State.LOCKED, None)


def test_a_weak_mark_alone_names_nothing(files):
    text = files[b"a.txt"] + b"two bits of INC"
    ref, _ = triage(b"a.txt", text)
    assert (ref.state, ref.family) == (State.INTACT, None)


def test_a_note_is_intact_and_told():
    ref, others = triage(b"share/README.txt", NOTE, modified=1_790_000_000_123_456_789)
    assert ref.state is State.INTACT
    (finding,) = (each for each in others if isinstance(each, Finding))
    (event,) = (each for each in others if isinstance(each, TimelineEvent))
    assert finding.kind == "note"
    assert finding.item == event.item == "s:share/README.txt"
    assert finding.facts["contact"] == "help@example.org"
    assert finding.facts["victim"] == "A1B2C3D4"
    assert (event.time, event.host) == (1_790_000_000_123_456_789, "s")


class Sparse:
    """A file of zeros, larger than any disk."""

    size = 64 << 30

    def __init__(self):
        self.read = 0

    def read_at(self, offset, length):
        self.read += length
        assert length <= 8 << 20
        return bytes(max(0, min(length, self.size - offset)))


@pytest.mark.parametrize("encoding", ["gb18030", "koi8-r", "cp932"])
def test_short_texts_in_old_encodings_are_intact(encoding):
    text = {
        "gb18030": "订单号与发货地址，请核对",
        "koi8-r": "номер заказа и адрес",
        "cp932": "注文番号と住所を確認",
    }[encoding]
    assert triage(b"a.txt", text.encode(encoding) * 2)[0].state is State.INTACT


ECB_KEY = bytes(range(7, 39))
TEXTS = (b"hello world\n", b"order 17 of lamps: shipped to the shop today\n", b"lamp %d of the shop\n")


@pytest.mark.parametrize("line", TEXTS, ids=["short", "long", "counted"])
@pytest.mark.parametrize("size", [1 << 10, 64 << 10, 5 << 20])
def test_equal_blocks_of_a_cipher_are_random_all_the_same(line, size):
    lines = (line % (n % 200) if b"%" in line else line for n in range(size // 12 + 1))
    plain = b"".join(lines)[:size]
    assert triage(b"x.qzv", plain)[0].state is State.INTACT
    ref, _ = triage(b"x.qzv", ecb.seal(plain, ECB_KEY))
    assert (ref.state, ref.family) == (State.LOCKED, None), str(ref.why)
    assert ref.locked == pytest.approx(size, rel=0.01)


def test_a_table_space_that_begins_with_zeros_is_seen_to_be_locked_in_ecb():
    plain = bytes(8192) + ecb.database("shop", 60)
    assert triage(b"a.qzv", plain)[0].state is State.INTACT
    assert triage(b"a.qzv", ecb.seal(plain, ECB_KEY))[0].state is State.LOCKED


def test_of_a_huge_file_only_samples_are_read():
    reader = Sparse()
    ref, _ = triage(b"disk.img", reader)
    assert ref.state is State.INTACT
    assert reader.read < 64 << 20


class Torn:
    """Bytes of which a range cannot be read."""

    def __init__(self, data, start, end):
        self._data, self._lost = data, range(start, end)
        self.size = len(data)

    def read_at(self, offset, length):
        if offset < self._lost.stop and offset + length > self._lost.start:
            raise UnreadableError(offset, length)
        return self._data[offset : offset + length]


def test_unreadable_ranges_leave_a_file_unknown_or_locked(files):
    data = files[b"a.txt"]
    assert triage(b"a.txt", Torn(data, 8192, 12288))[0].state is State.UNKNOWN
    locked = scramble(data, (0, len(data)))
    assert triage(b"a.txt", Torn(locked, 8192, 12288))[0].state is State.LOCKED


@settings(max_examples=150)
@given(
    st.sampled_from(
        [b"a.png", b"a.zip", b"a.txt", b"a.INC", b"x.jpg.id[AB12CD34-0001].[a@b.cc].eking", b"\xff/\xfe"]
    ),
    st.binary(max_size=3000),
    st.integers(0, 400),
)
def test_random_content_never_gets_a_family(name, data, tail):
    content = data + random.Random(tail).randbytes(tail)
    ref, _ = triage(name, content)
    assert ref.family is None or content.endswith(b"INC")
    assert ref.state in {State.INTACT, State.LOCKED, State.UNKNOWN} or not content.strip(b"\0")


@settings(max_examples=60)
@given(st.data())
def test_mutations_of_real_formats_do_no_harm(data):
    name, content = data.draw(st.sampled_from([(b"a.png", png()), (b"a.zip", packed())]))
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    triage(name, content[:start] + data.draw(st.binary(max_size=64)) + content[end:])


@pytest.mark.shared_data
def test_real_locked_files_are_locked_and_their_share_is_right():
    cases = json.loads((SHARED / "cases.json").read_text())
    assert cases
    for case in cases:
        data = (SHARED / case["path"]).read_bytes()
        ref, _ = triage(case["path"].encode(), data)
        assert ref.state is State.LOCKED, case["path"]
        true = case.get("plain_size", case["size"]) * (1 - case.get("unchanged_fraction", 0))
        assert ref.locked is not None
        assert abs(ref.locked - true) < 0.05 * case["size"], case["path"]


def test_every_second_block_of_an_unknown_format_is_noticed():
    table = b"".join(n.to_bytes(4, "little") * 3 for n in range(20_000))
    ref, _ = triage(b"x.unheard", every(table, 4096, 8192))
    assert ref.state is State.LOCKED
