"""Which pages of a clustered index are in its tree, and which the tree has let go of.

A page that the server has freed keeps its bytes and its checksum, often from long before. What tells, where
it is left: the books of the extents, the pages above, the neighbours, and which of two pages was written
later. A page that is in the tree has neighbours that are in it too and that name it, so what contradicts one
page of a chain speaks against all of it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import decode, pages
from unransom.catalog.databases.innodb.liveness import FREE, USED, books
from unransom.catalog.databases.innodb.origin import Found
from unransom.catalog.databases.innodb.plan import Plan

NOBODY = -1
SEGMENTS = slice(74, 94)  # of the root page's header: of no other page these are set
CHILD = 4  # bytes of the number of a page below
MOST_DOUBLINGS = 24  # a chain of 16 million pages
LARGE = 4  # a chain of more than one in so many pages outweighs a neighbour that contradicts it


class Tree(NamedTuple):
    """What is known of the leaf pages of a table, by page number.

    Attributes:
        nodes: Sound ones, and damaged ones whose head says that they are leaves of the table.
        inside: Pages that the books or the level above say are in the tree, sound or not, with their chains.
        outside: Pages that are not in it.
        chains: The first page of the chain of pages that name each other, by which its members are told.
        before, after: Neighbours, of lost pages those that the level above says; ``NOBODY`` where not known.
    """

    nodes: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    outside: NDArray[np.bool_]
    chains: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]


class _Links(NamedTuple):
    """The neighbours of each page of one level, by page number; ``NOBODY`` where they are not known."""

    before: NDArray[np.int64]
    after: NDArray[np.int64]


def tree_of(found: Found) -> Tree:
    """Return what the pages of ``found`` say about each other, from the root down to the leaves."""
    table = found.space.table
    heads = np.isin(table["verdict"], (pages.VALID, pages.TORN)) & np.isin(table["kind"], pages.INDEXES)
    heads &= table["index"] == found.owner
    told = books(found.space)
    above: NDArray[np.int64] = np.zeros(0, np.int64)
    whole = False  # the level above
    for level in range(int(table["level"][heads].max(initial=0)), -1, -1):
        nodes = heads & (table["level"] == level)
        links = _links(table, nodes)
        named, sensible = _named_above(found, above, nodes, links)
        inside = nodes & (told == USED) | named
        if not len(above):
            inside |= _roots(found, nodes)
        outside = nodes & ~inside & (told == FREE)
        if whole and sensible and _is_closed(links, nodes & named, named):
            outside |= nodes & ~inside
        outside |= _contradicted(table, nodes, links, inside)
        chains = _chains(nodes, links)
        inside, outside = _spread(nodes, chains, inside, outside)
        # One that nothing speaks for speaks for none: a freed one names freed pages.
        above = np.flatnonzero(nodes & inside & (table["verdict"] == pages.VALID)).astype(np.int64)
        whole = _is_whole(table[above], above)
    return Tree(nodes, inside, outside, chains, links.before, links.after)


def _is_whole(rows: NDArray[np.void], numbers: NDArray[np.int64]) -> bool:
    """Return whether pages of one level are all that it has."""
    following = set(rows["next"].tolist())
    first = numbers[rows["previous"] == pages.NIL].tolist()
    return len(first) == 1 and following == {*numbers.tolist(), pages.NIL} - set(first)


def _is_closed(links: _Links, nodes: NDArray[np.bool_], named: NDArray[np.bool_]) -> bool:
    """Return whether the neighbours of all pages that the level above names are named by it as well."""
    neighbours = np.concatenate([links.before[nodes], links.after[nodes]])
    inside = (neighbours >= 0) & (neighbours < len(named))
    return bool(named[neighbours[inside]].all())


def _roots(found: Found, nodes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the sound pages of the top level that hold the headers of the table's segments."""
    roots = np.zeros(len(nodes), np.bool_)
    sound = nodes & (found.space.table["verdict"] == pages.VALID)
    for kept, data in found.space.groups(np.flatnonzero(sound).astype(np.int64)):
        roots[kept] = data.reshape(len(kept), -1)[:, SEGMENTS].any(axis=1)
    return roots


def _links(table: NDArray[np.void], nodes: NDArray[np.bool_]) -> _Links:
    """Return what the headers of the pages say."""

    def neighbours(name: str) -> NDArray[np.int64]:
        return np.where(nodes, table[name].astype(np.int64), NOBODY)

    return _Links(neighbours("previous"), neighbours("next"))


def _named_above(
    found: Found, above: NDArray[np.int64], nodes: NDArray[np.bool_], links: _Links
) -> tuple[NDArray[np.bool_], bool]:
    """Return the pages that the level above names, and whether each of its pages makes sense.

    The neighbours of pages that are lost are noted in ``links``.
    """
    count = len(found.space.table)
    named = np.zeros(count, np.bool_)
    plan, understood = _node_plan(found), True
    fitting = nodes | (found.space.table["verdict"] != pages.VALID)
    for kept, data in found.space.groups(above):
        origins, owners, ended = decode.listed(data, found.space.logical)
        located = decode.locate(data, kept, origins, owners, plan)
        children = _children(located, found.layout.key)
        sensible = (located.begins >= 0) & (children < count)
        sensible[sensible] &= fitting[children[sensible]]
        for place in range(len(kept)):
            rows = owners == place
            family = children[rows]
            if not ended[place] or not sensible[rows].all() or len(np.unique(family)) < len(family):
                understood = False
                continue
            named[family] = True
            _note(links.before, family[1:], family[:-1])
            _note(links.after, family[:-1], family[1:])
    return named, understood


