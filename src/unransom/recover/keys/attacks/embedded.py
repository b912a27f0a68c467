"""Static keys: those in the locker's program, in memory, and those that were given, tried on unnamed files.

A locker that nobody knows mostly uses a common cipher in a common way. Every key that was given or lies in
the library, in dumps, programs and other leftovers is tried in these ways; a program's texts are besides
tried as passwords that the key is the digest of. A key counts when whole files prove it.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from unransom.catalog.oracle import heads
from unransom.catalog.schemes.described import encoded
from unransom.core.context import Context
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message, say
from unransom.core.records import FileRef, Record
from unransom.core.searches import AttackPlan, Described, Searched, Shard, Stage, Target
from unransom.core.streams import Salvage
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.common_ways import LONGEST_IV, WAYS, Way
from unransom.recover.keys.dumps import (
    BYTES_PER_SECOND,
    DECAY,
    STEP,
    TINY,
    Piece,
    keys_in,
    piece,
    pieces_of,
    windows_of,
)
from unransom.recover.keys.trial import tried

NAME = "embedded"
SURE = 64  # bits from which something in a large dump is tried
SIZES = (32, 16, 24)
LEAST = 24  # bits of the head of a format that a key must give before it is tried in full
LOOKED = 4  # files that keys are tried on
HEAD, TAIL = 96, 64  # bytes of them
PROGRAM = 1 << 19  # bytes of a program in which every place is tried that looks random
TEXTS = 1 << 14
SLIGHT = 1e-6  # chance where there is nothing to try
SPEED = 5000.0  # keys that a core tries in all ways in a second
TEXT = re.compile(rb"[\x20-\x7e]{6,64}")
WIDE = re.compile(rb"(?:[\x20-\x7e]\0){6,64}")


class _Sample(NamedTuple):
    ref: FileRef
    head: bytes
    end: bytes
    cribs: tuple[tuple[int, bytes], ...]


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Return the cost of all keys that there are, on files of no known family."""
    if target.family:
        return None
    given, pieces = sum(1 for _ in _given(context)), pieces_of(target.dumps)
    if not given and not pieces and not target.left:
        return AttackPlan(
            attack=NAME,
            family="",
            why=say("neither the locker's program nor memory nor any key was given to try"),
            helps=say("the locker's program: what stands in it may be the key, or the password to it"),
        )
    first, second = (_cost(given, target.dumps, PROGRAM), _cost(0, target.left, TINY))
    stages = (
        Stage(1 + pieces, first.seconds, 0.1 if given or pieces else SLIGHT),
        Stage(len(target.left), second.seconds, 0.02),
    )
    return AttackPlan(
        attack=NAME,
        family="",
        shards=1 + pieces + len(target.left),
        candidates=first.candidates + second.candidates,
        seconds=first.seconds + second.seconds,
        chance=max(stage.chance for stage in stages if stage.shards),
        why=say(
            "{keys} keys and {count} files that may hold some are there to try",
            keys=given,
            count=len(target.dumps) + len(target.left),
        ),
        stages=tuple(stage for stage in stages if stage.shards),
    )


class _Cost(NamedTuple):
    candidates: int
    seconds: float


