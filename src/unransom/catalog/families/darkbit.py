"""DarkBit: AES-128-CBC over one to twenty parts of a file, each from the same IV; OAEP with SHA-512.

Behind the file: "DARKBIT_ENCRYPTED_FILES|", the original's name, filled up with "|" to whole blocks and
locked in the same way, "DARKBIT", and the RSA-2048 blob with key 16 and IV 16. How many parts there are,
at equal distances, and of how many bytes, goes by the size. Bytes behind the last whole block of a
whole file stay as they are.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from unransom.catalog.schemes.extents import each_piece
from unransom.catalog.schemes.family import Family, FileKey, Locked, Mark, Plan
from unransom.catalog.schemes.wraps import Rsa
from unransom.core.keys import KeyKind
from unransom.core.messages import say
from unransom.core.paths import base_name
from unransom.core.spans import Span
from unransom.crypto.ciphers.aes import BLOCK, AesCbc
from unransom.crypto.ciphers.at_once import decrypted

FIRST, SECOND = b"DARKBIT_ENCRYPTED_FILES|", b"DARKBIT"
BLOB = 256  # bytes
MOST_NAME = 1024  # bytes of a name, of which Windows allows 255 characters
UNWRAP = Rsa("blob", {"key": (0, 16), "iv": (16, 32)}, padding="oaep-sha512", length=32)


class Parts(NamedTuple):
    """Files below ``below`` bytes are locked in ``places`` parts of ``length`` bytes; 0 for the whole."""

    below: int
    places: int
    length: int


SIZES = (
    Parts(25, 1, 0),
    Parts(1000, 2, 12000),
    Parts(4000, 3, 10000),
    Parts(7000, 2, 20000),
    Parts(11000, 3, 30000),
    Parts(51000, 5, 30000),
    Parts(1000000, 3, 1000000),
    Parts(5000000, 5, 1000000),
    Parts(6000000, 20, 10000000),
)
UNIT = 1 << 10  # bytes of a size above: the locker means megabytes and shifts by ten


def read(locked: Locked) -> Mark | None:
    """Return the mark: both words, and whole blocks between them."""
    tail = locked.read_at(max(locked.size - BLOB - len(SECOND) - MOST_NAME - len(FIRST), 0), 1 << 12)
    at = tail.rfind(FIRST, 0, len(tail) - BLOB - len(SECOND))
    name = tail[at + len(FIRST) : -BLOB - len(SECOND)]
    if at < 0 or len(name) % BLOCK or not name or tail[-BLOB - len(SECOND) : -BLOB] != SECOND:
        return None
    return Mark(
        bits=8 * (len(FIRST) + len(SECOND)),
        fields={"name": name, "blob": tail[-BLOB:]},
        plain_size=locked.size - len(tail) + at,
        wrapped=tail[-BLOB:],
    )


def parts(size: int) -> Iterator[Span]:
    """Yield the locked parts of a file of ``size`` bytes, in whole blocks."""
    _, places, length = next((each for each in SIZES if size < each.below * UNIT), SIZES[-1])
    length = (length or size) // BLOCK * BLOCK
    step = size // places
    spans = (Span(index * step, index * step + length) for index in range(places if length else 0))
    yield from takewhile(lambda span: span.end <= size, spans)


def plan(locked: Locked, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the parts, and the name."""
    del locked
    size = mark.plain_size or 0
    start = functools.partial(AesCbc, key.parts["key"], key.parts["iv"])
    name = decrypted(start(), mark.fields["name"]).rstrip(b"|")
    return Plan(size, each_piece(size, parts(size), lambda _: start()), base_name(name) or None)


FAMILY = Family(
    name="darkbit",
    title="DarkBit",
    extensions=(r"\.(?i:darkbit)",),
    notes=(r"(?i)recovery_darkbit\.txt",),
    read=read,
    takes=(KeyKind.RSA,),
    unwrap=UNWRAP,
    plan=plan,
    wanted=say("the RSA-2048 private key of the build"),
    references=("https://github.com/rivitna/Malware/tree/main/DarkBit",),
    limitations=("Sizes and parts are those of the only configuration that is public.",),
)
