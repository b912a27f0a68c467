"""Finds the 64 bytes that Black Basta's standing keystream locks again and again, from the file alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np

from unransom.catalog.families.blackbasta import CHUNK, STEP, repeated
from unransom.core.messages import Message, say
from unransom.core.spans import Span
from unransom.core.streams import Salvage
from unransom.crypto.search.keystream.chunks import between_zeros, modal
from unransom.crypto.search.keystream.voting import Bytes, votes

WINDOW = 1 << 13  # locked places that are looked at at once
WINDOWS = 256  # of them at most, spread over the file
ENOUGH = 64  # places between zeros that say the same
LEAST = 8  # fewer of them may be chance
SAME = 0.5  # share of the places between zeros that must be the same
VOTERS = 1 << 12  # places that vote
PROOF = 64  # bits at least that a chunk proves which stands among zeros again and again


class Standing(msgspec.Struct, frozen=True):
    """The 64 bytes.

    Attributes:
        chunk: They.
        bits: Strength of the proof by where they stand.
        why: That proof.
    """

    chunk: bytes
    bits: int
    why: Message


def standing(locked: Salvage, size: int) -> Iterator[Standing]:
    """Yield what may be the 64 bytes of keystream of an original of ``size`` bytes, the surest first."""
    places, step = repeated(size)
    seen: list[Bytes] = []
    count = (len(places) - CHUNK) // step + 1 if len(places) else 0
    for steps in _windows(locked, places, step, count):
        seen.append(between_zeros(steps, CHUNK))
        found = modal(np.concatenate(seen))
        if found and found.times >= ENOUGH and found.times >= SAME * found.of:
            break
    found = modal(np.concatenate(seen)) if seen else None
    if found and found.times >= LEAST and found.times >= SAME * found.of:
        why = say(
            "the same {bytes} bytes stand at {count} of {of} places that lie among zeros",
            bytes=CHUNK,
            count=found.times,
            of=found.of,
        )
        yield Standing(found.chunk, PROOF * min(found.times - 1, CHUNK), why)
    yield from _voted(locked, places, step, count)


def _voted(locked: Salvage, places: Span, step: int, count: int) -> Iterator[Standing]:
    """Yield what the content around the places speaks for."""
    rows = list(_windows(locked, places, step, count, -(-VOTERS // WINDOWS)))
    every = np.concatenate(rows) if rows else np.empty((0, STEP), np.uint8)
    if len(every) < LEAST:
        return
    key, *halves = (_vote(every[part]) for part in (slice(None), slice(0, None, 2), slice(1, None, 2)))
    agreed = key.sure and all(half.sure and half.chunk == key.chunk for half in halves)
    yield Standing(
        key.chunk,
        8 * CHUNK if agreed else 0,
        say("two halves of the file, each by itself, speak for the same {bytes} bytes", bytes=CHUNK),
    )


class _Half(NamedTuple):
    chunk: bytes
    sure: bool


def _vote(rows: Bytes) -> _Half:
    """Return what rows of a locked chunk and plain bytes behind it speak for."""
    plain = dict.fromkeys(range(CHUNK, STEP), 0)
    found = next(votes([rows.ravel()], STEP, plain))
    return _Half(found.key[:CHUNK].tobytes(), bool(found.known[:CHUNK].all()))


def _windows(locked: Salvage, places: Span, step: int, count: int, each: int = WINDOW) -> Iterator[Bytes]:
    """Yield rows of a locked chunk and the 128 bytes behind it, for up to ``each`` places in turn."""
    total = -(-count // each)
    for index in range(0, total, max(-(-total // WINDOWS), 1)):
        first = places.start + index * each * step
        rows = min(each, count - index * each)
        if step == STEP:
            data = np.frombuffer(locked.read_at(first, rows * step), np.uint8)
            yield data[: len(data) // STEP * STEP].reshape(-1, STEP)
        else:
            read = [locked.read_at(first + row * step, STEP) for row in range(rows)]
            yield np.frombuffer(b"".join(one for one in read if len(one) == STEP), np.uint8).reshape(-1, STEP)