def _note(links: NDArray[np.int64], numbers: NDArray[np.int64], neighbours: NDArray[np.int64]) -> None:
    unknown = links[numbers] == NOBODY
    links[numbers[unknown]] = neighbours[unknown]


def _children(located: decode.Located, field: int) -> NDArray[np.int64]:
    """Return the page numbers in records above the rows."""
    value = np.zeros(len(located.origins), np.int64)
    starts = np.where(located.begins >= 0, located.starts[field], 0)
    for place in range(CHILD):
        value = value << 8 | located.data[starts + place].astype(np.int64)
    return value


def _node_plan(found: Found) -> Plan:
    """Return the plan of records above the rows: the key, a page number, and room for every NULL."""
    key, plan = found.layout.key, found.plan
    nulls = int(plan.nullable.sum())
    count = key + 1 + nulls
    return Plan(
        widths=np.concatenate([plan.widths[:key], [CHILD], np.zeros(nulls, np.int32)]).astype(np.int32),
        nullable=np.array([0] * (key + 1) + [1] * nulls, np.uint8),
        big=np.concatenate([plan.big[:key], np.zeros(nulls + 1, np.uint8)]).astype(np.uint8),
        orders=np.arange(count, dtype=np.int16).reshape(1, -1),
        counts=np.array([count], np.int16),
        versions=np.zeros(1, np.int16),
        numbers=np.array([count, *[-1] * count], np.int16),
    )


def _contradicted(
    table: NDArray[np.void], nodes: NDArray[np.bool_], links: _Links, inside: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return the pages whose neighbours are of something else or name another page, and are newer."""
    out = np.zeros(len(table), np.bool_)
    telling = (table["verdict"] == pages.VALID) | nodes
    for mine, theirs in ((links.after, links.before), (links.before, links.after)):
        some = np.flatnonzero(nodes & (mine >= 0) & (mine < len(table)))
        other = mine[some]
        answers = theirs[other]
        knows = (
            telling[other] & (table["lsn"][other] > table["lsn"][some]) | (answers != NOBODY) & ~nodes[other]
        )
        out[some[knows & (answers != some)]] = True
        named = np.zeros(len(nodes), np.bool_)
        named[some] = answers == some
        out[_outdated(table, np.flatnonzero(nodes), mine, (named, inside))] = True
    return out & ~inside


def _outdated(
    table: NDArray[np.void],
    numbers: NDArray[np.int64],
    links: NDArray[np.int64],
    known: tuple[NDArray[np.bool_], NDArray[np.bool_]],
) -> NDArray[np.int64]:
    """Return all but the newest of the pages that have the same neighbour on the same side.

    Args:
        table: Of the pages.
        numbers: Of the nodes.
        links: Their neighbours.
        known: Which of all pages their neighbour names, as it does one of two that were written together;
            which are in the tree.
    """
    named, inside = (each[numbers] for each in known)
    order = np.lexsort((named, table["lsn"][numbers], inside, links[numbers]))
    ordered = numbers[order]
    same = links[ordered[:-1]] == links[ordered[1:]]
    return ordered[:-1][same]


def _chains(nodes: NDArray[np.bool_], links: _Links) -> NDArray[np.int64]:
    """Return the first page of the chain of pages that name each other, by page number."""
    chains = np.arange(len(nodes), dtype=np.int64)
    numbers = np.flatnonzero(nodes)
    before = links.before[numbers]
    linked = (before >= 0) & (before < len(nodes))
    linked[linked] = links.after[before[linked]] == numbers[linked]
    linked[linked] &= nodes[before[linked]]
    chains[numbers[linked]] = before[linked]
    for _ in range(MOST_DOUBLINGS):
        chains = chains[chains]
    return chains


def _spread(
    nodes: NDArray[np.bool_], chains: NDArray[np.int64], inside: NDArray[np.bool_], outside: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return what is inside and outside with the pages that are chained to one that is.

    A chain that has pages of both is inside but for these. So is one with so many of the pages that it is
    rather the neighbour that is wrong: files that were copied while the server wrote contradict themselves.
    """
    numbers = np.flatnonzero(nodes)
    mine = chains[numbers]
    good, bad = (np.zeros(len(nodes), np.bool_) for _ in range(2))
    good[mine[inside[numbers]]] = True
    bad[mine[outside[numbers]]] = True
    bad &= ~good & (np.bincount(mine, minlength=len(nodes)) * LARGE <= max(len(numbers), LARGE * LARGE))
    all_inside, all_outside = inside.copy(), outside.copy()
    all_outside[numbers] |= bad[mine]
    all_inside[numbers] |= good[mine] & ~outside[numbers]
    return all_inside, all_outside
