"""Which files are SQL Server's, and which of them make one database."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, takewhile
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.mssql.database import MssqlDatabase
from unransom.catalog.databases.mssql.log import blocks
from unransom.catalog.databases.mssql.pages import Kind, Soundness, scan
from unransom.catalog.databases.mssql.store import PageStore, keys_of
from unransom.catalog.formats.mssql import PAGE, restore
from unransom.core.streams import Reader, Window

PROBES = 8  # places that are looked at
PROBE = 1 << 18  # bytes of each
PAGE_BITS = 28  # of evidence in a header that makes sense
BLOCK_BITS = 24  # of evidence in a log block whose sectors' marks and sizes fit
MOST_BLOCKS = 8  # that are counted in one place
SAME = 0.5  # share of common pages that two files of one database have of the same object
FEW = 4  # common pages that do not tell
RUN, MOST_ROWS = 8, 64  # pages in a row that tell; rows that are looked at
CHAINED = (Kind.DATA, Kind.INDEX)  # kinds of pages that name their neighbours
LINKS, CONTRADICTED = 8, 0.25  # links between two files that tell, and the share of them that may be wrong
PAIR = 2  # sources of which one may be the backup of the other, whatever they are called
BACKUPS = frozenset({"bak", "trn", "diff"})
CREATED, NAME = slice(140, 148), slice(148, 404)  # places in a boot page


class Identity(NamedTuple):
    """What a boot page says of its database.

    Attributes:
        name: In UTF-16, padded with spaces.
        created: The moment, as the server stores it.
    """

    name: bytes
    created: bytes


def recognise(reader: Reader) -> int:
    """Return the bits of evidence that ``reader`` holds pages or log blocks of SQL Server, 0 for none."""
    bits = 0
    for place in np.unique(np.linspace(0, max(reader.size - PROBE, 0), PROBES).astype(np.int64)).tolist():
        part = Window(reader, place // 512 * 512, PROBE)
        bits += PAGE_BITS * int((scan(part)["soundness"] >= Soundness.TORN).sum())
        bits += BLOCK_BITS * sum(1 for _ in islice(blocks(part), MOST_BLOCKS))
        if bits >= 10 * PAGE_BITS:
            break
    return min(bits, 256) if bits >= 2 * PAGE_BITS else 0


def open_databases(sources: Sequence[Source], hints: Hints) -> list[MssqlDatabase]:
    """Open the databases that ``sources`` are parts or copies of."""
    scanned = [scan(source.reader, number) for number, source in enumerate(sources)]
    sources = list(sources)
    for number in range(len(sources)):
        scanned[number], *others = runs_of(scanned[number])
        for run in others:
            run["source"] = len(sources)
            sources.append(sources[number])
            scanned.append(run)
    readers = [source.reader for source in sources]
    identities = [_identity(*pair) for pair in zip(readers, scanned, strict=True)]
    groups = _groups(scanned, [source.name for source in sources], identities)
    used = {number for group in groups for number in group}
    logs = [number for number in range(len(sources)) if number not in used]
    homes = {number: _home(sources[number].name, [sources[g[0]].name for g in groups]) for number in logs}
    return [
        MssqlDatabase(
            sources[group[0]].name,
            PageStore(readers, [scanned[number] for number in group]),
            hints,
            [readers[number] for number in logs if homes[number] == place],
        )
        for place, group in enumerate(groups)
    ]


def runs_of(entries: NDArray[np.void]) -> list[NDArray[np.void]]:
    """Return the pages of a source apart where it has some twice: other databases, or older copies.

    Pages that lie in a row belong together. Rows of which two have pages of the same numbers do not.
    """
    keys = keys_of(entries)
    sound = entries["soundness"] >= Soundness.TORN
    mine = keys[sound]
    if (mine[1:] > mine[:-1]).all():
        return [entries]
    starts = entries["offset"] - entries["page"].astype(np.int64) * PAGE
    rows, counts = np.unique(starts[sound], return_counts=True)
    largest = [row for row in np.argsort(-counts, kind="stable")[:MOST_ROWS].tolist() if counts[row] >= RUN]
    taken: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    home = np.zeros(len(entries), np.int64)
    for row in largest:
        own = starts == rows[row]
        pages = keys[own & sound]
        place = next((n for n, held in enumerate(taken) if np.isin(pages, held).sum() < FEW), len(taken))
        if place == len(taken):
            taken.append(np.zeros(0, np.int64))
        taken[place] = np.concatenate((taken[place], pages))
        home[own] = place
    return [entries[home == place] for place in range(len(taken))]


def _home(log: str, names: Sequence[str]) -> int:
    """Return which of the databases called ``names`` a log is of: the one whose name begins most alike."""
    alike = [_common(log.lower(), name.lower()) for name in names]
    return int(np.argmax(alike)) if alike else -1


def _common(some: str, other: str) -> int:
    """Return with how many equal letters two names begin."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(some, other, strict=False)))


