"""RSA keys as documents name their numbers: .NET's XML, and JSON Web Keys (RFC 7518, section 6.3).

The numbers are big-endian bytes in base64, whole keys or public ones alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from unransom.crypto.written_public_keys import of_base64, texts

MOST = 1 << 14  # keys of a file
XML = re.compile(
    rb"<(RSAKeyValue|RSAParameters)\b[^<>]{0,256}+>"
    rb"((?:\s{0,64}+<[A-Za-z]{1,8}+>[A-Za-z0-9+/=\s]{0,8192}+</[A-Za-z]{1,8}+>){2,12}+)"
)
PART = re.compile(rb"<([A-Za-z]{1,8})>([^<]*)<")
XML_NAMES = {b"Modulus": "n", b"Exponent": "e", b"D": "d"}
JSON = re.compile(rb"\{[^{}]{32,32768}+\}")
MEMBER = re.compile(rb'"(n|e|d)"\s{0,8}:\s{0,8}"([A-Za-z0-9_+/=-]{2,8192})"')


def numbers_named(data: bytes) -> Iterator[dict[str, int]]:
    """Yield the numbers of each key in ``data``: ``n`` and ``e``, and ``d`` where it is a private one."""
    for text in texts(data):
        if b"Modulus>" in text:
            for found in islice(XML.finditer(text), MOST):
                parts = {XML_NAMES.get(name, ""): value for name, value in PART.findall(found[2])}
                yield from _numbers(parts)
        if b'"kty"' in text:
            for found in islice(JSON.finditer(text), MOST):
                yield from _numbers({name.decode(): value for name, value in MEMBER.findall(found[0])})


def _numbers(parts: dict[str, bytes]) -> Iterator[dict[str, int]]:
    numbers = {name: _number(value) for name, value in parts.items() if name}
    if {"n", "e"} <= numbers.keys():
        yield numbers


def _number(text: bytes) -> int:
    return int.from_bytes(of_base64(b"".join(text.split())))
