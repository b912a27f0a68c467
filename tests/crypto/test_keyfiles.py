"""Key files in every form that people have them in."""

import base64
import hashlib
import json
import math
import struct

import pytest
from Cryptodome.Cipher import PKCS1_OAEP
from Cryptodome.PublicKey import RSA
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.lockers import drawn
from unransom.core.keys import KeyKind
from unransom.crypto import rsa as rsa_numbers
from unransom.crypto.keyfiles import read_keys

RAW = drawn("raw key", 32)


@pytest.fixture(scope="module")
def rsa():
    return RSA.generate(1024)


def kinds(data):
    return [key.kind for key in read_keys(data, "test")]


def xml(key):
    def part(tag, number):
        data = base64.b64encode(number.to_bytes((number.bit_length() + 7) // 8)).decode()
        return f"<{tag}>{data}</{tag}>"

    numbers = {"Modulus": key.n, "Exponent": key.e, "P": key.p, "Q": key.q, "D": key.d}
    return ("<RSAKeyValue>" + "".join(part(*each) for each in numbers.items()) + "</RSAKeyValue>").encode()


def capi(key):
    size = key.size_in_bytes()
    halves = (key.p, key.q, key.d % (key.p - 1), key.d % (key.q - 1), pow(key.q, -1, key.p))
    body = key.n.to_bytes(size, "little") + b"".join(each.to_bytes(size // 2, "little") for each in halves)
    head = b"\x07\x02\0\0\0\xa4\0\0" + b"RSA2" + struct.pack("<II", size * 8, key.e)
    return head + body + key.d.to_bytes(size, "little")


def bcrypt(key):
    size = key.size_in_bytes()
    head = b"RSA2" + struct.pack("<5I", size * 8, 3, size, size // 2, size // 2)
    return (
        head
        + key.e.to_bytes(3)
        + key.n.to_bytes(size)
        + key.p.to_bytes(size // 2)
        + key.q.to_bytes(size // 2)
    )


def pair(key, order, *, modulus_first=False):
    numbers = (key.n, key.d) if modulus_first else (key.d, key.n)
    return b"".join(each.to_bytes(key.size_in_bytes(), order) for each in numbers)


def kept_by_provider(key):
    """Return a key as CryptoAPI's providers keep it: every number with zeros behind it."""

    def padded(number, size):
        return number.to_bytes(size + 4, "little")

    half = key.size_in_bytes() // 2
    parts = [key.p, key.q, key.d % (key.p - 1), key.d % (key.q - 1), pow(key.q, -1, key.p)]
    head = struct.pack("<4sIIII", b"RSA2", 2 * half + 8, 16 * half, 2 * half - 1, key.e)
    numbers = b"".join(padded(number, half) for number in parts)
    return head + key.n.to_bytes(2 * half + 8, "little") + numbers + key.d.to_bytes(2 * half + 8, "little")


def json_web_key(key):
    def text(number):
        data = number.to_bytes((number.bit_length() + 7) // 8)
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    return json.dumps({"kty": "RSA", "n": text(key.n), "e": text(key.e), "d": text(key.d)}).encode()


def openssh(key):
    loaded = load_der_private_key(key.export_key("DER"), None)
    return loaded.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


FORMS = {
    "PEM, PKCS #1": lambda key: key.export_key(),
    "PEM, PKCS #8": lambda key: key.export_key(pkcs=8),
    "PEM inside of text": lambda key: b"the key:\n\n" + key.export_key() + b"\nkeep it safe\n",
    "DER": lambda key: key.export_key("DER"),
    "DER in base64": lambda key: base64.encodebytes(key.export_key("DER")),
    "DER in hex": lambda key: key.export_key("DER").hex().encode(),
    "XML": xml,
    "XML with a byte order mark": lambda key: b"\xef\xbb\xbf" + xml(key),
    "CAPI": capi,
    "CAPI in base64": lambda key: base64.b64encode(capi(key)),
    "kept by a provider of CryptoAPI": lambda key: bytes(8) + kept_by_provider(key),
    "JSON Web Key": json_web_key,
    "OpenSSH": openssh,
    "PEM in UTF-16": lambda key: key.export_key().decode().encode("utf-16"),
    "PEM in JSON": lambda key: json.dumps({"key": key.export_key().decode()}).encode(),
    "XML in UTF-16": lambda key: xml(key).decode().encode("utf-16-le"),
    "BCRYPT": bcrypt,
    "pair, little-endian": lambda key: pair(key, "little"),
    "pair, big-endian": lambda key: pair(key, "big"),
    "pair, modulus first": lambda key: pair(key, "big", modulus_first=True),
    "numbers in hex": lambda key: f"n = 0x{key.n:x}\nd = 0x{key.d:x}\n".encode(),
    "numbers in decimal": lambda key: f"{key.d}\r\n{key.n}\r\n".encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_rsa_key_is_the_same_key_in_every_form(rsa, form):
    (found,) = [key for key in read_keys(FORMS[form](rsa), "test") if key.kind is KeyKind.RSA]
    numbers = rsa_numbers.numbers(found.data)
    assert numbers.public_numbers.n == rsa.n
    assert {numbers.p, numbers.q} == {rsa.p, rsa.q}
    message = drawn("message", 100)
    blob = pow(int.from_bytes(message), rsa.e, rsa.n).to_bytes(128)
    assert rsa_numbers.decrypt_raw(found.data, blob).lstrip(b"\0") == message.lstrip(b"\0")


@pytest.mark.parametrize(
    "data",
    [
        RAW,
        RAW.hex().encode(),
        RAW.hex().upper().encode() + b"\r\n",
        ":".join(f"{byte:02x}" for byte in RAW).encode(),
        base64.b64encode(RAW),
        base64.urlsafe_b64encode(RAW).rstrip(b"="),
    ],
)
def test_raw_keys_in_hex_and_base64(data):
    assert RAW in [key.data for key in read_keys(data, "test") if key.kind is KeyKind.RAW]


def test_elliptic_keys():
    montgomery = x25519.X25519PrivateKey.from_private_bytes(RAW)
    pem = montgomery.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert RAW in [key.data for key in read_keys(pem, "test")]
    curve = ec.generate_private_key(ec.SECP256R1())
    pem = curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert KeyKind.EC in kinds(pem)


def test_a_password_keeps_its_spaces_and_is_tried_without_its_line_break():
    found = [key.data for key in read_keys(b"correct horse \n", "test")]
    assert {b"correct horse \n", b"correct horse"} <= set(found)


def test_a_key_shows_its_fingerprint_and_never_itself():
    (key,) = [key for key in read_keys(RAW, "file.key") if key.kind is KeyKind.RAW]
    assert key.fingerprint in repr(key)
    assert RAW.hex() not in repr(key)
    assert repr(RAW)[2:-1] not in repr(key)


def test_primes_are_a_key_with_each_usual_public_exponent(rsa):
    found = [
        key for key in read_keys(f"p: {rsa.p:X}, q: {rsa.q:X}".encode(), "test") if key.kind is KeyKind.RSA
    ]
    numbers = [rsa_numbers.numbers(key.data) for key in found]
    assert rsa.e in {each.public_numbers.e for each in numbers}
    assert {each.public_numbers.n for each in numbers} == {rsa.n}


def test_a_modulus_and_a_private_exponent_of_an_unusual_public_one_open_what_was_wrapped(rsa):
    period = math.lcm(rsa.p - 1, rsa.q - 1)
    public = next(each for each in range(rsa.n >> 3 | 1, rsa.n, 2) if math.gcd(each, period) == 1)
    text = f"{rsa.n:X}\n{pow(public, -1, period):X}"
    (found,) = [key for key in read_keys(text.encode(), "test") if key.kind is KeyKind.RSA]
    message = drawn("message", 40)
    wrapped = pow(int.from_bytes(message), public, rsa.n).to_bytes(128)
    assert rsa_numbers.decrypt_raw(found.data, wrapped).lstrip(b"\0") == message.lstrip(b"\0")
    other = RSA.construct((rsa.n, public), consistency_check=False)
    sealed = PKCS1_OAEP.new(other).encrypt(message)
    assert rsa_numbers.decrypt_oaep(found.data, sealed, "sha1") == message
    assert rsa_numbers.decrypt_oaep(found.data, sealed[:-1] + b"\0", "sha1") is None


def test_numbers_that_do_not_belong_together_are_no_key(rsa):
    assert KeyKind.RSA not in kinds(pair(rsa, "big")[:-1] + b"\x01")
    assert kinds(b"") == []


@given(st.binary(max_size=600))
def test_any_file_is_read_without_harm(data):
    read_keys(data, "test")


MAGICS = st.sampled_from([b"RSA2", b"RSA3", b"\x07\x02\0\0\0\xa4\0\0RSA2", b"0\x82\x01\0", b"<RSAKeyValue>"])


@given(MAGICS, st.integers(0, 300), st.binary(max_size=80))
def test_what_only_begins_like_a_key_is_read_without_harm(magic, place, data):
    noise = drawn("noise", 400)
    read_keys(noise[:place] + magic + data + noise[place:], "test")


def test_a_blob_whose_factors_are_no_primes_is_no_key_and_no_error(rsa):
    first, second = rsa.p * rsa.q, rsa.p
    sizes = [(number.bit_length() + 7) // 8 for number in (first * second, first, second)]
    numbers = zip((first * second, first, second), sizes, strict=True)
    body = b"".join(number.to_bytes(size) for number, size in numbers)
    blob = struct.pack("<4sIIIII", b"RSA2", 8 * sizes[0], 3, *sizes) + b"\1\0\1" + body
    assert KeyKind.RSA not in kinds(blob)


@pytest.mark.parametrize("size", [1 << 20, 3 << 20])
def test_a_key_table_is_a_raw_key_and_other_large_files_are_none(size):
    table = hashlib.shake_128(b"table").digest(size)
    for data in (table, table.hex().encode(), base64.b64encode(table)):
        assert [key.data for key in read_keys(data, "test")] == [table]
    assert not read_keys(table[:-1], "test")