def _identity(reader: Reader, entries: NDArray[np.void]) -> Identity | None:
    """Return what the boot page says of its database, None where it is lost."""
    boot = entries[(entries["type"] == Kind.BOOT) & (entries["soundness"] >= Soundness.UNCHECKED)]
    data = reader.read_at(int(boot["offset"][0]), PAGE) if len(boot) else b""
    if len(data) < PAGE:
        return None
    page = np.frombuffer(data, np.uint8).reshape(1, PAGE).copy()
    restore(page)
    return Identity(page[0, NAME].tobytes(), page[0, CREATED].tobytes())


def _groups(
    scanned: Sequence[NDArray[np.void]], names: Sequence[str], identities: Sequence[Identity | None]
) -> list[list[int]]:
    """Return which sources belong together, by their numbers."""
    groups: list[list[int]] = []
    sound = [entries[entries["soundness"] >= Soundness.TORN] for entries in scanned]
    # A log has a page with a file header as well, and no other.
    data = [n for n, entries in enumerate(sound) if (entries["type"] != Kind.FILE_HEADER).any()]
    pair = len(data) == PAIR
    for number in data:
        home = next(
            (
                group
                for group in groups
                if not any(_others(identities[number], identities[n]) for n in group)
                and any(
                    _related(sound[number], sound[n], _alike(names[number], names[n], pair)) for n in group
                )
            ),
            None,
        )
        if home is None:
            groups.append([number])
        else:
            home.append(number)
    return groups


def _others(one: Identity | None, other: Identity | None) -> bool:
    """Tell whether two boot pages are of different databases: neither their names nor their ages agree.

    All other pages may seem to be the same: a server makes every database as a copy of another one.
    """
    if one is None or other is None:
        return False
    return one.name != other.name and one.created != other.created


def _related(some: NDArray[np.void], others: NDArray[np.void], alike: bool) -> bool:
    """Tell whether two sources are of one database: other files of it, or the same pages.

    Where damage has left hardly a page in both, the links between their pages or their names decide.
    """
    _, mine, theirs = np.intersect1d(keys_of(some), keys_of(others), return_indices=True)
    if len(mine) < FEW:
        return alike or not np.isin(some["file"], others["file"]).any() or _linked(some, others)
    same = some["object"][mine] == others["object"][theirs]
    same &= some["index"][mine] == others["index"][theirs]
    return bool(same.mean() >= SAME)


def _linked(some: NDArray[np.void], others: NDArray[np.void]) -> bool:
    """Tell whether pages of two sources name each other as neighbours, as those of one database do."""
    good = bad = 0
    for mine, theirs in ((some, others), (others, some)):
        for there, back in (("next", "previous"), ("previous", "next")):
            naming = mine[np.isin(mine["type"], CHAINED) & (mine[there] > 0)]
            wanted = naming[f"{there}_file"].astype(np.int64) << 32 | naming[there]
            _, here, found = np.intersect1d(wanted, keys_of(theirs), return_indices=True)
            one, other = naming[here], theirs[found]
            fits = (one["object"] == other["object"]) & (one["index"] == other["index"])
            fits &= other[back] == one["page"]
            good, bad = good + int(fits.sum()), bad + int((~fits).sum())
    return good >= LINKS and bad <= CONTRADICTED * good


def _alike(one: str, other: str, pair: bool) -> bool:
    """Tell whether names are those of copies: the same stem, or a backup beside the only other file."""
    (stem, ending), (other_stem, other_ending) = map(_parts, (one, other))
    same = stem.startswith(other_stem) or other_stem.startswith(stem)
    return same or (pair and (ending in BACKUPS) != (other_ending in BACKUPS))


def _parts(name: str) -> tuple[str, str]:
    """Return the stem and the ending of a name, in lower case."""
    stem, _, ending = name.lower().rpartition(".")
    return stem or name.lower(), ending
