"""RSA against other implementations, with every padding, both byte orders and hostile blobs."""

import functools
import hashlib

import pytest
from Cryptodome.Cipher import PKCS1_OAEP, PKCS1_v1_5
from Cryptodome.Hash import SHA1, SHA3_512, SHA256, SHA512
from Cryptodome.PublicKey import RSA
from cryptography.hazmat.primitives.asymmetric import rsa as library
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from tests.lockers.rhysida import Chc
from unransom.crypto import rsa
from unransom.crypto.chc import chc

BITS = 2048
HASHES = {"sha1": SHA1, "sha256": SHA256, "sha512": SHA512, "sha3_512": SHA3_512, "chc": Chc}


@functools.cache
def der(number: int = 0, bits: int = BITS) -> bytes:
    """Return a private key as PKCS #1 DER."""
    del number  # tells keys apart
    key = library.generate_private_key(65537, bits)
    return key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def sealed(message, padding, order="big"):
    """Return ``message`` under the first key by pycryptodomex."""
    key = RSA.import_key(der())
    cipher = PKCS1_v1_5.new(key) if padding == "pkcs1" else PKCS1_OAEP.new(key, hashAlgo=HASHES[padding])
    return cipher.encrypt(message)[:: 1 if order == "big" else -1]


def opened(key, blob, padding, order="big"):
    if padding == "pkcs1":
        return rsa.decrypt_pkcs1(key, blob, order)
    return rsa.decrypt_oaep(key, blob, padding, order)


@pytest.mark.parametrize("padding", ["pkcs1", *HASHES])
@pytest.mark.parametrize("order", ["big", "little"])
def test_every_padding_opens_in_both_orders_and_with_its_own_key_only(padding, order):
    for message in (b"", b"k" * 32, b"\0" * 40, bytes(range(100))):
        blob = sealed(message, padding, order)
        assert opened(der(), blob, padding, order) == message
        wrong = opened(der(1), blob, padding, order)
        assert wrong is None or (padding == "pkcs1" and wrong != message)


@pytest.mark.parametrize("padding", ["pkcs1", *HASHES])
@given(st.one_of(st.binary(max_size=300), st.binary(min_size=BITS // 8, max_size=BITS // 8)))
def test_hostile_blobs_are_refused(padding, blob):
    found = opened(der(), blob, padding)
    assert found is None or padding == "pkcs1"


def test_raw_is_the_inverse_of_the_public_operation():
    numbers = rsa.numbers(der()).public_numbers
    for order in ("big", "little"):
        block = hashlib.shake_256(order.encode()).digest(BITS // 8)
        block = b"\0" + block[1:] if order == "big" else block[:-1] + b"\0"
        power = pow(int.from_bytes(block, order), numbers.e, numbers.n)
        assert rsa.decrypt_raw(der(), power.to_bytes(BITS // 8, order), order) == block
    assert rsa.decrypt_raw(der(), numbers.n.to_bytes(BITS // 8)) is None


def test_an_oaep_block_without_its_one_is_refused():
    blob = sealed(b"x", "sha3_512")
    numbers = rsa.numbers(der()).public_numbers
    doubled = int.from_bytes(blob) * pow(2, numbers.e, numbers.n) % numbers.n
    assert rsa.decrypt_oaep(der(), doubled.to_bytes(BITS // 8), "sha3_512") is None


@pytest.mark.parametrize("padding", ["sha256", "chc"])
def test_an_oaep_block_opens_with_its_own_label_only(padding):
    cipher = PKCS1_OAEP.new(RSA.import_key(der()), hashAlgo=HASHES[padding], label=b"Rhysida-0.1")
    blob = cipher.encrypt(b"key")
    assert rsa.decrypt_oaep(der(), blob, padding, label=b"Rhysida-0.1") == b"key"
    assert rsa.decrypt_oaep(der(), blob, padding) is None


def test_the_cipher_hash_is_libtomcrypts():
    assert chc(b"hello world").hex() == "cf579dc30a0eea610d5447c43c06f54e"  # its own test vector
    for length in range(50):
        assert chc(bytes(length)) == Chc(bytes(length)).digest()


def test_a_key_too_short_for_the_hash_opens_nothing():
    assert rsa.decrypt_oaep(der(2, 1024), bytes(128), "sha3_512") is None


def test_one_blob_costs_one_operation():
    blob = sealed(b"shared", "sha256")
    rsa.decrypt_oaep(der(), blob, "sha256")
    before = rsa.decrypt_oaep.cache_info().misses
    for _ in range(1000):
        assert rsa.decrypt_oaep(der(), bytes(bytearray(blob)), "sha256") == b"shared"
    assert rsa.decrypt_oaep.cache_info().misses == before
