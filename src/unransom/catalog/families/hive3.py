"""Hive v3 and v4: XOR of two windows of the run's key table, over up to 30 percent of a file in blocks.

Nothing is added to the file; its name ends with a dot and 56 characters of base64 for URLs, which say
the SHA-512/256 of the key table, FF, the two places in the table, and 34; then the victim's extension.
The table has 1 MiB in v3 and 3 MiB in v4. The first and the last of the blocks of 4 KiB are the ends of
the file. The windows are as long as all blocks together (the second one shorter), and repeat.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from cryptography.hazmat.primitives import hashes

from unransom.catalog.schemes.extents import pieces
from unransom.catalog.schemes.family import BadMarkError, Family, FileKey, Locked, Mark, Plan
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.crypto.ciphers.xor import Xor

BLOCK = 4096
SHARE = 30  # percent of the blocks of a file
LEAST = 2  # blocks of a file with more than one
SECOND = 0xC00  # bytes of the second window
HASH = slice(0, 32)
PLACES = slice(33, 41)  # two numbers of 32 bits
MARKERS_BITS = 16
NAME_BITS = 24  # of a part of a name that is exactly so long and so mixed
# What FF at byte 32 and 34 at byte 41 make of the characters 42 and 43, and 54 and 55.
METADATA = r"[A-Za-z0-9_-]{42}[DHLPTXbfjnrvz37_]_[A-Za-z0-9_-]{10}[AEIMQUYcgkosw048]0"
VICTIM = r"\.[A-Za-z0-9]{3,10}"
NAME = re.compile(rf".+\.({METADATA}){VICTIM}(?:\..*)?".encode(), re.DOTALL)  # others may add to it


class Version(NamedTuple):
    """What differs: the most blocks of a file, and the bytes of the first window, as many as they have."""

    blocks: int
    first: int


VERSIONS = {0x100000: Version(25, 0x19000), 0x300000: Version(256, 0x100000)}  # by the bytes of the table


def read(locked: Locked) -> Mark | None:
    """Return the mark that is in the name."""
    match = NAME.fullmatch(locked.name)
    if match is None:
        return None
    data = base64.urlsafe_b64decode(match[1])
    return Mark(
        bits=NAME_BITS + MARKERS_BITS,
        fields={"hash": data[HASH], "places": data[PLACES]},
        plain_size=locked.size,
        wrapped=data[HASH],
        campaign=data[HASH].hex(),
    )


@functools.lru_cache(maxsize=16)
def _digests(table: bytes) -> frozenset[bytes]:
    """Return the hashes that a name may have of a key table: analysts differ in which it is."""
    digest = hashes.Hash(hashes.SHA512_256())
    digest.update(table)
    return frozenset({digest.finalize(), hashlib.sha256(table).digest()})


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Take the key table whose hash is in the name."""
    if len(key.data) not in VERSIONS or mark.fields["hash"] not in _digests(key.data):
        return None
    parts = {"table": key.data, "places": mark.fields["places"]}
    return FileKey(parts, 8 * len(mark.fields["hash"]), say("the name holds the hash of the key table"))


def windows(places: bytes, table_size: int) -> tuple[Span, Span]:
    """Return which bytes of the key table a file was locked with: both windows, which repeat.

    Raises:
        BadMarkError: No version has a table of this size.
    """
    version = VERSIONS.get(table_size)
    if version is None:
        raise BadMarkError(say("no version has a key table of {bytes} bytes", bytes=table_size))
    starts = [int.from_bytes(places[:4], "little"), int.from_bytes(places[4:], "little")]
    first, second = (
        start % (table_size - length) for start, length in zip(starts, (version.first, SECOND), strict=True)
    )
    return Span(first, first + version.first), Span(second, second + SECOND)


def blocks(size: int, most: int) -> Iterator[Span]:
    """Yield the locked blocks of a file of ``size`` bytes, of which there are at most ``most``."""
    if size <= BLOCK:
        yield from [Span(0, size)] if size else []
        return
    count = min(max(SHARE * (size // BLOCK) // 100, LEAST), most)
    gap = (size - count * BLOCK) // (count - 1)
    end = 0
    for index in range(count - 1):
        start = end + gap if index else 0
        end = start + BLOCK
        yield Span(start, end)
    yield Span(max(size - BLOCK, end), size)


def plan(locked: Locked, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the blocks."""
    del mark
    table = key.parts["table"]
    first, second = windows(key.parts["places"], len(table))
    spans = list(blocks(locked.size, VERSIONS[len(table)].blocks))
    stream = np.resize(np.frombuffer(table, np.uint8)[second.start : second.end], sum(map(len, spans)))
    stream ^= np.resize(np.frombuffer(table, np.uint8)[first.start : first.end], len(stream))
    cipher = Xor(stream.tobytes() or bytes(1))
    return Plan(locked.size, pieces(locked.size, spans, cipher))


FAMILY = Family(
    name="hive3",
    title="Hive v3 and v4",
    extensions=(rf"\.{METADATA}{VICTIM}",),
    notes=(r"(?i)how_to_decrypt\.txt", r"[A-Za-z0-9]{4}_HOW_TO_DECRYPT\.txt"),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the key table of the run, 1 MiB (v3) or 3 MiB (v4), decrypted from its .key file"),
    references=(
        "https://github.com/rivitna/Malware/tree/main/Hive/hive_decrypt",
        "https://arxiv.org/abs/2202.08477",
    ),
    limitations=(
        "A renamed file carries no mark: the places in the key table are in its name only.",
        "The .key file itself, the table under the attackers' RSA keys, is not opened.",
        "v1 and v2 (a table of 10 MiB) have other windows, and names that are not documented in full.",
    ),
)
