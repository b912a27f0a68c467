"""Public keys of RSA in whatever form lockers, notes and people have them."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate

from unransom.core.keys import KeyKind
from unransom.crypto import written_public_keys
from unransom.crypto.der import sequence_of

LEAST_BITS, MOST_BITS = 128, 16384  # of a modulus
PEM = re.compile(rb"-----BEGIN (RSA PUBLIC KEY|PUBLIC KEY|CERTIFICATE)-----.+?-----END \1-----", re.DOTALL)
CAPI_HEAD = b"\x06\x02\0\0"  # PUBLICKEYBLOB, version 2

Reading = Iterator[tuple[KeyKind, bytes]]


def checked(modulus: int, exponent: int) -> Reading:
    """Yield the public key of these numbers if they can be one."""
    if LEAST_BITS <= modulus.bit_length() <= MOST_BITS and modulus % 2 and 1 < exponent < modulus:
        yield KeyKind.RSA_PUBLIC, sequence_of((modulus, exponent))


def _pem(data: bytes) -> Reading:
    for block in PEM.finditer(data):
        certificate = block[1] == b"CERTIFICATE"
        yield from _loaded(_of_pem_certificate if certificate else load_pem_public_key, block[0])


def _der(data: bytes) -> Reading:
    if data[:1] == b"\x30":
        yield from _loaded(load_der_public_key, data)
        yield from _loaded(_of_der_certificate, data)


def _of_pem_certificate(data: bytes) -> object:
    return load_pem_x509_certificate(data).public_key()


def _of_der_certificate(data: bytes) -> object:
    return load_der_x509_certificate(data).public_key()


def _loaded(load: Callable[[bytes], object], data: bytes) -> Reading:
    try:
        key = load(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        yield from checked(numbers.n, numbers.e)


def _blobs(data: bytes) -> Reading:
    """Yield the keys of CryptoAPI and CNG, which both say ``RSA1``."""
    for found in re.finditer(rb"RSA1", data):
        at = found.start()
        head = data[at + 4 : at + 24]
        if data[max(at - 8, 0) : max(at - 4, 0)] == CAPI_HEAD and len(head) >= 8:
            bits, exponent = struct.unpack_from("<II", head)
            yield from _number(data, at + 12, bits // 8, exponent, bits, "little")
        elif len(head) == 20:
            bits, exponent_size, size, prime1, prime2 = struct.unpack("<IIIII", head)
            if 1 <= exponent_size <= 8 and not prime1 and not prime2:
                place = at + 24 + exponent_size
                yield from _number(data, place, size, int.from_bytes(data[at + 24 : place]), bits, "big")


def _number(data: bytes, at: int, size: int, exponent: int, bits: int, order: str) -> Reading:
    """Yield the key whose modulus is the number of ``size`` bytes at ``at``, if it has as many bits."""
    if size * 8 < LEAST_BITS or size * 8 > MOST_BITS or at + size > len(data):
        return
    modulus = int.from_bytes(data[at : at + size], "little" if order == "little" else "big")
    if modulus.bit_length() == bits:
        yield from checked(modulus, exponent)


def _written(data: bytes) -> Reading:
    for modulus, exponent in written_public_keys.written(data):
        yield from checked(modulus, exponent)


READINGS: tuple[Callable[[bytes], Reading], ...] = (_pem, _der, _blobs, _written)
