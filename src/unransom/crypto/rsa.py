"""RSA as lockers use it: textbook RSA in both byte orders, and paddings that really say no.

OpenSSL answers a wrong PKCS #1 v1.5 padding with random bytes ("implicit rejection"), which would hide
that a key is wrong, so that padding is checked here.
"""

from __future__ import annotations

import functools
from typing import Literal

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

ByteOrder = Literal["little", "big"]


@functools.lru_cache(maxsize=256)
def numbers(der: bytes) -> rsa.RSAPrivateNumbers:
    """Return the numbers of a PKCS #1 DER private key."""
    key = load_der_private_key(der, password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("not an RSA key")
    return key.private_numbers()


def size(der: bytes) -> int:
    """Return the bytes of the modulus of a PKCS #1 DER private key."""
    return (numbers(der).public_numbers.n.bit_length() + 7) // 8


def decrypt_raw(der: bytes, blob: bytes, order: ByteOrder = "big") -> bytes | None:
    """Return ``blob`` to the private exponent, as many bytes as the modulus has, in ``order``.

    None where the blob is of another length than the modulus or not below it: not made with this key.
    """
    key = numbers(der)
    modulus = key.public_numbers.n
    cipher = int.from_bytes(blob, order)
    if len(blob) != size(der) or cipher >= modulus:
        return None
    # Chinese remainders: four times as fast as one power.
    high, low = pow(cipher % key.p, key.dmp1, key.p), pow(cipher % key.q, key.dmq1, key.q)
    plain = low + (high - low) * key.iqmp % key.p * key.q
    return plain.to_bytes(len(blob), order)


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
