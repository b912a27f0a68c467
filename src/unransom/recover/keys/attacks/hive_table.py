"""Hive's key table: every file is under two windows of it, so originals of some files give most of it.

A byte of keystream is the XOR of two bytes of the table, whose places the file's name tells. Thousands of
such equations join nearly all bytes of the table to one another, and what is joined is as good as known.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.catalog.families import hive1
from unransom.catalog.schemes.known import bitmap_of
from unransom.core.context import Context
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message, say
from unransom.core.records import Finding, KeyFound, Record
from unransom.core.searches import AttackPlan, Pair, Searched, Secret, Shard, Target
from unransom.core.streams import Salvage
from unransom.recover.keys.attacks.attack import Attack

NAME = "hive_table"
LARGEST = 64 << 20  # bytes of a file that are used
ENOUGH = 60 << 20  # bytes of originals that give nearly all of the table
SPEED = 4e6  # bytes of keystream in a second of one core
LEAST = 64  # bytes that must have been known before and agree: the proof
CHECKED = 4096  # bytes of an original that are compared with what is known first
BAD = 0.01  # share of bytes that may differ from what is known before an original is taken for a wrong one


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Say how much of the table the originals can give."""
    del context
    if target.family != hive1.FAMILY.name:
        return None
    size = sum(min(pair.plain.size, LARGEST) for pair in target.pairs)
    if not size:
        why = say("without originals no byte of the table shows")
        return _planned(target, 0, 0.0, why)
    why = say(
        "{count} originals of {size} bytes give equations for the table", count=len(target.pairs), size=size
    )
    return _planned(target, size, min(1.0, size / ENOUGH), why)


def _planned(target: Target, size: int, chance: float, why: Message) -> AttackPlan:
    helps = say("more originals: some 60 MB of them in all give nearly the whole table")
    return AttackPlan(
        attack=NAME,
        family=target.family,
        shards=1 if size else 0,
        candidates=1 if size else 0,
        seconds=size / SPEED,
        chance=chance,
        why=why,
        helps=helps if chance < 1 else None,
    )


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Solve the equations of all originals; every run of the locker has a table of its own."""
    from unransom.crypto.search.keystream.tables import Table  # noqa: PLC0415 numba is slow to import

    tables: dict[bytes, Table] = {}
    agreed: dict[bytes, int] = {}
    for pair in shard.target.pairs:
        equations = _equations(pair, context)
        if equations is None:
            continue
        table = tables.setdefault(equations.run, Table(hive1.TABLE))
        some = slice(0, CHECKED)
        known = table.check(equations.first[some], equations.second[some], equations.stream[some])
        if known.differed > BAD * (known.agreed + known.differed):
            continue  # no original of this file
        found = table.learn(equations.first, equations.second, equations.stream)
        agreed[equations.run] = agreed.get(equations.run, 0) + found.agreed
    for run, table in tables.items():
        if agreed.get(run, 0) >= LEAST:
            yield from _solved(*table.solved(), agreed[run])
    yield Searched(
        attack=NAME, family=shard.target.family, item=0, shard=shard.number, candidates=len(tables)
    )


def _solved(table: NDArray[np.uint8], known: NDArray[np.bool_], agreed: int) -> Iterator[Record]:
    key = Key(KeyKind.RAW, table.tobytes() + bitmap_of(known), NAME)
    percent = round(100 * float(known.mean()), 1)
    why = say(
        "{percent} percent of the key table; {count} bytes of originals agree with it beyond what it takes",
        percent=percent,
        count=agreed,
    )
    family = hive1.FAMILY.name
    yield KeyFound(family=family, fingerprint=key.fingerprint, bits=8 * LEAST, proof=why, attack=NAME)
    yield Secret(family=family, key=key)
    yield Finding(
        kind="keystream",
        item=family,
        what=say(
            "{percent} percent of the key table are known; what the rest locks stays lost", percent=percent
        ),
    )


class _Equations(msgspec.Struct, frozen=True):
    """The keystream of a file, and the places in the table that each of its bytes is the XOR of."""

    run: bytes
    first: NDArray[np.int32]
    second: NDArray[np.int32]
    stream: NDArray[np.uint8]


def _equations(pair: Pair, context: Context) -> _Equations | None:
    """Return what a file and its original tell; None where what is not locked differs."""
    with context.open(pair.locked) as reader, context.open(pair.plain) as plain:
        locked = Salvage(reader, pair.locked.name)
        mark = hive1.read(locked)
        if mark is None or plain.size != locked.size:
            return None
        firsts, seconds, streams = [], [], []
        position = 0
        for span in hive1.blocks(locked.size):
            if span.end > LARGEST:
                break
            gap = span.start - position
            if gap > 0 and locked.read_at(position, gap) != plain.read_at(position, gap):
                return None
            first, second = hive1.under(mark.fields["numbers"], span)
            one = np.frombuffer(locked.read_at(span.start, len(span)), np.uint8)
            other = np.frombuffer(plain.read_at(span.start, len(span)), np.uint8)
            if len(one) != len(span) or len(other) != len(span):
                return None
            firsts.append(first)
            seconds.append(second)
            streams.append(one ^ other)
            position = span.end
    if not streams:
        return None
    return _Equations(
        mark.fields["run"], np.concatenate(firsts), np.concatenate(seconds), np.concatenate(streams)
    )


ATTACK = Attack(
    name=NAME,
    title=say("Hive's key table from originals"),
    weakness="T3",
    plan=plan,
    search=search,
    references=("https://arxiv.org/abs/2202.08477",),
    limitations=("Only the tables of v1 and v2; those of v3 and v4 are taken whole.",),
)
