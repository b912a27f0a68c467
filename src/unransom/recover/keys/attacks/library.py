"""Parts of keys from a key library: what is missing of them is enumerated and tried on a locked file."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from unransom.catalog.families import family as family_named
from unransom.catalog.keylibrary import MOST_UNKNOWN, Entry, completions, entry_in
from unransom.catalog.schemes.family import Family
from unransom.core.context import Context
from unransom.core.keys import KeyKind
from unransom.core.messages import Message, say
from unransom.core.records import FileRef, Record
from unransom.core.searches import AttackPlan, Searched, Shard, Target
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.trial import fitting, tried

NAME = "library"
PROBES = 8  # completions that show what a key of a family takes
MEASURED = 0.05  # seconds of a core that measuring takes
SHARD = 1 << 9  # keys: some take ten milliseconds, where a password hash has many rounds


class Part(NamedTuple):
    """The completions of an entry that a shard is for."""

    entry: Entry
    start: int
    stop: int


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Return the cost of completing every key that may be of the family."""
    if not target.family:
        return _unnamed(context)
    family = family_named(target.family, context.described)
    entries = _entries(family, context)
    if not entries:
        return None
    few = tuple(entry for entry in entries if entry.unknown_bits <= MOST_UNKNOWN)
    least = min(entry.unknown_bits for entry in entries)
    if not few:
        why = say("of every key in the library {bits} bits or more are missing: too many", bits=least)
        return AttackPlan(attack=NAME, family=family.name, why=why)
    candidates = sum(1 << entry.unknown_bits for entry in few)
    return AttackPlan(
        attack=NAME,
        family=family.name,
        shards=sum(map(_shards, few)),
        candidates=candidates,
        seconds=candidates * _seconds(few[0], family, target.samples[0], context),
        chance=0.8 if any(entry.family == family.name for entry in few) else 0.1,
        why=say("{count} keys in the library miss {bits} bits at least", count=len(few), bits=least),
    )


def _unnamed(context: Context) -> AttackPlan | None:
    """Return why nothing is completed for files of no known family, None where no part of a key is there."""
    parts = sum(1 for key in context.keys if key.kind is KeyKind.PARTIAL)
    if not parts:
        return None
    return AttackPlan(
        attack=NAME,
        family="",
        why=say("{count} keys in the library miss bits: how these files use a key is not known", count=parts),
        helps=say("the family, or a description of it with --family"),
    )


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Try some of the values of the bits that are missing."""
    target = shard.target
    family = family_named(target.family, context.described)
    entry, start, stop = _part(_entries(family, context), shard.number - 1)
    for key in fitting(completions(entry, start, stop), family, target.samples[0], context):
        yield from tried(key, family, target.samples, context, NAME, _told)
    yield Searched(attack=NAME, family=family.name, item=0, shard=shard.number, candidates=stop - start)


def _entries(family: Family, context: Context) -> tuple[Entry, ...]:
    """Return the entries to complete, those of the family first; those of other families never fit."""
    entries = [entry_in(key) for key in context.keys if key.kind is KeyKind.PARTIAL]
    fitting = [each for each in entries if each.kind in family.takes and each.family in {"", family.name}]
    return tuple(sorted(fitting, key=lambda each: (each.family != family.name, each.unknown_bits)))


def _shards(entry: Entry) -> int:
    return -(-(1 << entry.unknown_bits) // SHARD)


def _seconds(entry: Entry, family: Family, ref: FileRef, context: Context) -> float:
    """Return what a completion takes on this machine, measured on some of them."""
    probes, count = tuple(completions(entry, 0, PROBES)), 0
    deque(fitting(probes, family, ref, context), maxlen=0)  # loads what was compiled
    began = time.thread_time()
    while (spent := time.thread_time() - began) < MEASURED:
        deque(fitting(probes, family, ref, context), maxlen=0)
        count += len(probes)
    return spent / count


def _part(entries: tuple[Entry, ...], number: int) -> Part:
    for entry in entries:
        if entry.unknown_bits > MOST_UNKNOWN:
            continue
        if number < _shards(entry):
            return Part(entry, number * SHARD, min((number + 1) * SHARD, 1 << entry.unknown_bits))
        number -= _shards(entry)
    raise ValueError("there is no such part")


def _told(why: Message) -> Message:
    return say("a part of it was in the key library, the rest was enumerated; {why}", why=why)


ATTACK = Attack(
    name=NAME,
    title=say("Parts of keys in the library"),
    weakness="T11",
    plan=plan,
    search=search,
    references=("https://www.nomoreransom.org/en/decryption-tools.html",),
    limitations=("Completions are tried on one file: keys of single files may be missed.",),
)
