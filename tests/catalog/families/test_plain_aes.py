"""Plain AES in ways whose locked bytes do not look random, so that no vector of identification fits them."""

import hashlib
import io
import struct
import zipfile
import zlib

import pytest
from Cryptodome.Cipher import AES

from tests.lockers import content, drawn
from tests.lockers.locked import seal
from unransom.catalog.families.locked import FAMILY
from unransom.catalog.schemes import choose
from unransom.catalog.schemes.assemble import Assembly
from unransom.catalog.schemes.family import BadMarkError
from unransom.core.keys import Key, KeyKind
from unransom.core.streams import BytesReader, Salvage


@pytest.mark.parametrize("size", [1000, 4096, 30011])
def test_blocks_that_are_locked_each_by_itself_are_opened(size):
    plain, key = content("locked ecb", size), drawn("locked ecb key", 32)
    locked = Salvage(BytesReader(seal(plain, key, b"", "ecb", "none")), b"orders.csv.locked")
    mark = FAMILY.read(locked)
    plan = FAMILY.plan(locked, mark, FAMILY.unwrap(mark, Key(KeyKind.RAW, key, "test")))
    assert b"".join(bytes(view) for view in Assembly(locked, plan)) == plain


def table(rows):
    """Return rows of numbers below a heading whose letters are nowhere else."""
    return b"quantity,weight\n" + b"".join(
        b"%d,%d.%d\n" % (row, row * 7 % 100, row % 10) for row in range(rows)
    )


def document(size):
    """Return a PDF of one compressed stream, of which only the first block is the same in several modes."""
    stream = zlib.compress(drawn("locked document", size))
    parts = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>"]
    parts.append(b"<</Length %d/Filter/FlateDecode>>stream\n%b\nendstream" % (len(stream), stream))
    data, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(data))
        data += b"%d 0 obj%b endobj\n" % (number, part)
    table_at = len(data)
    data += b"xref\n0 4\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return data + b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % table_at


@pytest.mark.parametrize("plain", [table(2000), document(30_000)], ids=["table", "document"])
@pytest.mark.parametrize("mode", ["cbc", "ctr", "cfb", "cfb8", "ofb"])
@pytest.mark.parametrize("place", ["head", "tail"])
def test_the_mode_is_told_by_what_follows_the_first_block(plain, mode, place):
    key, iv = drawn("locked modes key", 32), drawn("locked modes iv", 16)
    assert opened(seal(plain, key, iv, mode, place), key) == plain


def opened(data, key):
    """Return what a key makes of a locked file, None where it makes nothing."""
    locked = Salvage(BytesReader(data), b"orders.locked")
    mark = FAMILY.read(locked)
    found = FAMILY.unwrap(mark, Key(KeyKind.RAW, key, "test"))
    if found is None:
        return None
    return b"".join(bytes(view) for view in Assembly(locked, FAMILY.plan(locked, mark, found)))


MADE = {
    "first": lambda key: key[:16],
    "last": lambda key: key[16:],
    "md5": lambda key: hashlib.md5(key).digest(),
    "sha256": lambda key: hashlib.sha256(key).digest()[:16],
}


@pytest.mark.parametrize("mode", ["cbc", "ctr", "cfb8", "ofb"])
@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_an_iv_that_is_made_of_the_key_is_found(mode, made):
    key = drawn("locked made key", 32)
    assert opened(seal(table(300), key, made(key), mode, "none"), key) == table(300)


PROSE = b"Return all lamps that were red. " + b"The shop pays the parcel. Tax is in the amount. " * 200


ORDERS = b"order,customer,lamps\n" + b"".join(b"%d,%d,%d\n" % (row, row * 7, row % 10) for row in range(300))


@pytest.mark.parametrize("plain", [ORDERS, PROSE], ids=["table", "prose"])
@pytest.mark.parametrize("mode", ["cbc", "cfb", "cfb8"])
def test_a_text_is_not_given_without_its_first_block_where_its_iv_is_unknown(plain, mode):
    key, iv = drawn("locked unknown key", 32), drawn("locked unknown iv", 16)
    assert opened(seal(plain, key, iv, mode, "none"), key) is None
    assert opened(seal(plain, key, iv, mode, "none"), key + iv) == plain


@pytest.mark.parametrize("place", ["head", "tail", "none"])
def test_a_tag_over_the_whole_file_proves_the_key_whatever_the_content_is(place):
    plain, key, nonce = drawn("locked noise", 70_001), drawn("locked tag key", 32), drawn("nonce", 16)
    data = seal(plain, key, nonce, "gcm", place)
    assert opened(data, key + nonce[:12] if place == "none" else key) == plain
    with pytest.raises(BadMarkError):
        opened(data[:100] + b"?" + data[101:], key)


