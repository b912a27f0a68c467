"""Public keys of RSA in every form, read into the same numbers."""

import base64
import datetime
import json
import struct

import pytest
from Cryptodome.PublicKey import RSA
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from hypothesis import given
from hypothesis import strategies as st

from tests.lockers.rsa import key_of
from unransom.core.keys import KeyKind
from unransom.crypto.der import numbers_in, sequence_of
from unransom.crypto.keyfiles import read_keys

KEY = key_of("rsa2048")
SMALL = RSA.construct((0xC2E5B7F3**16 | 1, 65537), consistency_check=False)


def certificate(encoding):
    private = load_pem_private_key(key_of("rsa2048").export_key(), None)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "locker")])
    day = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    builder = builder.serial_number(1).not_valid_before(day).not_valid_after(day + datetime.timedelta(1))
    return builder.sign(private, hashes.SHA256()).public_bytes(encoding)


def xml(key):
    numbers = {"Modulus": key.n.to_bytes(256), "Exponent": key.e.to_bytes(3)}
    parts = (f"<{tag}>{base64.b64encode(data).decode()}</{tag}>" for tag, data in numbers.items())
    return f"<RSAKeyValue>{''.join(parts)}</RSAKeyValue>".encode()


def capi(key):
    return struct.pack("<BBHI4sII", 6, 2, 0, 0xA400, b"RSA1", 2048, key.e) + key.n.to_bytes(256, "little")


def bcrypt(key):
    return b"RSA1" + struct.pack("<IIIII", 2048, 3, 256, 0, 0) + key.e.to_bytes(3) + key.n.to_bytes(256)


FORMS = {
    "PEM": KEY.public_key().export_key(),
    "PEM inside of a note": b"send us\n" + KEY.public_key().export_key() + b"\nand wait\n",
    "PEM, PKCS #1": b"-----BEGIN RSA PUBLIC KEY-----\n"
    + base64.encodebytes(sequence_of((KEY.n, KEY.e)))
    + b"-----END RSA PUBLIC KEY-----\n",
    "DER": KEY.public_key().export_key("DER"),
    "DER, PKCS #1": sequence_of((KEY.n, KEY.e)),
    "DER in base64": base64.b64encode(KEY.public_key().export_key("DER")),
    "certificate": certificate(Encoding.PEM),
    "certificate in DER": certificate(Encoding.DER),
    "XML": xml(KEY),
    "CAPI": capi(KEY),
    "OpenSSH": KEY.public_key().export_key("OpenSSH") + b" me@here\n",
    "XML in UTF-16": xml(KEY).decode().encode("utf-16-le"),
    "XML of a serializer": xml(KEY).replace(b"RSAKeyValue>", b"RSAParameters>"),
    "JSON Web Key": b'{"kty": "RSA", "n": "'
    + base64.urlsafe_b64encode(KEY.n.to_bytes(256))
    + b'", "e": "AQAB"}',
    "PEM in JSON": json.dumps({"key": KEY.public_key().export_key().decode()}).encode(),
    "DER inside of a program": b"MZ" + bytes(301) + KEY.public_key().export_key("DER") + bytes(99),
    "base64 inside of a note": b"Your ID:\n" + base64.encodebytes(sequence_of((KEY.n, KEY.e))) + b"\nwrite!",
    "base64 in UTF-16 inside of a program": bytes(31)
    + base64.b64encode(KEY.public_key().export_key("DER")).decode().encode("utf-16-le")
    + bytes(9),
    "number in hexadecimal": f"{KEY.n:x}".encode(),
    "numbers with names": f"n = 0x{KEY.n:X}\ne = {KEY.e}\n".encode(),
    "number in decimal": f"our key is {KEY.n}, pay".encode(),
    "what OpenSSL prints": b"Modulus:\n    00:"
    + b":\n    ".join(
        b":".join(b"%02x" % byte for byte in KEY.n.to_bytes(256)[at : at + 15]) for at in range(0, 256, 15)
    )
    + b"\nExponent: 65537 (0x10001)\n",
    "CAPI behind other bytes": b"program" + capi(KEY) + b"more",
    "CAPI in hexadecimal": capi(KEY).hex().encode(),
    "BCRYPT": bcrypt(KEY),
}


def publics(data):
    return [numbers_in(key.data) for key in read_keys(data, "test") if key.kind is KeyKind.RSA_PUBLIC]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read(form):
    assert publics(FORMS[form]) == [(KEY.n, KEY.e)]
    assert not [key for key in read_keys(FORMS[form], "test") if key.kind is KeyKind.RSA]


def test_several_keys_in_one_file_are_all_read():
    other = key_of("rsa4096")
    both = KEY.public_key().export_key() + b"\n" + other.public_key().export_key()
    assert publics(both) == [(KEY.n, KEY.e), (other.n, other.e)]


def test_short_keys_are_read_too():
    assert publics(SMALL.public_key().export_key()) == [(SMALL.n, SMALL.e)]


def test_a_private_key_is_no_public_one():
    assert not publics(KEY.export_key())


def test_many_numbers_one_a_line_are_all_read():
    moduli = [key_of(name).n for name in ("rsa2048", "rsa4096")]
    lines = "\n".join(f"{number:x},{3 + place * 2}" for place, number in enumerate(moduli))
    assert publics(lines.encode()) == [(number, 65537) for number in moduli]


def test_digests_identifiers_primes_and_signatures_are_no_moduli():
    curve = sequence_of((KEY.n >> 1792 | 1, KEY.n >> 1793 | 1))  # of ECDSA: two numbers of 256 bits
    prime = f"{KEY.p:x}"
    digest = "f" + "ab" * 63 + "1"  # SHA-512
    odd = "c" + "01" * 150  # of no length that moduli have
    text = f"{prime}\n{digest}\n{odd}\n{KEY.n - 1:x}\n".encode()
    assert not publics(bytes(40) + curve + bytes(40) + text)


@pytest.mark.parametrize(
    "data",
    [
        b"ab:" * 300_000 + b"abc",
        b"7" * 500_000 + b"g",
        (b"ab" * 48 + b"\n") * 5000,
        b"<RSAKeyValue>" * 50_000,
        b'"kty"' + b"{" * 500_000,
        b"-----BEGIN PRIVATE KEY-----" * 20_000,
        b"\x30\x82\xff\xff\x02\x01\x01" * 70_000,
    ],
)
def test_what_only_begins_like_keys_is_passed_over(data):
    assert not publics(data)


@given(st.sampled_from(sorted(FORMS)), st.data())
def test_damaged_files_never_raise(form, data):
    damaged = bytearray(FORMS[form])
    for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=4)):
        damaged[place] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    assert all(modulus > exponent > 1 for modulus, exponent in publics(bytes(damaged[:cut])))


@given(st.binary(max_size=64))
def test_der_that_is_none_is_refused(data):
    try:
        numbers = numbers_in(data)
    except ValueError:
        return
    assert isinstance(numbers, tuple)


@given(st.lists(st.integers(0, 1 << 600), max_size=4))
def test_numbers_come_back(numbers):
    assert numbers_in(sequence_of(numbers)) == tuple(numbers)
