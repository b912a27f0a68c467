"""Schemes that no built-in family has, written as TOML and made here with pycryptodomex."""

import base64
import hashlib
import struct
import zlib

import pytest
from Cryptodome.Cipher import AES, ChaCha20

from tests.lockers import content, drawn
from unransom.catalog.families import FAMILIES, families, family
from unransom.catalog.schemes.assemble import assemble_in_memory
from unransom.catalog.schemes.described import encoded, family_of
from unransom.catalog.schemes.description_text import read_description
from unransom.catalog.schemes.family import BadMarkError, Insert, Keep, Unlock
from unransom.catalog.schemes.moved import Patch, put_back
from unransom.core.keys import Key, KeyKind
from unransom.core.streams import BytesReader, Salvage

KEY = drawn("described key", 32)
STREAM = """
[wrap]
type = "run-key"
parts = { key = [0, 32] }
[plan]
type = "one-stream"
cipher = { kind = "chacha", iv = "nonce" }
extents = { type = "whole" }
"""


def described(text):
    return family_of(encoded(read_description(text.encode(), "test.toml")))


def opened(text, locked, key=KEY, name=b""):
    """Return the original and its name, None where the description does not fit ``locked``."""
    locker = described(text)
    reader = Salvage(BytesReader(locked), name)
    mark = locker.read(reader)
    if mark is None:
        return None
    file_key = locker.unwrap(mark, Key(KeyKind.RAW, key))
    plan = locker.plan(reader, mark, file_key)
    data = assemble_in_memory(reader, plan, 1 << 24)
    if plan.check:
        assert plan.check()[0] >= 64
    return data, plan.name


def chacha(data, nonce):
    return ChaCha20.new(key=KEY, nonce=nonce).encrypt(data)


def test_a_marker_over_the_beginning_and_what_it_was_written_over_behind():
    plain, nonce = content("moved", 5000), drawn("n", 12)
    body = plain[:16] + chacha(plain[16:], nonce)
    locked = b"HARBOUR!" + body[8:] + plain[:8] + nonce
    text = (
        'name = "moving"\n[[moved]]\nfield = "beginning"\nat = 0\n[tail]\nparts = ['
        '{ type = "field", name = "beginning", size = 8 }, { type = "field", name = "nonce", size = 12 }]\n'
    ) + STREAM.replace('{ type = "whole" }', '{ type = "behind", start = 16, extents = { type = "whole" } }')
    assert opened(text, locked)[0] == plain
    with pytest.raises(BadMarkError):  # what is moved cannot be what is decrypted
        opened(text.replace("at = 0", "at = 12"), locked)


def test_patches_go_over_what_is_kept():
    pieces = [Keep(100, 10), Insert(b"12345"), Keep(110, 5)]
    found = list(put_back(pieces, [Patch(16, b"B"), Patch(2, b"AAA")]))
    assert found == [
        Keep(100, 2),
        Insert(b"AAA"),
        Keep(105, 5),
        Insert(b"12345"),
        Keep(110, 1),
        Insert(b"B"),
        Keep(112, 3),
    ]
    assert list(put_back([Keep(0, 4), Keep(4, 4)], [Patch(2, b"abcd")])) == [
        Keep(0, 2),
        Insert(b"ab"),
        Insert(b"cd"),
        Keep(6, 2),
    ]
    with pytest.raises(BadMarkError):
        list(put_back(pieces, [Patch(2, b"AAA"), Patch(4, b"B")]))
    with pytest.raises(BadMarkError):
        list(put_back([Unlock(0, 9, None)], [Patch(2, b"A")]))


def test_fields_as_text_and_a_checksum_over_all():
    plain, nonce = content("text", 3000), drawn("n", 12)
    tail = nonce.hex().encode() + base64.b64encode(b"victim") + b"ID"
    locked = chacha(plain, nonce) + tail + zlib.crc32(tail).to_bytes(4, "little")
    text = (
        'name = "texts"\n[tail]\ncampaign = "victim"\nparts = ['
        '{ type = "field", name = "nonce", size = 24, encoding = "hex" },'
        '{ type = "field", name = "victim", size = 8, encoding = "base64" },'
        '{ type = "magic", value = "4944" }, { type = "sum" }]\n'
    ) + STREAM
    assert opened(text, locked) == (plain, None)
    mark = described(text).read(BytesReader(locked))
    assert mark.campaign == b"victim".hex()
    assert mark.bits == 24 * 4 + 8 * 2 + 16 + 32
    for at in (-1, -5, -10, -20, -36):
        wrong = bytearray(locked)
        wrong[at] = 0x21
        assert opened(text, bytes(wrong)) is None


