"""Numbers among the keys that were given: factors that a program found, and primes of other keys."""

from __future__ import annotations

import re
from collections.abc import Iterable

from unransom.core.keys import Key, KeyKind
from unransom.crypto import rsa

NUMBER = re.compile(rb"\b(?:0[xX])?([0-9a-fA-F]+)\b")
MOST = 4096  # numbers of a file
LONGEST = 5000  # digits


def numbers_given(keys: Iterable[Key]) -> tuple[int, ...]:
    """Return every number in key files that are text, read as decimal and as hexadecimal, and RSA primes.

    What msieve, YAFU and CADO-NFS print is such a text. A number that was read in the wrong way divides
    nothing, so that it does no harm.
    """
    found: dict[int, None] = {}
    for key in keys:
        if key.kind is KeyKind.RSA:
            numbers = rsa.numbers(key.data)
            found |= dict.fromkeys((numbers.p, numbers.q))
        elif key.kind is KeyKind.RAW and key.data.isascii():
            for digits in NUMBER.findall(key.data)[:MOST]:
                found |= dict.fromkeys(_readings(digits[:LONGEST]))
    return tuple(number for number in found if number > 1)


def _readings(digits: bytes) -> tuple[int, ...]:
    hexadecimal = int(digits, 16)
    return (int(digits), hexadecimal) if digits.isdigit() and len(digits) < 4300 else (hexadecimal,)
