"""RSA as lockers use it: textbook RSA in both byte orders, and paddings that really say no.

OpenSSL answers a wrong PKCS #1 v1.5 padding with random bytes ("implicit rejection"), which would hide
that a key is wrong, so that padding is checked here. OAEP goes through OpenSSL where it has the hash.

Every answer is remembered: a million files with one blob cost one private-key operation.
"""

from __future__ import annotations

import functools
import hashlib
from typing import Literal

import gmpy2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from unransom.crypto.chc import chc
from unransom.crypto.der import numbers_in

ByteOrder = Literal["little", "big"]
OaepHash = Literal["sha1", "sha256", "sha384", "sha512", "sha3_512", "chc"]
OPENSSL_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 what lockers chose
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
REMEMBERED = 4096  # answers


@functools.lru_cache(maxsize=256)
def _private_key(der: bytes) -> rsa.RSAPrivateKey:
    key = load_der_private_key(der, password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("not an RSA key")
    return key


@functools.lru_cache(maxsize=256)
def numbers(der: bytes) -> rsa.RSAPrivateNumbers:
    """Return the numbers of a PKCS #1 DER private key; those that nobody knows, e and primes, are 0."""
    _, modulus, exponent, private, *parts = numbers_in(der)
    p, q, dmp1, dmq1, iqmp = parts
    return rsa.RSAPrivateNumbers(p, q, private, dmp1, dmq1, iqmp, rsa.RSAPublicNumbers(exponent, modulus))


def size(der: bytes) -> int:
    """Return the bytes of the modulus of a PKCS #1 DER private key."""
    return (numbers(der).public_numbers.n.bit_length() + 7) // 8


@functools.lru_cache(maxsize=REMEMBERED)
def decrypt_raw(der: bytes, blob: bytes, order: ByteOrder = "big") -> bytes | None:
    """Return ``blob`` to the private exponent, as many bytes as the modulus has, in ``order``.

    None where the blob is of another length than the modulus or not below it: not made with this key.
    """
    key = numbers(der)
    cipher = int.from_bytes(blob, order)
    if len(blob) != size(der) or cipher >= key.public_numbers.n:
        return None
    if not key.p:
        return int(gmpy2.powmod(cipher, key.d, key.public_numbers.n)).to_bytes(len(blob), order)
    # Chinese remainders: four times as fast as one power.
    high = gmpy2.powmod(cipher % key.p, key.dmp1, key.p)
    low = gmpy2.powmod(cipher % key.q, key.dmq1, key.q)
    plain = low + (high - low) * key.iqmp % key.p * key.q
    return int(plain).to_bytes(len(blob), order)


def decrypt_pkcs1(der: bytes, blob: bytes, order: ByteOrder = "big") -> bytes | None:
    """Return the message in a PKCS #1 v1.5 encryption block, None where the padding is wrong.

    A wrong key passes with a probability of about 2**-16 and the message's length is random then:
    callers check the length, and whatever else the message says.
    """
    block = decrypt_raw(der, blob, order)
    if block is None:
        return None
    if order == "little":
        block = block[::-1]
    end = block.find(b"\x00", 2)
    return block[end + 1 :] if block[:2] == b"\x00\x02" and end >= 10 else None


@functools.lru_cache(maxsize=REMEMBERED)
def decrypt_oaep(
    der: bytes, blob: bytes, digest: OaepHash, order: ByteOrder = "big", label: bytes = b""
) -> bytes | None:
    """Return the message in an OAEP block with that label, None where the padding is wrong.

    The padding repeats a digest, so that no wrong key passes.
    """
    if len(blob) != size(der):
        return None
    if digest not in OPENSSL_HASHES or not numbers(der).p:
        block = decrypt_raw(der, blob, order)
        if block is None:
            return None
        return _without_oaep(block if order == "big" else block[::-1], digest, label)
    algorithm = OPENSSL_HASHES[digest]
    scheme = padding.OAEP(mgf=padding.MGF1(algorithm), algorithm=algorithm, label=label)
    try:
        return _private_key(der).decrypt(blob if order == "big" else blob[::-1], scheme)
    except ValueError:
        return None


def _without_oaep(block: bytes, digest: str, label: bytes) -> bytes | None:
    """Return the message in ``block`` (RFC 8017, 7.1.2), None where it is not padded so."""
    hashed = _hashed(digest, label)
    length = len(hashed)
    if len(block) < 2 * length + 2:
        return None
    seed = _xor(block[1 : length + 1], _mask(block[length + 1 :], length, digest))
    data = _xor(block[length + 1 :], _mask(seed, len(block) - length - 1, digest))
    zeros, one, message = data[length:].partition(b"\x01")
    if block[0] or data[:length] != hashed or not one or zeros.strip(b"\0"):
        return None
    return message


def _mask(seed: bytes, length: int, digest: str) -> bytes:
    """Return ``length`` bytes of MGF1 of ``seed``."""
    out, number = b"", 0
    while len(out) < length:
        out += _hashed(digest, seed + number.to_bytes(4))
        number += 1
    return out[:length]


def _hashed(digest: str, data: bytes) -> bytes:
    return chc(data) if digest == "chc" else hashlib.new(digest, data).digest()


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left) ^ int.from_bytes(right)).to_bytes(len(left))
