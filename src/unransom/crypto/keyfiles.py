"""Key files in whatever form people have them, read into keys.

Public keys of RSA are read besides: they open nothing, but they may be weak.

One file can be several things: 32 bytes are an AES key, an X25519 scalar or a password, and all of
them are the same ``RAW`` key; 256 bytes may besides be an RSA pair of exponent and modulus. A reading
as RSA is taken only when the numbers prove it, so no reading is ever wrong, only useless. The exception
are a modulus and a private exponent alone, whose public exponent may be any: every padding tells of them
whether they are a key.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
import struct
from collections.abc import Callable, Iterator

import gmpy2
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
    load_ssh_private_key,
)

from unransom.core.keys import Key, KeyKind
from unransom.crypto import public_keys
from unransom.crypto.der import sequence_of
from unransom.crypto.key_documents import numbers_named
from unransom.crypto.weak_rsa.private_keys import private_key
from unransom.crypto.written_public_keys import texts

MAX_KEY_FILE = 24 << 20  # bytes; the largest key seen is a table of 10 MiB, twice as long in hexadecimal
MAX_RAW = 8192  # bytes of a raw key: longer data is no key by itself, but for
TABLES = frozenset({0x100000, 0x300000, 0xA00000})  # bytes of key tables: of Hive v3, v4, and v1 and v2
PUBLIC_EXPONENTS = (65537, 3, 17)
PEM = re.compile(
    rb"-----BEGIN ([A-Z ]{0,20})PRIVATE KEY-----(?:[^-]|-(?!----)){32,32768}+-----END \1PRIVATE KEY-----"
)
NUMBER = re.compile(rb"(?<![0-9A-Za-z])(?:0x)?([0-9A-Fa-f]{64,4096})(?![0-9A-Za-z])")
LONGEST_TEXT = 64 * 1024  # bytes of a text with numbers
MOST_NUMBERS = 8  # in such a text
LEAST_BITS = 384  # of a modulus whose public exponent nobody knows; hashes are shorter
LARGEST_CAPI = 10240  # bytes of a private key of CryptoAPI: of RSA-16384
MOST_ZEROS = 16  # bytes behind a modulus in memory
SHORTER = 64  # bits that a private exponent has less than its modulus, at most


def read_keys(data: bytes, origin: str) -> tuple[Key, ...]:
    """Return every key that ``data``, the content of a key file, can be read as.

    Args:
        data: At most ``MAX_KEY_FILE`` bytes are looked at.
        origin: Name of the file, for people.

    Returns:
        Distinct keys, the more structured readings first; empty for an empty file.
    """
    data = data[:MAX_KEY_FILE]
    found: dict[tuple[KeyKind, bytes], Key] = {}
    for form in _forms(data):
        for read in READINGS:
            for kind, body in read(form):
                found.setdefault((kind, body), Key(kind, body, origin))
    return tuple(found.values())


def _forms(data: bytes) -> Iterator[bytes]:
    """Yield ``data`` itself and what it says in hexadecimal or base64."""
    yield data
    text = b"".join(data.split())
    if not text or b"-----" in data or b"<" in text:
        return
    if re.fullmatch(rb"(?:0x)?(?:[0-9a-fA-F]{2}[:,]?)+", text):
        yield binascii.unhexlify(re.sub(rb"^0x|[:,]", b"", text))
    if re.fullmatch(rb"[A-Za-z0-9+/_-]{4,}={0,2}", text):
        padded = text.translate(bytes.maketrans(b"-_", b"+/")) + b"=" * (-len(text) % 4)
        try:
            yield base64.b64decode(padded, validate=True)
        except binascii.Error:
            return


Reading = Iterator[tuple[KeyKind, bytes]]


def _raw(data: bytes) -> Reading:
    if 0 < len(data) <= MAX_RAW or len(data) in TABLES:
        yield KeyKind.RAW, data
        stripped = data.strip()
        if stripped and stripped != data and stripped.isascii():
            yield KeyKind.RAW, stripped


def _pem(data: bytes) -> Reading:
    for text in texts(data):
        plain = text.replace(rb"\r", b"").replace(rb"\n", b"\n")  # as JSON and scripts write ends of lines
        for found in PEM.finditer(plain):
            yield from _loaded(_of_openssh if found[1] == b"OPENSSH " else load_pem_private_key, found[0])


def _of_openssh(data: bytes, password: None, **_: bool) -> object:
    return load_ssh_private_key(data, password)


def _der(data: bytes) -> Reading:
    if data[:1] == b"\x30":
        yield from _loaded(load_der_private_key, data)


def _loaded(load: Callable[..., object], data: bytes) -> Reading:
    try:
        key = load(data, password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        public = numbers.public_numbers
        yield from _from_primes(public.n, public.e, numbers.p, numbers.q)
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        yield KeyKind.EC, key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    elif isinstance(key, x25519.X25519PrivateKey):
        yield KeyKind.RAW, key.private_bytes_raw()


def _documents(data: bytes) -> Reading:
    """Keys in .NET's XML and in JSON Web Keys."""
    for numbers in numbers_named(data):
        if "d" in numbers:
            yield from _rsa(numbers["n"], numbers["e"], numbers["d"])
        else:
            yield from public_keys.checked(numbers["n"], numbers["e"])


