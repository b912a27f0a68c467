"""Keystream: one key and nonce for several files, which makes all of them one keystream.

An original of one locked file gives the keystream as far as that file goes; it opens the beginning of all
others. Without any original the files vote: at each position the keystream is the byte under which all of
them have values that such content has. What the vote leaves open is not guessed: it stays lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec
import numpy as np

from unransom.catalog.schemes.described import Description, encoded
from unransom.catalog.schemes.extents import Whole
from unransom.catalog.schemes.family import PROVEN
from unransom.core.context import Context
from unransom.core.messages import Message, say
from unransom.core.records import Finding, KeyFound, Record
from unransom.core.searches import AttackPlan, Described, Searched, Secret, Shard, Target
from unransom.core.streams import Salvage
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.describing import Shape, shape_of, stream_key, stream_scheme
from unransom.recover.keys.opened import CHECKED, Opened, opened
from unransom.recover.keys.shared_stream import (
    ADDED,
    Member,
    Stream,
    added_around,
    clusters,
    from_pairs,
    members,
    voted,
)

NAME = "keystream"
LOOKED = 12  # samples in which a shared keystream is looked for
PAIRS = 64  # originals that are used
STREAMS = 8  # keystreams that are tried
JUDGED = 24  # files that a keystream is tried on
AGREED = 3  # files at least that say how many bytes were put behind them
EXTENDED = 6  # files that a longer keystream is voted on with, at least
SECONDS_OF_PAIR, SECONDS_OF_VOTE = 5.0, 60.0
LIKELY, POSSIBLE = 0.9, 0.3


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Say whether files show to be under one keystream."""
    if not target.proper:
        return None  # they are looked at among those of no family
    shape = shape_of(target.guess)
    shared = sum(map(len, clusters(members(target.samples[:LOOKED], shape, context))))
    if shared:
        why = say("the heads of {count} files are under one keystream", count=shared)
        seconds = SECONDS_OF_PAIR if target.pairs else SECONDS_OF_VOTE
        helps = say("one plain copy of a locked file, the larger the better")
        return _planned(target, LIKELY, seconds, why, None if target.pairs else helps)
    if target.pairs:
        why = say("an original of a locked file shows its keystream; other files are tried with it")
        return _planned(target, POSSIBLE if not target.family else POSSIBLE / 10, SECONDS_OF_PAIR, why)
    why = say(
        "no two of {count} files are under one keystream, as far as their heads show",
        count=len(target.samples[:LOOKED]),
    )
    return _planned(target, 0.0, 0.0, why, say("one plain copy of a locked file, the larger the better"))


def _planned(
    target: Target, chance: float, seconds: float, why: Message, helps: Message | None = None
) -> AttackPlan:
    return AttackPlan(
        attack=NAME,
        family=target.family,
        shards=1 if chance else 0,
        candidates=STREAMS if chance else 0,
        seconds=seconds,
        chance=chance,
        why=why,
        helps=helps,
    )


