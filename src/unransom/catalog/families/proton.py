"""Proton: XChaCha20 over three places of a file, or four to 1024 where its extension is listed.

    nonce 24   X25519 public key of the file 32
    key pair of the session under XChaCha20-Poly1305 without its tag 64   nonce 24   X25519 public key 32

The key of either level is BLAKE3 over the shared secret, the public key in the file and the other one.
"""

from __future__ import annotations

import msgspec

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.edges import areas_bits
from unransom.catalog.schemes.extents import pieces
from unransom.catalog.schemes.family import Family, FileKey, Locked, Mark, Plan
from unransom.catalog.schemes.layout import Field, Tail
from unransom.catalog.schemes.proton import LISTED, in_places, listed_places, session_mark
from unransom.catalog.schemes.wraps import X25519, AgreedBox, TwoLevel
from unransom.core.keys import KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import Reader

TAIL = Tail(
    (
        Field("nonce", 24),
        Field("public", 32),
        Field("session", 64),
        Field("session nonce", 24),
        Field("session public", 32),
    ),
    wrapped="session",
)
CIPHER = Cipher("chacha", counter=1)  # block 0 would be for a tag, which is not kept
SMALL = 0x180000  # bytes up to which all of a file is locked
BLOCK = 0x40000
USUAL_PLACES = 3


def _agreed(public: str) -> X25519:
    return X25519(public, "blake3", {"key": (0, 32)}, ("secret", "public", "own"))


UNWRAP = TwoLevel(
    master=AgreedBox(
        _agreed("session public"),
        sealed="session",
        parts={"private": (0, 32), "public": (32, 64)},
        nonce="session nonce",
        cipher="xchacha20-poly1305",
    ),
    session=_agreed("public"),
    public="public",
)


def read(locked: Reader) -> Mark | None:
    """Return the mark: two public keys, and as many bits as the edges of the places give away."""
    mark = session_mark(TAIL, locked)
    if mark is None or mark.plain_size is None:
        return None
    size = mark.plain_size
    ways = [spots(size, places) for places in (USUAL_PLACES, listed_places(size))] if size > SMALL else []
    shown = [areas_bits(locked, way, size) for way in ways or [[Span(0, size)]]]
    bits = max((each for each in shown if each is not None), default=None)
    return None if bits is None else msgspec.structs.replace(mark, bits=mark.bits + bits)


def plan(locked: Locked, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the places; how many is seen from what is plain with either number, or from the name."""
    size = mark.plain_size or 0
    parts = FileKey({**key.parts, "iv": mark.fields["nonce"]})
    if size <= SMALL:
        spans = [Span(0, size)] if size else []
        return Plan(size, pieces(size, spans, CIPHER.start(parts)))
    places = spots(size, USUAL_PLACES), spots(size, listed_places(size))
    name = FAMILY.original_name(locked.name)
    return in_places(locked, size, places, lambda used: CIPHER.start(parts, used), LISTED, name)


def spots(size: int, places: int) -> list[Span]:
    """Return the locked spans of a large file: at even distances, the last one at its end."""
    step = size // places
    starts = [*range(0, step * (places - 1), step), size - BLOCK]
    return [Span(start, start + BLOCK) for start in starts]


FAMILY = Family(
    name="proton",
    title="Proton",
    extensions=(r"\.\[[^\]/]+\]\.(?i:proton|kigatsu|zola|ripa|swift|hentai|ducky|harward)",),
    notes=(r"(?i)readme\.txt", r"#Zola\.txt"),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=UNWRAP,
    plan=plan,
    wanted=say("the X25519 private key of the attacker, 32 bytes, or that of the session"),
    references=("https://github.com/rivitna/Malware/tree/main/Proton",),
    limitations=(
        "A session's own key is proven on files whose format is known.",
        "Whether a large file of compressed content that was renamed has the places of a listed extension "
        "is decided by its format, above 256 MiB by how it begins.",
    ),
)
