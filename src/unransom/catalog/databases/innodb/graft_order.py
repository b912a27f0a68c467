"""The order of leaf pages by their keys, whatever the collation, as far as their links leave it open."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import NamedTuple

from unransom.catalog.databases.innodb.graft_pages import NIL
from unransom.catalog.databases.innodb.key_order import (
    READINGS,
    Comparable,
    Key,
    Reading,
    key_fields,
    read,
)
from unransom.catalog.databases.innodb.origin import Found


class Leaf(NamedTuple):
    """A sound page of rows.

    Attributes:
        number: Of the page.
        previous, following: Numbers of the pages that it names as its neighbours.
        first, last: Keys of its first and last row, stored bytes by field.
        rows: Live rows.
    """

    number: int
    previous: int
    following: int
    first: Key
    last: Key
    rows: int


def in_order(found: Found, leaves: Iterable[Leaf]) -> list[Leaf]:
    """Return the leaves in the order of their keys.

    Where pages name each other they stand together; the pieces are ordered by the reading of keys under
    which the pages contradict each other least. Of two pages whose keys overlap the one that is linked
    less is left out.
    """
    known = {leaf.number: leaf for leaf in leaves}
    chains = _chains(known)
    fields = key_fields(found)

    def ordered(reading: Reading) -> tuple[int, list[list[Leaf]]]:
        def key(value: Key) -> Comparable:
            return read(value, fields, reading)

        pieces = sorted(chains, key=lambda chain: key(chain[0].first))
        flat = [leaf for piece in pieces for leaf in piece]
        faults = sum(key(leaf.first) > key(leaf.last) for leaf in flat)
        faults += sum(key(one.last) >= key(other.first) for one, other in itertools.pairwise(flat))
        return faults, pieces

    faults, pieces, reading = min(((*ordered(each), each) for each in READINGS), key=lambda result: result[0])
    flat = [leaf for piece in pieces for leaf in piece]
    return flat if not faults else _without_overlaps(flat, lambda key: read(key, fields, reading))


def _chains(known: dict[int, Leaf]) -> list[list[Leaf]]:
    """Return the runs of leaves that name each other."""
    chains = []
    taken: set[int] = set()
    for leaf in known.values():
        before = known.get(leaf.previous)
        if leaf.previous != NIL and before is not None and before.following == leaf.number:
            continue  # not the first of its run
        chain = [leaf]
        taken.add(leaf.number)
        while True:
            after = known.get(chain[-1].following)
            if after is None or after.number in taken or after.previous != chain[-1].number:
                break
            chain.append(after)
            taken.add(after.number)
        chains.append(chain)
    return chains


def _without_overlaps(flat: list[Leaf], key: Callable[[Key], Comparable]) -> list[Leaf]:
    kept: list[Leaf] = []
    for leaf in flat:
        linked = bool(kept) and kept[-1].following == leaf.number
        if not kept or linked or key(kept[-1].last) < key(leaf.first):
            kept.append(leaf)
    return kept