def _cost(given: int, dumps: tuple[FileRef, ...], largest: int) -> _Cost:
    """Return about what it takes to try ``given`` keys and what ``dumps`` hold."""
    small = (dump.size for dump in dumps if dump.size <= largest)
    candidates = given + sum(2 * each // STEP for each in small)
    return _Cost(candidates, candidates / SPEED + sum(dump.size for dump in dumps) / BYTES_PER_SECOND)


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Try the keys that were given, in shard 1, or those in a piece of a dump, or of what was left."""
    target, count = shard.target, 0
    samples = [_sample(ref, context) for ref in target.samples[:LOOKED]]
    samples = [each for each in samples if each.cribs]
    if shard.number == 1:
        keys: Iterable[tuple[Key, Message]] = _given(context)
    else:
        number, pieces = shard.number - 2, pieces_of(target.dumps)
        part = piece((*target.dumps, *target.left), number, context)
        keys = _in(part, PROGRAM if number < pieces else TINY)
    for key, where in keys if samples else ():
        count += 1
        for way in _fitting(key.data, samples):  # some are the same for the first block of a file
            found = _proven(key, way, where, target, context)
            yield from found
            if found:
                break
    yield Searched(attack=NAME, family="", item=0, shard=shard.number, candidates=count)


def _given(context: Context) -> Iterator[tuple[Key, Message]]:
    """Yield the keys that were given, and those of the library."""
    for key in context.keys:
        if key.kind is KeyKind.RAW and min(SIZES) <= len(key.data) <= max(SIZES) + LONGEST_IV:
            yield key, say("given as {origin}", origin=key.origin)


def _in(part: Piece, largest: int) -> Iterator[tuple[Key, Message]]:
    """Yield what may be a key in a piece: what shows itself as one; in small files, nearly everything.

    Args:
        part: The piece.
        largest: Bytes of a file in which every place is tried that looks random.
    """
    from unransom.crypto.search.memory import Clues  # noqa: PLC0415 numba is slow to load

    for key, bits, why in keys_in(part, Clues(guesses=part.small, wrong_bits=DECAY)):
        if key.kind is KeyKind.RAW and (bits >= SURE or part.small):
            yield key, _placed(key, why)
    if part.small:
        yield from _texts(part)
    if part.dump.size <= largest:
        for key, why in windows_of(part, STEP, LONGEST_IV).items():
            yield key, _placed(key, why)


def _placed(key: Key, what: Message) -> Message:
    return say("at {place}: {what}", place=key.origin, what=what)


def _texts(part: Piece) -> Iterator[tuple[Key, Message]]:
    """Yield the texts of a program as keys, and their digests."""
    found = [each[0] for each in TEXT.finditer(part.data)]
    found += [each[0][::2] for each in WIDE.finditer(part.data)]
    for text in list(dict.fromkeys(found))[:TEXTS]:
        origin = part.dump.name.decode("utf-8", "replace")
        where = say("a text in {file}", file=origin)
        if len(text) in SIZES:
            yield Key(KeyKind.RAW, text, origin), where
        for digest in (hashlib.sha256, hashlib.md5):
            yield Key(KeyKind.RAW, digest(text).digest(), origin), where


def _sample(ref: FileRef, context: Context) -> _Sample:
    with context.open(ref) as reader:
        locked = Salvage(reader, ref.name)
        head, end = locked.read_at(0, HEAD), locked.read_at(max(locked.size - TAIL, 0), TAIL)
    known = heads(ref.original or ref.path, LEAST, 48)
    return _Sample(ref, head, end, tuple((each.offset, each.data) for each in known))


def _fitting(data: bytes, samples: list[_Sample]) -> Iterator[Way]:
    """Yield the ways in which a key opens the head of a file to that of a format."""
    for way in WAYS:
        if way.takes(len(data)) and any(_opens(data, way, each) for each in samples):
            yield way


def _opens(data: bytes, way: Way, sample: _Sample) -> bool:
    opened = way.head(data, sample.head, sample.end)
    return any(opened.startswith(known, offset) for offset, known in sample.cribs)


def _proven(key: Key, way: Way, where: Message, target: Target, context: Context) -> list[Record]:
    """Return the records of a key that whole files prove, none where they do not."""
    for padded in (True, False) if way.padded else (False,):
        description = way.described(len(key.data), target.samples, padded=padded)
        records = list(
            tried(key, description.family(), target.samples, context, NAME, functools.partial(_told, where))
        )
        if records:
            return [Described(family=target.family, description=encoded(description)), *records]
    return []


def _told(where: Message, why: Message) -> Message:
    return say("{where}; {why}", where=where, why=why)


ATTACK = Attack(
    name=NAME,
    title=say("Static keys of a locker that is not known"),
    weakness="T7",
    plan=plan,
    search=search,
    references=("https://www.trustwave.com/en-us/resources/blogs/spiderlabs-blog/",),
    limitations=(
        "The file is locked from its first byte on, or behind an IV.",
        "In programs of more than 512 KiB, and in files of the evidence of more than 8 KiB, only texts and"
        " written keys are tried, not all bytes.",
        "Keys that a password hash with rounds makes of a text are not tried.",
    ),
)
