"""Parts of keys from a key library: what is missing of them is enumerated and tried on a locked file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from unransom.catalog.families import family as family_named
from unransom.catalog.keylibrary import MOST_UNKNOWN, Entry, completions, entry_in
from unransom.catalog.schemes.family import Family
from unransom.core.context import Context
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message, say
from unransom.core.records import Record
from unransom.core.searches import AttackPlan, Searched, Shard, Target
from unransom.core.streams import Salvage
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.proof import proof_of
from unransom.recover.keys.trial import tried

NAME = "library"
PER_SECOND = 2000.0  # keys that one core unwraps and tries, where each takes a key agreement
SHARD = 1 << 14  # keys


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
        seconds=candidates / PER_SECOND,
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
    for key in _fitting(entry, start, stop, family, target, context):
        yield from tried(key, family, target.samples, context, NAME, _told)
    yield Searched(attack=NAME, family=family.name, item=0, shard=shard.number, candidates=stop - start)


def _entries(family: Family, context: Context) -> tuple[Entry, ...]:
    """Return the entries to complete, those of the family first; those of other families never fit."""
    entries = [entry_in(key) for key in context.keys if key.kind is KeyKind.PARTIAL]
    fitting = [each for each in entries if each.kind in family.takes and each.family in {"", family.name}]
    return tuple(sorted(fitting, key=lambda each: (each.family != family.name, each.unknown_bits)))


def _shards(entry: Entry) -> int:
    return -(-(1 << entry.unknown_bits) // SHARD)


def _part(entries: tuple[Entry, ...], number: int) -> Part:
    for entry in entries:
        if entry.unknown_bits > MOST_UNKNOWN:
            continue
        if number < _shards(entry):
            return Part(entry, number * SHARD, min((number + 1) * SHARD, 1 << entry.unknown_bits))
        number -= _shards(entry)
    raise ValueError("there is no such part")


def _fitting(
    entry: Entry, start: int, stop: int, family: Family, target: Target, context: Context
) -> Iterator[Key]:
    """Yield the completions that open the first sample."""
    ref = target.samples[0]
    with context.open(ref) as reader:
        locked = Salvage(reader, ref.name)
        mark = family.read(locked)
        for key in completions(entry, start, stop) if mark else ():
            file_key = family.unwrap(mark, key) if mark else None
            if mark and file_key and proof_of(family, locked, mark, file_key, ref.original or ref.path):
                yield key


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