class _Trial(msgspec.Struct, frozen=True):
    """A keystream, the scheme that it is the key of, and what it opens."""

    stream: Stream
    scheme: Description
    best: Opened | None
    opens: int


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Take keystreams from originals and from votes; yield those that prove themselves."""
    target = shard.target
    shape = shape_of(target.guess)
    if target.guess is None and target.pairs:
        first = target.pairs[0]
        shape = Shape(tail=max(first.locked.size - first.plain.size, 0))
    if shape.extents == Whole():
        shape = added_around(target.pairs, target.samples, context) or shape
    found = members((*target.samples, *target.others), shape, context)
    streams = from_pairs(target.pairs[:PAIRS], shape, context)[:STREAMS]
    tried, proven = 0, False
    for stream in streams:
        tried += 1
        records = list(_proven(target, _improved(stream, shape, found, target, context), stream))
        yield from records
        proven = proven or bool(records)
    if not proven:  # there are no originals, or they are of other files
        for group in clusters(found)[:2]:
            tried += 1
            stream = voted(group)
            behind = _behind(stream, shape, found, target, context)
            if behind:
                shape = Shape(shape.extents, shape.head, shape.tail + behind)
                found = members((*target.samples, *target.others), shape, context)
            yield from _proven(target, _improved(stream, shape, found, target, context), stream)
    yield Searched(attack=NAME, family=target.family, item=0, shard=shard.number, candidates=tried)


def _behind(stream: Stream, shape: Shape, found: list[Member], target: Target, context: Context) -> int:
    """Return how many bytes stand behind what files are by their own structure, 0 where they disagree."""
    scheme = stream_scheme("stream", len(stream.data), shape, target.samples, repeats=False, partial=True)
    key = stream_key(stream.data, np.ones(len(stream.data), bool), NAME)
    lengths: Counter[int] = Counter()
    telling = [each for each in found if each.kind in CHECKED and len(each.data) <= len(stream.data)]
    for member in telling[:JUDGED]:
        with context.open(member.ref) as reader:
            result = opened(scheme.family(), Salvage(reader), key, member.name)
        if result and result.length and result.format == member.kind:
            lengths[len(result.content) - result.length] += 1
    ((length, count),) = lengths.most_common(1) or [(0, 0)]
    return length if count >= AGREED and length <= ADDED else 0


def _improved(stream: Stream, shape: Shape, found: list[Member], target: Target, context: Context) -> _Trial:
    """Return the keystream with what checksums prove, and with what files that are longer vote for."""
    trial = _checked(stream, shape, found, target, context)
    longer = [member for member in found if len(member.data) > len(stream.data)]
    if trial.opens and (len(longer) >= EXTENDED or not trial.stream.known.all()):
        trial = _checked(voted(found, trial.stream), shape, found, target, context)
    return trial


def _checked(stream: Stream, shape: Shape, found: list[Member], target: Target, context: Context) -> _Trial:
    """Return what ``stream`` opens; where a checksum holds, the bytes that were only likely are known."""
    known = stream.known.copy()
    scheme = stream_scheme("stream", len(known), shape, target.samples, repeats=False, partial=True)
    family = scheme.family()
    full = stream_key(stream.data, np.ones(len(known), bool), NAME)
    for member in found:
        covered = known[: len(member.data)]
        if len(member.data) <= len(known) and not covered.all():
            with context.open(member.ref) as reader:
                result = opened(family, Salvage(reader), full, member.name)
            if result and result.checked:
                known[: len(member.data)] = True
    key = stream_key(stream.data, known, NAME)
    best: Opened | None = None
    opens = 0
    for member in found[:JUDGED]:
        with context.open(member.ref) as reader:
            result = opened(family, Salvage(reader), key, member.name)
        if result and result.holds:
            opens += 1
            best = result if best is None or result.bits > best.bits else best
    return _Trial(msgspec.structs.replace(stream, known=known), scheme, best, opens)


def _proven(target: Target, trial: _Trial, origin: Stream) -> Iterator[Record]:
    """Yield the keystream where originals agree on it, or another file proves it."""
    share = float(trial.stream.known.mean())
    if origin.files > 1 and 8 * origin.overlap >= PROVEN and origin.known.all():
        bits = 8 * origin.overlap
        why = say("{count} originals show the same keystream", count=origin.files)
    elif trial.best is not None and (trial.opens > 1 or not target.pairs):
        bits = trial.best.bits
        why = say("it opens {count} files; {why}", count=trial.opens, why=trial.best.why)
    else:
        return
    key = stream_key(trial.stream.data, trial.stream.known, NAME)
    yield Described(family=target.family, description=encoded(trial.scheme))
    yield KeyFound(family=trial.scheme.name, fingerprint=key.fingerprint, bits=bits, proof=why, attack=NAME)
    yield Secret(family=trial.scheme.name, key=key)
    yield Finding(
        kind="keystream",
        item=target.family,
        what=say(
            "of {bytes} bytes of keystream {percent} percent are known; the others stay lost",
            bytes=len(trial.stream.data),
            percent=round(100 * share, 1),
        ),
    )


ATTACK = Attack(
    name=NAME,
    title=say("One keystream for several files"),
    weakness="T1",
    plan=plan,
    search=search,
    references=(
        "https://www.crowdstrike.com/blog/decrypting-notpetya-tools-for-recovering-your-mft-after-an-attack/",
    ),
    limitations=(
        "Without any original the beginning of files is voted on, by content that is not compressed.",
    ),
)
