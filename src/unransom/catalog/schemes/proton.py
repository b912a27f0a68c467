"""What Proton and Shinra share: two levels of X25519 with BLAKE3, and places by the file's size."""

from __future__ import annotations

import bisect

from unransom.catalog.schemes.family import Mark
from unransom.catalog.schemes.layout import Tail
from unransom.core.streams import Reader
from unransom.crypto.agreement import POINT_BITS, is_x25519_public
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
