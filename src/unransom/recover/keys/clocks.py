"""Searches for keys that lockers of no known family drew from a generator seeded with a clock.

A clock says how many ticks it makes in a second, in which ways keys are drawn with it, and in which *windows*
around the time of a file its seeds lie, the likeliest first. Every window is a stage of the search: all ways
on all of its seeds, cut into shards of about the same size.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Literal

import msgspec

from unransom.core.context import Context
from unransom.core.messages import Message
from unransom.core.records import FileRef, Record
from unransom.core.searches import AttackPlan, Searched, Shard, Stage, Target
from unransom.core.spans import Span
from unransom.core.streams import Salvage
from unransom.crypto.generators import generator
from unransom.crypto.search.recipe import Place, Recipe
from unransom.crypto.search.usual import likely, plain, recipes
from unransom.recover.keys.drawing import Found, given, hits, proven
from unransom.recover.keys.neighbours import SECOND, suggested

SHARD = 1 << 23  # seeds, all ways together: about a second of a core
SAME = 8  # different seeds of neighbours by one way that are tried on a file as they are
NARROW = 10  # seconds on both sides of where a neighbour's seed says
DRAWING, OPENING, OPENING_RC4 = 1.5, 50e-9, 470e-9  # times eight outputs; seconds of a core for each key


class Window(msgspec.Struct, frozen=True):
    """Seeds that are tried one after the other.

    Attributes:
        start, end: In ticks after the time of the file, or seeds themselves.
        share: Of the attack's chance.
        ways: Which ways are tried there: the ``plain`` ones, the ``other`` likely ones, all that are
            ``likely``, or the ``rare`` ones.
    """

    start: int
    end: int
    share: float
    ways: Literal["plain", "other", "likely", "rare"] = "likely"


class Clock(msgspec.Struct, frozen=True):
    """What a seed is taken from.

    Attributes:
        name: Of the attack.
        ways: Which of the usual recipes are drawn with it.
        windows: The likeliest for their size first; none holds seeds of another with the same ways.
        near: Ticks on both sides of a neighbour's seed.
        chance: That it finds the key of a file of which nothing is known.
        per_second: Its ticks in a second; 0 where its seeds do not grow with time.
        since_1970: The time of a file tells what it showed; else windows are seeds themselves.
        why: Takes how many ways there are; says what speaks for the attack.
        helps: What more input would help most.
    """

    name: str
    ways: str
    windows: tuple[Window, ...]
    near: int
    chance: float
    per_second: int
    since_1970: bool
    why: Callable[[int], Message]
    helps: Message

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """The ways to draw a key, the likely ones first."""
        return recipes(self.ways)

    def tried(self, window: Window) -> range:
        """Return the numbers of the ways that are tried in ``window``."""
        every, first, few = len(self.recipes), len(likely(self.ways)), len(plain(self.ways))
        start = {"other": few, "rare": first}.get(window.ways, 0)
        return range(start, {"plain": few, "rare": every}.get(window.ways, first))


class _Parts:
    """How a window is cut: several ways to a shard, or several shards to a way.

    Attributes:
        shards: How many there are.
    """

    def __init__(self, window: Window, ways: range) -> None:
        self._window = window
        self._ways = ways
        length = window.end - window.start
        self._together = max(1, SHARD // length)  # ways of a shard
        self._groups = -(-len(ways) // self._together)
        self.shards = self._groups * -(-length // SHARD)

    def of(self, number: int) -> tuple[range, Window]:
        """Return the ways that shard ``number`` tries, from 0 on, and the ticks: all ways before the next."""
        piece, group = divmod(number, self._groups)
        first = group * self._together
        start = self._window.start + piece * SHARD
        end = min(start + SHARD, self._window.end)
        ticks = msgspec.structs.replace(self._window, start=start, end=end)
        return self._ways[first : first + self._together], ticks


def plan(clock: Clock, target: Target, context: Context) -> AttackPlan | None:
    """Return the cost for files of no known family; it has no shards where times are needed and not known."""
    del context
    if target.family:
        return None
    timed = not clock.since_1970 or any(ref.modified for ref in target.samples)
    windows = clock.windows if timed else ()
    stages = tuple(
        Stage(
            shards=_Parts(window, clock.tried(window)).shards,
            seconds=sum(len(seeds) * _cost(recipe) for recipe, seeds in _pairs(clock, window)),
            chance=clock.chance * window.share,
        )
        for window in windows
    )
    return AttackPlan(
        attack=clock.name,
        family="",
        each=True,
        shards=sum(stage.shards for stage in stages),
        candidates=sum(len(seeds) for window in windows for _, seeds in _pairs(clock, window)),
        seconds=sum(stage.seconds for stage in stages),
        chance=clock.chance if stages else 0.0,
        why=clock.why(len(clock.recipes)),
        helps=clock.helps,
        stages=stages,
    )


def _pairs(clock: Clock, window: Window) -> Iterator[tuple[Recipe, Span]]:
    """Yield every way that is tried in ``window`` with its seeds, as far as time says nothing."""
    for number in clock.tried(window):
        recipe = clock.recipes[number]
        yield recipe, _seeds(clock, window, 0, recipe)


def search(clock: Clock, shard: Shard, context: Context) -> Iterator[Record]:
    """Try what ``shard`` says on its file; in shard 0, what solved neighbours, near their seeds."""
    tried = 0
    (ref,) = shard.target.samples[:1]
    with context.open(ref) as reader:
        locked = Salvage(reader, ref.name)
        for number, found, count in _found(clock, shard, ref, locked):
            tried += count
            recipe = clock.recipes[number]
            tries = (proven(clock.name, recipe, number, each, locked, shard.target, ref) for each in found)
            records = next(filter(None, tries), None)
            if records:  # a file has one key
                yield from records
                break
    family = shard.target.family
    yield Searched(attack=clock.name, family=family, item=ref.id, shard=shard.number, candidates=tried)


def _found(
    clock: Clock, shard: Shard, ref: FileRef, locked: Salvage
) -> Iterator[tuple[int, list[Found], int]]:
    """Yield ways, what they give that may be the key, and how many seeds that took.

    The very seeds of neighbours come first: many lockers draw one key for all files, and of those of which
    nothing is known no other seed can be told to be wrong at a glance.
    """
    if shard.number:
        for number, seeds in _work(clock, shard, ref):
            yield number, *hits(clock.recipes[number], seeds, locked, ref)
        return
    told: dict[tuple[int, Place], list[tuple[int, int]]] = {}
    for time, clue in reversed(shard.target.clues):
        number, seed, place = json.loads(clue)
        told.setdefault((number, place), []).append((time, seed))
    for (number, place), neighbours in told.items():
        for seed in islice(dict.fromkeys(seed for _, seed in neighbours), SAME):
            yield number, [given(clock.recipes[number], seed, locked, place)], 1
    narrow = min(NARROW * clock.per_second, clock.near)
    for (number, place), neighbours in told.items():
        for span in suggested(neighbours, ref.modified or 0, clock.per_second, narrow, clock.near):
            yield number, *hits(clock.recipes[number], span, locked, ref, place)


def _work(clock: Clock, shard: Shard, ref: FileRef) -> Iterator[tuple[int, Span]]:
    """Yield numbers of ways and the seeds that ``shard`` has for them."""
    if clock.since_1970 and not ref.modified:
        return
    number = shard.number - 1
    for window in clock.windows:
        parts = _Parts(window, clock.tried(window))
        if number < parts.shards:
            ways, ticks = parts.of(number)
            now = (ref.modified or 0) * clock.per_second // SECOND
            yield from ((way, _seeds(clock, ticks, now, clock.recipes[way])) for way in ways)
            return
        number -= parts.shards


def _seeds(clock: Clock, window: Window, now: int, recipe: Recipe) -> Span:
    """Return the seeds of ``window`` that make a difference to the generator, at ``now`` in ticks."""
    if clock.since_1970:
        return Span(window.start + now, window.end + now)
    every = 1 << generator(recipe.generator).seed_bits
    return Span(min(window.start, every), min(window.end, every))


def _cost(recipe: Recipe) -> float:
    """Return about how many seconds of a core a seed takes."""
    opening = OPENING_RC4 if recipe.cipher.name == "rc4" else OPENING
    return DRAWING / generator(recipe.generator).per_second + opening