def _capi(data: bytes) -> Reading:
    """CryptoAPI's private keys, little-endian: ``RSA2``, numbers, then n, p, q and what follows from them.

    A ``PRIVATEKEYBLOB`` has a header (bType 7, version 2, algorithm) before it, and bits and e behind it. As
    providers keep the key in memory and in files, its bytes, bits, those of data, and e stand there, and each
    number has zeros behind it.
    """
    for at in _each(data, b"RSA2"):
        if len(data) < at + 20:
            continue
        first, second, _, fourth = struct.unpack_from("<IIII", data, at + 4)
        if at >= 8 and data[at - 8 : at - 6] == b"\x07\x02":
            yield from _little_endian(data[at + 12 :][:LARGEST_CAPI], second, first // 8, first // 16)
            continue
        if second % 16 == 0 and second // 8 <= first <= second // 8 + MOST_ZEROS and first % 2 == 0:
            yield from _little_endian(data[at + 20 :][:LARGEST_CAPI], fourth, first, first // 2)
        elif first % 16 == 0:  # without the header
            yield from _little_endian(data[at + 12 :][:LARGEST_CAPI], second, first // 8, first // 16)


def _little_endian(body: bytes, exponent: int, size: int, half: int) -> Reading:
    """Yield the key whose modulus of ``size`` bytes begins ``body``, primes of ``half`` bytes behind it."""
    if 32 <= size <= 2048 + MOST_ZEROS and len(body) >= size + 2 * half:
        numbers = (body[:size], body[size : size + half], body[size + half : size + 2 * half])
        modulus, prime1, prime2 = (int.from_bytes(each, "little") for each in numbers)
        if prime1 > 1 and prime1 * prime2 == modulus:
            yield from _from_primes(modulus, exponent, prime1, prime2)
            return
        private = body[size + 5 * half : 2 * size + 5 * half]
        if len(private) == size:
            yield from _rsa(modulus, exponent, int.from_bytes(private, "little"))


def _bcrypt(data: bytes) -> Reading:
    """CNG ``RSA2``/``RSA3`` blobs: magic, bits, four lengths, then e, n, p, q, ... big-endian."""
    for magic in (b"RSA2", b"RSA3"):
        for at in _each(data, magic):
            if len(data) < at + 24:
                continue
            sizes = struct.unpack_from("<IIIII", data, at + 4)[1:]
            if max(sizes) > 2048:
                continue
            numbers, position = [], at + 24
            for size in sizes:
                numbers.append(int.from_bytes(data[position : position + size]))
                position += size
            exponent, modulus, prime1, prime2 = numbers
            if position <= len(data) and prime1 > 1 and prime1 * prime2 == modulus and exponent > 1:
                yield from _from_primes(modulus, exponent, prime1, prime2)


def _pair(data: bytes) -> Reading:
    """Exponent d and modulus n of the same length, either byte order, either order of the two."""
    size = len(data) // 2
    if len(data) % 2 or size % 64 or not 64 <= size <= 1024:
        return
    for order in ("little", "big"):
        first, second = (int.from_bytes(half, order) for half in (data[:size], data[size:]))
        for private, modulus in ((first, second), (second, first)):
            if modulus.bit_length() < size * 8 - 1:
                continue  # a modulus fills its length
            for exponent in PUBLIC_EXPONENTS:
                yield from _rsa(modulus, exponent, private)


def is_number(data: bytes) -> bool:
    """Return whether ``data`` is one long number as text, as a modulus or an exponent is."""
    return len(data) <= LONGEST_TEXT and NUMBER.fullmatch(data.strip()) is not None


def _numbers(data: bytes) -> Reading:
    """Numbers as text, in hexadecimal or decimal: two primes, or a modulus and its private exponent."""
    digits = NUMBER.findall(data) if len(data) <= LONGEST_TEXT and data.isascii() else []
    if not 2 <= len(digits) <= MOST_NUMBERS:
        return
    base = 10 if all(each.isdigit() for each in digits) else 16
    for first, second in itertools.permutations([int(each, base) for each in digits], 2):
        if first > second and gmpy2.is_prime(first) and gmpy2.is_prime(second):
            for exponent in PUBLIC_EXPONENTS:
                yield from _from_primes(first * second, exponent, first, second)
        yield from _private_pair(first, second)


def _private_pair(modulus: int, private: int) -> Reading:
    """Yield the RSA key of a modulus and a private exponent; with primes only if its public one is usual."""
    if modulus.bit_length() - private.bit_length() > SHORTER or not modulus % 2 or not private % 2:
        return
    known = [each for exponent in PUBLIC_EXPONENTS for each in _rsa(modulus, exponent, private)]
    if known:
        yield from known
    elif (
        private < modulus
        and LEAST_BITS <= modulus.bit_length() <= public_keys.MOST_BITS
        and not gmpy2.is_prime(modulus)
    ):
        yield KeyKind.RSA, sequence_of((0, modulus, 0, private, 0, 0, 0, 0, 0))


READINGS: tuple[Callable[[bytes], Reading], ...] = (
    *(_pem, _der, _documents, _capi, _bcrypt, _pair, _numbers),
    *public_keys.READINGS,
    _raw,
)


def _each(data: bytes, magic: bytes) -> Iterator[int]:
    at = data.find(magic)
    while at >= 0:
        yield at
        at = data.find(magic, at + 1)


def _rsa(modulus: int, exponent: int, private: int) -> Reading:
    """Yield the RSA key of these numbers if they belong together: encrypting and decrypting gives 2 back."""
    if not (1 < private < modulus and exponent > 1 and modulus % 2 and modulus.bit_length() <= 16384):
        return
    if gmpy2.powmod(gmpy2.powmod(2, exponent, modulus), private, modulus) != 2:
        return
    try:
        prime1, prime2 = rsa.rsa_recover_prime_factors(modulus, exponent, private)
    except ValueError:
        return
    yield from _from_primes(modulus, exponent, prime1, prime2)


def _from_primes(modulus: int, exponent: int, prime1: int, prime2: int) -> Reading:
    body = private_key(modulus, exponent, (prime1, prime2))
    if body is not None:
        yield KeyKind.RSA, body
