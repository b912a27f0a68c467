"""Public keys of RSA wherever they stand: in notes and programs, in binary, as text, as bare numbers.

What is said in base64 or hexadecimal is looked through like what stands there in binary; texts in UTF-16 are
read like others. A number that nothing names is taken for a modulus only where it has the length of one.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from itertools import islice

import gmpy2

from unransom.crypto.der import integer_at

MOST = 1 << 14  # keys, and runs of text, of a file
LEAST_BITS, MOST_BITS = 384, 16384  # of a modulus that no file of its own names; digests are shorter
UNNAMED_BITS = 1024  # of a bare number that is taken for a modulus, at least
STEP = 64  # bits that a modulus has a multiple of
LONGEST_EXPONENT = 8  # bytes: signatures of elliptic curves look like longer ones
EXPONENT = 65537

PKCS1 = re.compile(rb"\x30(?=(?:\x82..|\x81.|[\x30-\x7f])\x02[\x30-\x82])", re.DOTALL)
TEXT = re.compile(rb"[^\0-\x08\x0b\x0c\x0e-\x1f][^\0-\x08\x0b\x0c\x0e-\x1f]{31,}+")
SSH = re.compile(rb"\0\0\0\x07ssh-rsa\0\0\0[\x01-\x08]")
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{64,}+(?:\s{1,8}+[A-Za-z0-9+/_-]++){0,400}+={0,2}")
LINE = re.compile(rb"[A-Za-z0-9+/_-]{64,}+")
BYTES = re.compile(rb"(?<![0-9A-Za-z])(?:0[xX])?(?:[0-9A-Fa-f]{2}(?::\s{0,40}+)?){48,}+")
DECIMAL = re.compile(rb"(?<![0-9A-Za-z])[0-9]{116,}+")
NAMED = re.compile(rb"(?i)(?:\bn|mod(?:ulus)?)[\"']?\s{0,4}[=:]\s{0,64}[\"']?$")
MOST_DIGITS = 4200  # of a number: of RSA-16384 and more in hexadecimal; Python reads 4300 decimal ones
NAME_REACH = 80  # bytes before a number that may name it
NAMED_EXPONENT = re.compile(
    rb"(?i)(?:\be|exp(?:onent)?)[\"']?\s{0,4}[=:]\s{0,64}[\"']?(0x)?([0-9a-f]{1,16})(?![0-9a-z])"
)
EXPONENT_REACH = 200  # bytes on either side of a modulus
ESCAPED = {rb"\r": b"", rb"\n": b"\n", rb"\/": b"/", b"-----": b" "}  # in JSON and scripts; around PEM
STANDARD = bytes.maketrans(b"-_", b"+/")

Numbers = tuple[int, int]  # modulus, exponent


def written(data: bytes) -> Iterator[Numbers]:
    """Yield modulus and exponent of the public keys in ``data``, at most ``MOST`` of each form."""
    yield from binary(data)
    for raw in texts(data):
        text = raw
        for escaped, plain in ESCAPED.items():
            text = text.replace(escaped, plain)
        for said in islice(_said(text), MOST):
            yield from binary(said)
        yield from islice(_numbers(text), MOST)


def texts(data: bytes) -> Iterator[bytes]:
    """Yield the stretches of text in ``data``, zeros between them, as they are and as UTF-16 has them."""
    for view in (data, data[::2], data[1::2]) if b"\0" in data else (data,):
        yield b"\0".join(TEXT.findall(view))


def binary(data: bytes) -> Iterator[Numbers]:
    """Yield the keys that stand in ``data`` as DER, whatever is around, and in the form of SSH."""
    for found in islice(PKCS1.finditer(data), MOST):
        start = found.start() + 2 + (data[found.start() + 1] & 0x7F if data[found.start() + 1] & 0x80 else 0)
        modulus, behind = integer_at(data, start)
        exponent, end = integer_at(data, behind) if modulus else (0, 0)
        size = data[found.start() + 1] if start - found.start() == 2 else data[found.start() + 2 : start]
        length = size if isinstance(size, int) else int.from_bytes(size)
        if start + length == end:
            yield from _checked(modulus, exponent)
    for found in islice(SSH.finditer(data), MOST):
        exponent, behind = _ssh_number(data, found.end() - 4)
        modulus, _ = _ssh_number(data, behind)
        yield from _checked(modulus, exponent)


def _ssh_number(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at ``at``, 4 bytes of length before it, and where it ends; 0 where it is cut off."""
    end = at + 4 + int.from_bytes(data[at : at + 4])
    return (int.from_bytes(data[at + 4 : end]) if at + 4 < end <= min(len(data), at + 4096) else 0), end


def _checked(modulus: int, exponent: int) -> Iterator[Numbers]:
    if (
        LEAST_BITS <= modulus.bit_length() <= MOST_BITS
        and modulus & exponent & 1
        and 1 < exponent < 1 << 8 * LONGEST_EXPONENT
    ):
        yield modulus, exponent


def _said(text: bytes) -> Iterator[bytes]:
    """Yield what is written in base64, whole runs of lines and each line, and in hexadecimal."""
    for found in BASE64.finditer(text):
        whole = b"".join(found[0].split())
        lines = LINE.findall(found[0])
        for digits in (whole, *lines) if len(lines) > 1 else (whole,):
            yield of_base64(digits)
    for found in BYTES.finditer(text):
        yield binascii.unhexlify(re.sub(rb"^0[xX]|[:\s]", b"", found[0]))


def of_base64(digits: bytes) -> bytes:
    """Return what ``digits`` of either alphabet say, padded or not; one too many at the end is left out."""
    digits = digits.rstrip(b"=").translate(STANDARD)
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    return base64.b64decode(digits + b"=" * (-len(digits) % 4))


def _numbers(text: bytes) -> Iterator[Numbers]:
    """Yield the moduli that are written as numbers, with the exponents beside them."""
    alone = len(text.strip())
    for pattern, base in ((BYTES, 16), (DECIMAL, 10)):
        for found in pattern.finditer(text):
            digits = re.sub(rb"[:\s]", b"", found[0])
            if len(digits) > MOST_DIGITS or text[found.end() : found.end() + 1].isalnum():
                continue
            modulus = int(digits, base)
            before = text[max(found.start() - NAME_REACH, 0) : found.start()]
            least = LEAST_BITS if NAMED.search(before) or len(found[0]) == alone else UNNAMED_BITS
            if modulus.bit_length() < least or modulus.bit_length() % STEP or gmpy2.is_prime(modulus):
                continue
            yield from _checked(modulus, _exponent(before, text[found.end() : found.end() + EXPONENT_REACH]))


def _exponent(before: bytes, behind: bytes) -> int:
    """Return the exponent that is named behind or before a modulus, else the usual one."""
    named = NAMED_EXPONENT.search(behind) or NAMED_EXPONENT.search(before)
    if named is None:
        return EXPONENT
    return int(named[2], 16 if named[1] or not named[2].isdigit() else 10)
