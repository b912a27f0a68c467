"""Keys that a locker of no known family drew from a generator seeded with the time of day.

Any generator, any way to draw a key, any cipher, for the seconds around the time when a file was locked. The
file is taken to be locked from its first byte on, or behind an IV of one block.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from unransom.core.context import Context
from unransom.core.messages import say
from unransom.core.records import FileRef, Record
from unransom.core.searches import AttackPlan, Searched, Shard, Target
from unransom.core.spans import Span
from unransom.core.streams import Salvage
from unransom.crypto.search.recipe import Recipe
from unransom.crypto.search.usual import recipes
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.drawing import hits, proven

NAME = "drawn"
CLOCK = "unix"
BEHIND, AHEAD = 7 * 86400, 3600  # seconds around the time of a file
AT_ONCE = 10  # recipes of a shard
SECONDS = 0.62  # of one core, for a shard
SLIM = 0.01
NANOSECONDS = 1_000_000_000


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Return the cost for files of no known family whose times are known."""
    del context
    if target.family:
        return None
    count, seconds = len(recipes(CLOCK)), BEHIND + AHEAD
    timed = any(ref.modified for ref in target.samples)
    shards = -(-count // AT_ONCE) if timed else 0
    return AttackPlan(
        attack=NAME,
        family="",
        each=True,
        shards=shards,
        candidates=seconds * count if timed else 0,
        seconds=SECONDS * shards,
        chance=SLIM if timed else 0.0,
        why=say(
            "its key may be drawn from a clock: {count} ways to draw it, {seconds} seconds around its time",
            count=count,
            seconds=seconds,
        ),
        helps=say("the family, the locker's program, or the time to the minute"),
    )


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Try the recipes of ``shard`` on its file."""
    tried = 0
    (ref,) = shard.target.samples[:1]
    with context.open(ref) as reader:
        locked = Salvage(reader, ref.name)
        for number, recipe, seeds in _work(shard, ref):
            found, count = hits(recipe, seeds, locked, ref)
            tried += count
            for each in found:
                yield from proven(NAME, recipe, number, each, locked, shard.target, ref)
    yield Searched(attack=NAME, family=shard.target.family, item=ref.id, shard=shard.number, candidates=tried)


def _work(shard: Shard, ref: FileRef) -> Iterator[tuple[int, Recipe, Span]]:
    """Yield the recipes of ``shard`` with numbers and seeds; in shard 0, those that solved neighbours."""
    every = recipes(CLOCK)
    second = (ref.modified or 0) // NANOSECONDS
    if not shard.number:
        for _, clue in shard.target.clues:
            number, seed = json.loads(clue)
            yield number, every[number], Span(max(seed - BEHIND, 0), seed + BEHIND)
    elif second:
        start = (shard.number - 1) * AT_ONCE
        for number, recipe in enumerate(every[start : start + AT_ONCE], start):
            yield number, recipe, Span(max(second - BEHIND, 0), second + AHEAD)


ATTACK = Attack(
    name=NAME,
    title="Keys drawn with the time of day by a locker that is not known",
    weakness="T5",
    plan=plan,
    search=search,
    references=("https://arxiv.org/abs/2402.06440",),
    limitations=(
        "The file is locked from its first byte on, or behind an IV of one block.",
        "Seeds in milliseconds and nanoseconds since 1970 are not tried.",
    ),
)
