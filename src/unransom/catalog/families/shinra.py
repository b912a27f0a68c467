"""Shinra (OPIX): AES-256-CTR over places by size and extension, metadata in boxes of X25519 and BLAKE3.

    metadata 584 under ChaCha20-Poly1305   tag 16   nonce 12   X25519 public key of the file 32
    key pair of the session 64, in the same way   tag 16   nonce 12   X25519 public key 32

The metadata: key 32, counter 16, u64 bytes of the original, u32 multiple that places lie on, and the
name in UTF-16. The locked original is filled up to that multiple.
"""

from __future__ import annotations

import bisect
import struct

import msgspec

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.extents import pieces
from unransom.catalog.schemes.family import BadMarkError, Family, FileKey, Mark, Plan
from unransom.catalog.schemes.layout import Field, Tail
from unransom.catalog.schemes.proton import LISTED_LATER, in_places, listed_places, session_mark
from unransom.catalog.schemes.wraps import X25519, AgreedBox, TwoLevel
from unransom.core.keys import KeyKind
from unransom.core.messages import say
from unransom.core.paths import base_name
from unransom.core.spans import Span
from unransom.core.streams import Reader

TAIL = Tail(
    (
        Field("metadata", 584),
        Field("tag", 16),
        Field("nonce", 12),
        Field("public", 32),
        Field("session", 64),
        Field("session tag", 16),
        Field("session nonce", 12),
        Field("session public", 32),
    ),
    wrapped="session",
)
CIPHER = Cipher("aes-ctr")
SMALL = 0x70000  # bytes up to which all of a file is locked
BLOCK = 0x15000
MOST_FILL = 1 << 20  # bytes of the multiple

# Bytes from which a file without a listed extension has more places, and how many.
SIZES = (0x1E00000, 0xC800000, 0x1F400000, 0x40000000, 0x80000000)
PLACES = (3, 4, 5, 8, 12, 16)


def _box(name: str, prefix: str, parts: dict[str, tuple[int, int]]) -> AgreedBox:
    """Return the box in field ``name``, whose other fields' names begin with ``prefix``."""
    agreed = X25519(f"{prefix}public", "blake3", {"key": (0, 32)}, ("secret", "own", "public"))
    return AgreedBox(agreed, sealed=name, parts=parts, tag=f"{prefix}tag", nonce=f"{prefix}nonce")


UNWRAP = TwoLevel(
    master=_box("session", "session ", {"private": (0, 32), "public": (32, 64)}),
    session=_box("metadata", "", {"key": (0, 32), "iv": (32, 48), "numbers": (48, 60), "name": (60, 584)}),
    public="public",
)


def read(locked: Reader) -> Mark | None:
    """Return the mark; the original's size is not in clear."""
    mark = session_mark(TAIL, locked)
    return mark and msgspec.structs.replace(mark, plain_size=None)


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the places; which of them is seen from the content, or the name."""
    del mark
    size, multiple = struct.unpack("<QI", key.parts["numbers"])
    if size > locked.size - TAIL.size or not 0 < multiple <= MOST_FILL:
        raise BadMarkError(say("the sizes in the metadata do not fit the file"))
    name = _name(key.parts["name"])
    usual, listed = (spots(size, multiple, listed=listed) for listed in (False, True))
    if usual == listed:
        return Plan(size, pieces(size, usual, CIPHER.start(key)), name)
    made = in_places(locked, size, (usual, listed), lambda used: CIPHER.start(key, used), LISTED_LATER, name)
    return msgspec.structs.replace(made, name=name)


def spots(size: int, multiple: int, *, listed: bool) -> list[Span]:
    """Return the locked spans: at even distances that ``multiple`` divides."""
    if size <= SMALL:
        return [Span(0, size)] if size else []
    places = listed_places(size) if listed else PLACES[bisect.bisect_right(SIZES, size)]
    step = -(-(size // places) // multiple) * multiple
    starts = [index * step for index in range(places) if index * step < size]
    return [Span(start, min(start + BLOCK, size)) for start in starts]


def _name(data: bytes) -> bytes | None:
    text = data.decode("utf-16-le", "replace").partition("\0")[0]
    return base_name(text.encode()) or None


FAMILY = Family(
    name="shinra",
    title="Shinra",
    aliases=("opix",),
    extensions=(r"\.(?i:opix|shinra\d?)",),
    notes=(r"(?i)#?shinrarecovery\.txt", r"(?i)#opix-help\.txt"),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=UNWRAP,
    plan=plan,
    wanted=say("the X25519 private key of the attacker, 32 bytes, or that of the session"),
    references=("https://github.com/rivitna/Malware/tree/main/Proton",),
    limitations=("Without a key only that two public keys are such can be checked.",),
)