def test_a_size_in_digits_behind_a_head_and_a_name():
    plain, nonce = content("digits", 1001), drawn("n", 12)
    filled = plain.ljust(1024, b"\0")
    head = b"%016d" % len(plain) + "Bücher.xlsx".encode("utf-16-le").ljust(40, b"\0") + nonce
    text = (
        'name = "digits"\n[original]\nsize = "size"\npadding = 1023\nname = "name"\nencoding = "utf-16-le"\n'
        '[head]\nparts = [{ type = "number", name = "size", size = 16, order = "digits" },'
        '{ type = "field", name = "name", size = 40 }, { type = "field", name = "nonce", size = 12 }]\n'
    ) + STREAM
    locked = head + chacha(filled, nonce)
    assert opened(text, locked) == (plain, "Bücher.xlsx".encode())
    mark = described(text).read(BytesReader(locked))
    assert mark.plain_size == len(plain)
    assert mark.bits == 128 - 10  # all of the size but what the padding leaves open
    assert opened(text, locked + bytes(1001)) is None
    assert opened(text, locked[:-24]) is None
    assert opened(text, b"x" + locked[1:]) is None


def test_zeros_are_no_mark():
    text = 'name = "zeros"\noriginal = { size = "size" }\n'
    text += '[tail]\nparts = [{ type = "number", name = "size", size = 8 }]\n'
    text += STREAM.replace('iv = "nonce"', 'fixed_iv = "000000000000000000000000"')
    assert described(text).read(BytesReader(bytes(8))).bits == 0
    assert described(text).read(BytesReader(b"ab" + struct.pack("<Q", 2))).bits == 64
    assert described(text).read(BytesReader(b"abc" + struct.pack("<Q", 2))) is None


def test_a_password_and_a_tag():
    plain, nonce = content("password", 4000), drawn("n", 12)
    key = hashlib.pbkdf2_hmac("sha512", b"correct horse", b"salt" + nonce[:4], 1000, 32)
    cipher = AES.new(key, AES.MODE_GCM, nonce=nonce)
    sealed, tag = cipher.encrypt_and_digest(plain)
    locked = b"salt" + nonce[:4] + sealed + nonce + tag
    text = """
        name = "passwords"
        head = { parts = [{ type = "field", name = "salt", size = 8 }] }
        [tail]
        parts = [{ type = "field", name = "nonce", size = 12 }, { type = "field", name = "tag", size = 16 }]
        [wrap]
        type = "password"
        hash = "sha512"
        rounds = 1000
        salt_field = "salt"
        parts = { key = [0, 32] }
        [plan]
        type = "one-stream"
        cipher = { kind = "aes-gcm", iv = "nonce" }
        extents = { type = "whole" }
        tag = "tag"
    """
    assert opened(text, locked, b"correct horse")[0] == plain
    with pytest.raises(AssertionError):
        opened(text, locked, b"wrong horse")


def test_files_of_a_listed_kind_are_locked_whole():
    plain, nonce = content("kinds", 3000), drawn("n", 12)
    text = (
        "name = \"kinds\"\nextensions = ['\\.kinds']\n"
        '[tail]\nparts = [{ type = "field", name = "nonce", size = 12 }]\n'
    ) + STREAM.replace(
        'extents = { type = "whole" }',
        'extents = { type = "by-extension", otherwise = { type = "first", length = 100 },'
        ' cases = [{ extensions = ["sql", "mdf"], extents = { type = "whole" } }] }',
    )
    whole = chacha(plain, nonce) + nonce
    begun = chacha(plain[:100], nonce) + plain[100:] + nonce
    assert opened(text, whole, name=b"shop.SQL.kinds")[0] == plain
    assert opened(text, whole, name=b"shop.sql")[0] == plain
    assert opened(text, begun, name=b"shop.txt.kinds")[0] == plain


def test_two_kinds_of_key():
    plain, nonce = content("any", 100), drawn("n", 12)
    secret = hashlib.sha256(b"the password").digest()
    locked = ChaCha20.new(key=secret, nonce=nonce).encrypt(plain) + nonce
    text = 'name = "any"\n[tail]\nparts = [{ type = "field", name = "nonce", size = 12 }]\n'
    text += STREAM.replace(
        'type = "run-key"\nparts = { key = [0, 32] }',
        'type = "any-of"\nwraps = [{ type = "run-key", sizes = [32], parts = { key = [0, 32] } },'
        '{ type = "run-key", derive = "sha256", parts = { key = [0, 32] } }]',
    )
    assert opened(text, locked, b"the password")[0] == plain
    assert opened(text, locked, secret)[0] == plain


def test_described_families_come_first_and_keep_the_built_in_ones():
    body = encoded(
        read_description(('name = "first"' + STREAM.replace('iv = "nonce"', 'iv = "key"')).encode(), "x")
    )
    known = families((body,))
    assert known[0].name == "first"
    assert known[1:] == FAMILIES == families()
    assert family("first", (body,)) is known[0]
    assert family("inc", (body,)) is family("inc")
    with pytest.raises(KeyError):
        family("first")
    assert str(known[0].wanted)