@pytest.mark.parametrize("place", ["head", "tail"])
@pytest.mark.parametrize("first", [0, 1])
def test_a_counter_goes_behind_a_nonce_of_twelve_bytes(place, first):
    key, nonce = drawn("locked nonce key", 32), drawn("locked twelve", 12)
    body = AES.new(key, AES.MODE_CTR, nonce=nonce, initial_value=first).encrypt(table(300))
    data = nonce + body if place == "head" else body + nonce
    assert opened(data, key) == table(300)


def archive():
    """Return a ZIP archive in which all bytes look random but for the headers."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for number in range(50):
            file.writestr(f"{number}.bin", drawn(f"locked member {number}", 7000))
    return data.getvalue()


AREAS = {
    "first": lambda size: [(0, 64 << 10)],
    "small": lambda size: list(step(size, 4 << 10, 16 << 10)),
    "turns": lambda size: list(step(size, 64 << 10, 128 << 10)),
    "ends": lambda size: [(0, 64 << 10), (size - (64 << 10), size)],
    "tenths": lambda size: list(step(size, size // 10, size // 2 - size // 20)),
}


def step(size, on, every):
    """Yield the beginning and the end of areas of ``on`` bytes."""
    for start in range(0, size, every):
        yield start, min(start + on, size)


@pytest.mark.parametrize("anew", [False, True], ids=["one", "anew"])
@pytest.mark.parametrize("areas", AREAS.values(), ids=AREAS)
def test_areas_of_compressed_content_are_seen_where_the_format_breaks(areas, anew):
    plain, key, iv = archive(), drawn("locked areas key", 32), drawn("locked areas iv", 16)
    data, cipher = bytearray(plain), AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=iv)
    for start, end in areas(len(plain)):
        if anew:
            cipher = AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=iv)
        data[start:end] = cipher.encrypt(plain[start:end])
    assert opened(iv + bytes(data), key) == plain


def test_of_several_ways_that_fit_a_large_file_its_format_tells_the_right_one():
    mib, out = 1 << 20, io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:  # plain are two places in it, of which one shows where areas end
        file.writestr("a.txt", b"order 10042, two lamps\n" * (2 * mib // 23 - 9))
        file.writestr("b.bin", drawn("locked large 1", 3 * mib - out.tell() - 100))
        file.writestr("c.txt", b"order 10043, one lamp\n" * (mib // 22 - 9))
        file.writestr("d.bin", drawn("locked large 2", 31 * mib))
    plain, key, iv = out.getvalue(), drawn("locked large key", 32), drawn("locked large iv", 16)
    data = bytearray(plain)
    for start, end in step(len(plain), mib, 2 * mib):
        cipher = AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=iv)  # anew in each, the last to be tried
        data[start:end] = cipher.encrypt(plain[start:end])
    assert len(data) > choose.LARGEST
    assert opened(iv + bytes(data), key) == plain


FIELDS = {
    "little 8": lambda size: struct.pack("<Q", size),
    "big 8": lambda size: struct.pack(">Q", size),
    "little 4": lambda size: struct.pack("<I", size),
    "zeros before": lambda size: b"%016d" % size,
    "spaces behind": lambda size: b"%-16d" % size,
}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("fill", [b"\0", b" ", b"\1"])
@pytest.mark.parametrize("plain", [table(50), table(2000), table(2000)[:4096], document(30_000)])
def test_the_length_before_the_iv_tells_how_the_last_block_is_filled(field, fill, plain):
    key, iv = drawn("locked length key", 32), drawn("locked length iv", 16)
    body = AES.new(key, AES.MODE_CBC, iv).encrypt(plain + fill * (-len(plain) % 16))
    assert opened(FIELDS[field](len(plain)) + iv + body, key) == plain


@pytest.mark.parametrize("wrong", [-17, 17, 1 << 31])
def test_a_length_that_is_not_the_files_ends_nothing(wrong):
    plain, key, iv = table(2000), drawn("locked length key", 32), drawn("locked length iv", 16)
    body = AES.new(key, AES.MODE_CBC, iv).encrypt(plain + bytes(-len(plain) % 16))
    with pytest.raises(BadMarkError):
        opened(struct.pack("<q", len(plain) + wrong) + iv + body, key)


def test_a_wrong_key_opens_no_file_that_tells_its_length():
    plain, key, iv = table(2000), drawn("locked length key", 32), drawn("locked length iv", 16)
    body = AES.new(key, AES.MODE_CBC, iv).encrypt(plain + bytes(-len(plain) % 16))
    with pytest.raises(BadMarkError):
        opened(struct.pack("<Q", len(plain)) + iv + body, drawn("another key", 32))


@pytest.mark.parametrize("plain", [bytes(5000), b"\xff" * 5000, b"\0\1\2\3" * 1250, bytes(16) + b"\1" * 5000])
@pytest.mark.parametrize("number", range(20))
def test_what_is_not_locked_is_not_opened_again(plain, number):
    """A key that has opened a disk of zeros makes a text of them with CFB of 8 bits, one key of a few."""
    with pytest.raises(BadMarkError):
        opened(plain, drawn(f"locked key {number}", 32))
