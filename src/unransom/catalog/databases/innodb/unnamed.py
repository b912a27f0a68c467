"""Sound leaf pages that no other page speaks for: which of them the keys around them leave no room for.

A page that was freed keeps its place in the order of keys. Where pages that are in the tree account for its
keys, or for everything around them, it is not in the tree.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import pages
from unransom.catalog.databases.innodb.accounted import (
    Accounting,
    is_comparable,
    key_hashes,
    key_numbers,
    live,
)
from unransom.catalog.databases.innodb.key_order import READINGS, Key, is_told, key_fields, key_of, read
from unransom.catalog.databases.innodb.origin import Found
from unransom.catalog.databases.innodb.tree import Tree

MOST_READ = 1 << 17  # pages whose first and last keys are compared as texts
FAULTS = 100  # the order is not known where more than one in so many neighbours contradicts it
# How sure it is that pages are in the tree. Of chains of one or two that nothing speaks for, six and two
# of a hundred were not, in tables that are known to have let go of others; of longer ones less than one.
DOUBTED, ALONE, FEW = 0.6, 0.85, 2


class _Ends(NamedTuple):
    """The first and the last key of pages, as numbers that are ordered like the keys."""

    numbers: NDArray[np.int64]
    firsts: NDArray[np.uint64]
    lasts: NDArray[np.uint64]


def left_behind(found: Found, tree: Tree) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return those of the leaf pages of ``tree`` that are not in it, besides those that it knows.

    Then by page number how sure it is that the others are: ``DOUBTED`` where their age speaks against them,
    or what is left of the neighbours of the chain of which they are.
    """
    table = found.space.table
    numbers = np.flatnonzero(tree.nodes & ~tree.outside).astype(np.int64)
    chains = _chains_of(table, numbers, tree)
    aged = _aged(table, numbers, chains)
    sound = numbers[table["verdict"][numbers] == pages.VALID]
    ends = _ends(found, sound)
    if ends is None:
        sure = (chains.inside if chains.inside.any() else chains.newest)[chains.owners]
        left = _accounted_for(found, sound, sure[np.isin(numbers, sound)])
        bad = np.isin(np.arange(len(aged)), chains.owners[np.isin(numbers, left)])
    else:
        bad = _without_room(ends, tree, chains.owners[np.searchsorted(numbers, ends.numbers)], chains)
    alone = (np.bincount(chains.owners) <= FEW) & tree.outside.any()
    sure = np.select([aged | chains.contradicted, alone], [DOUBTED, ALONE], 1.0)
    by_page = np.ones(len(table), np.float32)
    by_page[numbers] = np.where(tree.inside[numbers], 1, sure[chains.owners])
    return numbers[bad[chains.owners] & ~tree.inside[numbers]], by_page


