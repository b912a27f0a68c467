"""What Proton and Shinra share: two levels of X25519 with BLAKE3, and places by the file's size."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Collection, Iterator, Sequence

from unransom.catalog.schemes.choose import SAMPLE, choose
from unransom.catalog.schemes.extents import pieces
from unransom.catalog.schemes.family import Decryptor, Mark, Plan
from unransom.catalog.schemes.layout import Tail
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.crypto.agreement import POINT_BITS, is_x25519_public
from unransom.crypto.ciphers.at_once import decrypted
from unransom.crypto.noise import is_noise

# Bytes from which a file with a listed extension has twice as many places or more, and how many.
LISTED_SIZES = (0x600000, 0x3200000, 0x6400000, 0x1F400000, 0x80000000, 0x300000000, 0x600000000)
LISTED_PLACES = (4, 16, 32, 64, 128, 256, 512, 1024)

_LISTED = """
    rar zip ckp db3 dbf dbc dbs dbt dbv frm mdf mrg mwb myd ndf qry sdb sdf sql tmd wdb bz2 tgz lzo db 7z
    sqlite accdb sqlite3 sqlitedb db-wal db-shm dacpac
"""
_LISTED_LATER = "1c 1cd vmdk vmem iso tar fdb csv mdb sl2 mpd rsd tib"
LISTED = frozenset(_LISTED.split())  # extensions, lower case
LISTED_LATER = LISTED | frozenset(_LISTED_LATER.split())  # those of Shinra


def listed_places(size: int) -> int:
    """Return in how many places a file of ``size`` bytes with a listed extension is locked."""
    return LISTED_PLACES[bisect.bisect_right(LISTED_SIZES, size)]


def session_mark(tail: Tail, locked: Reader) -> Mark | None:
    """Return the mark of a tail with two X25519 keys, of which nothing but that they are such is fixed."""
    mark = tail(locked)
    if mark is None or not is_noise(b"".join(mark.fields.values())):
        return None
    if not all(is_x25519_public(mark.fields[name]) for name in ("public", "session public")):
        return None
    return Mark(bits=2 * POINT_BITS, fields=mark.fields, plain_size=mark.plain_size, wrapped=mark.wrapped)


def in_places(
    locked: Reader,
    size: int,
    places: tuple[Sequence[Span], Sequence[Span]],
    start: Callable[[int], Decryptor],
    extensions: Collection[str],
    name: bytes | None,
) -> Plan:
    """Return the plan for a large file; which places are locked is seen from what is plain, or from the name.

    Args:
        locked: The locked file.
        size: Bytes of the original.
        places: Those of most files, and those of files with one of ``extensions``; one stream is over them.
        start: Takes how many bytes of the stream are used; returns a decryptor there.
        extensions: Lower case, without the dot.
        name: The original's, None where it is not known.
    """
    usual, listed = places

    def opened(place: int, sample: bytes) -> bytes:
        used = 0
        for span in listed:
            if span.start <= place < span.end:
                break
            used += len(span)
        return decrypted(start(used + place - span.start), sample)

    return choose(
        locked,
        lambda: Plan(size, pieces(size, usual, start(0))),
        lambda: Plan(size, pieces(size, listed, start(0))),
        _between(usual, listed),
        opened,
        extensions,
        name,
    )


def _between(usual: Sequence[Span], listed: Sequence[Span]) -> Iterator[int]:
    """Yield places in the middle of the listed spans that no usual span touches."""
    for span in listed:
        middle = (span.start + span.end) // 2
        if middle + SAMPLE <= span.end and all(
            middle + SAMPLE <= other.start or other.end <= middle for other in usual
        ):
            yield middle
