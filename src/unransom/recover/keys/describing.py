"""Makes of what an attack found out a described family, so that unlock opens files with it as it is."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.catalog.schemes.described import Description
from unransom.catalog.schemes.extents import Extents, Whole
from unransom.catalog.schemes.family import NAMED, Family
from unransom.catalog.schemes.known import KnownStream, bitmap_of
from unransom.catalog.schemes.layout import Field, Head, Tail
from unransom.catalog.schemes.plans import EachSpan, OneStream
from unransom.catalog.schemes.wraps import RunKey
from unransom.core.keys import Key, KeyKind
from unransom.core.records import FileRef
from unransom.core.searches import SchemeGuess
from unransom.core.streams import Salvage


class Shape(msgspec.Struct, frozen=True):
    """Where in a locked file the bytes are that a keystream locks.

    Attributes:
        extents: Of the original.
        head, tail: Bytes that the locker put before and behind the original's.
    """

    extents: Extents = Whole()
    head: int = 0
    tail: int = 0


def stream_scheme(
    kind: str,
    length: int,
    shape: Shape,
    refs: Iterable[FileRef],
    *,
    repeats: bool,
    partial: bool,
    anew: int = 0,
) -> Description:
    """Return the description of files that are under a keystream.

    Args:
        kind: First word of its name.
        length: Bytes of the keystream.
        shape: Where it locks.
        refs: Files that it was found on.
        repeats: Whether it begins again at its end.
        partial: Whether a key says, behind the keystream, which bytes of it are known.
        anew: Locked bytes after which it begins anew, wherever it is by then; 0 where it never does.
    """
    parts = {"key": (0, length)} | ({"known": (length, length + -(-length // 8))} if partial else {})
    plan = KnownStream(
        extents=shape.extents,
        known="known" if partial else "",
        repeats=repeats,
        anew=anew,
        skip=shape.head,
    )
    unnamed = Description(
        name=kind,
        extensions=extensions_of(refs),
        head=Head((Field("head", shape.head),)) if shape.head else None,
        tail=Tail((Field("tail", shape.tail),)) if shape.tail else None,
        wrap=RunKey(parts, sizes=(max(end for _, end in parts.values()),)),
        plan=plan,
    )
    digest = hashlib.sha256(msgspec.json.encode(unnamed)).hexdigest()[:8]
    return msgspec.structs.replace(unnamed, name=f"{kind}-{length}-{digest}")


def stream_key(stream: NDArray[np.uint8], known: NDArray[np.bool_] | None, origin: str) -> Key:
    """Return a keystream as the key that ``stream_scheme`` describes."""
    data = stream.tobytes() if known is None else (stream * known).tobytes() + bitmap_of(known)
    return Key(KeyKind.RAW, data, origin)


def extensions_of(refs: Iterable[FileRef]) -> tuple[str, ...]:
    """Return the pattern of what a locker added to most of the names, none where it added nothing."""
    added = Counter(
        ref.path[len(ref.original) :] for ref in refs if ref.original and ref.path.startswith(ref.original)
    )
    if not added:
        return ()
    suffix = added.most_common(1)[0][0]
    try:
        return (re.escape(suffix.decode("utf-8")),) if suffix else ()
    except UnicodeDecodeError:
        return ()


def is_named(family: Family, locked: Salvage) -> bool:
    """Return whether ``locked`` carries a mark that names ``family`` for sure."""
    mark = family.read(locked)
    return mark is not None and mark.bits >= NAMED


def shape_of(guess: SchemeGuess | None) -> Shape:
    """Return where files are locked, as far as their comparison with originals tells."""
    if guess is None or not guess.description:
        return Shape()
    plan = msgspec.json.decode(guess.description, type=Description).plan
    extents = plan.extents if isinstance(plan, OneStream | EachSpan | KnownStream) else Whole()
    return Shape(extents, guess.head, guess.tail)