def _accounted_for(found: Found, numbers: NDArray[np.int64], sure: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the pages with a key that a page that is in the tree has as well."""
    accounting = Accounting(found)
    for kept, data in found.space.groups(numbers[sure]):
        located = live(found, kept, data)
        if len(located.origins):
            accounting.add(located)
    accounted = accounting.accounted()
    left = [np.zeros(0, np.int64)]
    for kept, data in found.space.groups(numbers[~sure]):
        located = live(found, kept, data)
        covered = accounted.covers(key_numbers(found, located), key_hashes(found, located))
        left.append(kept[np.unique(located.owners[covered])])
    return np.concatenate(left)


def _ends(found: Found, numbers: NDArray[np.int64]) -> _Ends | None:
    """Return the ends of the pages that have rows, None where the order of the keys is not known.

    A page that begins or ends with a key of which collations do not agree where it belongs is left out.
    """
    comparable = is_comparable(found)
    if not comparable and len(numbers) > MOST_READ:
        return None
    kept, firsts, lasts = [np.zeros(0, np.int64)], [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
    keys: list[Key] = []
    fields = key_fields(found)
    for some, data in found.space.groups(numbers):
        located = live(found, some, data)
        edges = np.flatnonzero(np.diff(located.owners, prepend=-1, append=-1))
        kept.append(some[located.owners[edges[:-1]]])
        if comparable:
            values = key_numbers(found, located)
            firsts.append(values[edges[:-1]])
            lasts.append(values[edges[1:] - 1])
        else:
            rows = np.stack([edges[:-1], edges[1:] - 1], axis=1).reshape(-1).tolist()
            both = [key_of(located, row, found.layout.key) for row in rows]
            told = [
                all(is_told(key, fields) for key in pair) for pair in zip(both[::2], both[1::2], strict=True)
            ]
            kept[-1] = kept[-1][np.array(told, np.bool_)]
            keys += [key for place, key in enumerate(both) if told[place // 2]]
    order = np.concatenate(kept)
    if comparable:
        return _Ends(order, np.concatenate(firsts), np.concatenate(lasts))
    ranks = _ranks(found, order, keys)
    return None if ranks is None else _Ends(order, ranks[::2], ranks[1::2])


def _ranks(found: Found, numbers: NDArray[np.int64], keys: Sequence[Key]) -> NDArray[np.uint64] | None:
    """Return the ranks of the first and last keys of pages by the reading that the pages contradict least."""
    rows = found.space.table[numbers]
    following, before = rows["next"].tolist(), rows["previous"].tolist()
    pairs = _pairs(numbers.tolist(), following, before)
    ends = [place for place, number in enumerate(following) if number == pages.NIL]
    starts = [place for place, number in enumerate(before) if number == pages.NIL]
    fields = key_fields(found)
    best: tuple[int, NDArray[np.uint64]] | None = None
    for reading in READINGS:
        values = [read(key, fields, reading) for key in keys]
        ranks = {value: rank for rank, value in enumerate(sorted(set(values)))}
        ranked = np.array([ranks[value] for value in values], np.uint64)
        faults = int((ranked[::2] > ranked[1::2]).sum())
        faults += sum(ranked[2 * one + 1] >= ranked[2 * other] for one, other in pairs)
        faults += sum(int(ranked[2 * end + 1] < ranked.max()) for end in ends)
        faults += sum(int(ranked[2 * start] > ranked.min()) for start in starts)
        if best is None or faults < best[0]:
            best = faults, ranked
    return best[1] if best and best[0] * FAULTS <= len(numbers) + len(pairs) else None


def _pairs(numbers: list[int], following: list[int], before: list[int]) -> list[tuple[int, int]]:
    """Return the places of pages one of which comes right before the other, or before a lost one between."""
    places = {number: place for place, number in enumerate(numbers)}
    behind = {number: place for place, number in enumerate(before) if number not in places}
    return [
        (place, other)
        for place, number in enumerate(following)
        if (other := places.get(number, behind.get(number))) is not None
        and (number not in places or before[other] == numbers[place])
        and number != pages.NIL
    ]


class _Chains(NamedTuple):
    """Chains of pages that name each other.

    Attributes:
        owners: The chain of each page.
        inside: Chains that are in the tree.
        contradicted: Others that pages are in that are not in the tree.
        written: When the newest page of each was written.
        newest: Those that were written last, which together have half of the pages.
    """

    owners: NDArray[np.int64]
    inside: NDArray[np.bool_]
    contradicted: NDArray[np.bool_]
    written: NDArray[np.uint64]
    newest: NDArray[np.bool_]


def _chains_of(table: NDArray[np.void], numbers: NDArray[np.int64], tree: Tree) -> _Chains:
    firsts, owners = np.unique(tree.chains[numbers], return_inverse=True)
    inside, written = np.zeros(len(firsts), np.bool_), np.zeros(len(firsts), np.uint64)
    inside[owners[tree.inside[numbers]]] = True
    contradicted = ~inside & np.isin(firsts, tree.chains[tree.nodes & tree.outside])
    np.maximum.at(written, owners, table["lsn"][numbers])
    sizes = np.bincount(owners, minlength=len(firsts))
    order = np.argsort(written, kind="stable")[::-1]
    newest = np.zeros(len(firsts), np.bool_)
    newest[order] = np.cumsum(sizes[order]) - sizes[order] < len(numbers) / 2
    return _Chains(owners, inside, contradicted, written, newest)


def _aged(table: NDArray[np.void], numbers: NDArray[np.int64], chains: _Chains) -> NDArray[np.bool_]:
    """Return the chains that are by far older than every page that is likely to be in the tree.

    These are the pages that are sure to be, and those of chains that were written about when these were, and
    so on.
    """
    likely = chains.inside if chains.inside.any() else chains.newest
    if not len(likely):
        return np.zeros(0, np.bool_)
    while True:
        written = table["lsn"][numbers[likely[chains.owners]]].astype(np.float64)
        oldest, span = written.min(), written.max() - written.min()
        aged = ~likely & (chains.written.astype(np.float64) < oldest - span)
        if (likely | aged).all():
            return aged
        likely = ~aged


def _without_room(ends: _Ends, tree: Tree, owners: NDArray[np.int64], chains: _Chains) -> NDArray[np.bool_]:
    """Return the chains whose keys lie within those of others that are sure or were written later.

    So do those that lie between two that say that one lost page, or none, is all there is between them.
    """
    count = len(chains.written)
    order = np.lexsort((ends.firsts, owners))
    starts = np.searchsorted(owners[order], np.arange(count))
    stops = np.searchsorted(owners[order], np.arange(count), "right") - 1
    out = np.zeros(count, np.bool_)
    firsts: list[int] = []
    lasts: list[int] = []
    taken: list[int] = []
    left = tree.before[ends.numbers[order]]
    right = tree.after[ends.numbers[order]]
    for chain in np.lexsort((chains.written, chains.inside))[::-1].tolist():
        if stops[chain] < starts[chain]:
            continue  # no page of it has rows
        first = int(ends.firsts[order[starts[chain]]])
        last = int(ends.lasts[order[stops[chain]]])
        at = bisect.bisect_right(firsts, first)
        within = (at and lasts[at - 1] >= first) or (at < len(firsts) and firsts[at] <= last)
        before = right[stops[taken[at - 1]]] if at else pages.NIL
        after = left[starts[taken[at]]] if at < len(taken) else pages.NIL
        closed = before == after or (at and before == pages.NIL) or (at < len(taken) and after == pages.NIL)
        if not chains.inside[chain] and (within or (closed and taken)):
            out[chain] = True
            continue
        firsts.insert(at, first)
        lasts.insert(at, last)
        taken.insert(at, chain)
    return out
