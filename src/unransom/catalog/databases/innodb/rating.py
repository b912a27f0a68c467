"""How well definitions explain the records of indexes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import _salvage_kernel as kernel
from unransom.catalog.databases.innodb import decode, pages
from unransom.catalog.databases.innodb.charsets import UTF8
from unransom.catalog.databases.innodb.damaged import Form, candidates, form_of, is_compact
from unransom.catalog.databases.innodb.instant import arrangements, is_told
from unransom.catalog.databases.innodb.liveness import leaves
from unransom.catalog.databases.innodb.plan import Plan, plan_of
from unransom.catalog.databases.innodb.schema import (
    DOC_ID,
    DOC_ID_TYPE,
    ColumnDef,
    Layout,
    TableDef,
    layout_of,
)
from unransom.catalog.databases.innodb.tablespace import Tablespace
from unransom.catalog.databases.innodb.types import OLD_TYPES, column_type

FITS = 0.9  # share of the records of sampled pages that a definition must explain
SOUND = 0.99  # share that shows that the definition with the file's name is the one
NAMESAKE, OWN = 2, 3  # how well the name of a table fits that of a file: it is the same, so is the database's
TILES = 0.5  # share of records that a definition lays end to end, of which no wrong one is capable
SAMPLE, TORN_SAMPLE = 12, 4  # pages; of damaged ones, which take longer
PROVEN = 0.025  # share of the records of damaged pages that a definition must find; wrong ones find 0.01
LEAST = 5  # records that it must find
HEAP_TOP, HEAP, GARBAGE = 40, 42, 46  # in the head of a page
SMALLEST = 24  # bytes of a record with a transaction
FIRST, OLD_FIRST = 120, 125  # where the records of a page begin, and in the older format


def _variants(definition: TableDef) -> Iterator[TableDef]:
    """Yield ``definition`` as servers may have stored it besides: with a hidden column, with old types."""
    document = column_type(DOC_ID_TYPE, UTF8)
    if document is not None and DOC_ID not in {column.name for column in definition.columns}:
        hidden = ColumnDef(DOC_ID, document, nullable=False, hidden=True)
        yield msgspec.structs.replace(definition, columns=(*definition.columns, hidden))
    aged = tuple(
        msgspec.structs.replace(column, type=OLD_TYPES.get(column.type.kind, column.type))
        for column in definition.columns
    )
    if aged != definition.columns:
        yield msgspec.structs.replace(definition, columns=aged)


class Rated(NamedTuple):
    """How well a definition explains an index.

    Attributes:
        sound: Share of records that it explains without a contradiction.
        named: How well its name and that of the file go together.
        tiled: Share of records that end where the next one begins, of which few definitions are capable.
        found: About how many records of the index these are.
    """

    sound: float
    named: int
    tiled: float
    found: float
    owner: int
    definition: TableDef

    @property
    def worth(self) -> tuple[bool, int, float, int]:
        """What ratings are ordered by; servers make the clustered index first."""
        return self.sound >= FITS, self.named, round(self.tiled, 2), -self.owner


def best(
    space: Tablespace, indexes: Iterable[int], candidates: Sequence[TableDef], places: set[tuple[str, str]]
) -> list[Rated]:
    """Return how well each definition explains the index that it explains best, the best first.

    Args:
        space: The tablespace.
        indexes: Ids of indexes in it.
        candidates: The definitions.
        places: What the table may be called: databases and tables, in lower case.
    """
    samples = {index: sample(space, index) for index in indexes}
    rated: list[Rated] = []
    alike = [_alike(candidate.name.lower(), places) for candidate in candidates]
    for place in sorted(range(len(candidates)), key=lambda place: -alike[place]):
        candidate, likeness = candidates[place], alike[place]
        if any(row.named >= max(likeness + 1, NAMESAKE) and row.sound >= SOUND for row in rated):
            break  # of a whole database's definitions the others need not be tried
        rows = [rate(space, samples, likeness, candidate)]
        if rows[0].sound < FITS or rows[0].tiled < TILES:
            rows += [rate(space, samples, likeness, variant) for variant in _variants(candidate)]
        rated.append(max(rows, key=lambda row: row.worth))
    return sorted(rated, key=lambda row: row.worth, reverse=True)


def sample(space: Tablespace, index: int) -> NDArray[np.int64]:
    """Return the numbers of some sound leaf pages of an index, of damaged ones where none is sound."""
    numbers, most = leaves(space.table, index), SAMPLE
    if not len(numbers):
        numbers, most = leaves(space.table, index, pages.TORN), TORN_SAMPLE
    return numbers[:: max(len(numbers) // most, 1)][:most]


def _is_sound(space: Tablespace, numbers: NDArray[np.int64]) -> bool:
    """Return whether all of some pages are sound."""
    return bool((space.table["verdict"][numbers] == pages.VALID).all())


def _records(space: Tablespace, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many records pages say they have, where there is room for so many."""
    records = space.table["records"][numbers].astype(np.int64)
    return np.asarray(np.minimum(records, space.logical // SMALLEST))


def rate(
    space: Tablespace, samples: dict[int, NDArray[np.int64]], likeness: int, definition: TableDef
) -> Rated:
    """Return how well a definition explains the index that it explains best, by some pages of each.

    Damage gives pages ids of indexes that there are not. Such an index may be explained best, but has few of
    the rows.
    """
    sound: list[Rated] = []
    torn: list[Rated] = []
    for index, numbers in samples.items():
        fits, tiled, _, _ = _arranged(space, index, numbers, definition)
        every = np.concatenate([leaves(space.table, index), leaves(space.table, index, pages.TORN)])
        found = tiled * int(_records(space, every).sum()) if fits >= FITS else 0
        row = Rated(fits, likeness, tiled, found, index, definition)
        (sound if _is_sound(space, numbers) else torn).append(row)
    firm = max(sound, key=lambda row: row.worth, default=None)
    weak = max(torn, key=lambda row: (row.found, row.worth), default=None)
    if firm is None or weak is None:
        return firm or weak or Rated(0, likeness, 0, 0, 0, definition)
    return weak if weak.found > firm.found and weak.worth > firm.worth else firm


def arranged(space: Tablespace, index: int, definition: TableDef) -> tuple[Layout, int]:
    """Return that of the ``arrangements`` of a definition which explains an index best."""
    _, _, layout, core = _arranged(space, index, sample(space, index), definition)
    return layout, core


def _arranged(
    space: Tablespace, index: int, numbers: NDArray[np.int64], definition: TableDef
) -> tuple[float, float, Layout, int]:
    """Return how sound the best arrangement of a definition is, how well it tiles, and what it is."""
    best = (0.0, 0.0, layout_of(definition), 0)
    is_sound = _is_sound(space, numbers)
    told = is_sound and is_told(space, index)
    for layout, core in arrangements(space, index, definition):
        plan = plan_of(layout, core)
        if is_sound:
            sound, tiled = fit(space, numbers, plan)
            proven = sound >= FITS and tiled >= TILES
        else:
            sound, tiled = _found_in_damaged(space, numbers, form_of(layout, plan, index, compact=True))
            proven = sound >= FITS
        if proven or told:
            best = (sound, tiled, layout, core)
        if proven:
            break
    return best


def _alike(name: str, places: set[tuple[str, str]]) -> int:
    """Return how well folders and names of files fit the name of a table with its database."""
    database, _, table = name.rpartition("/")
    if (database, table) in places and database:
        return OWN
    if any(table == each for _, each in places):
        return NAMESAKE
    return int(any(each.endswith(table) for _, each in places))


def fit(space: Tablespace, numbers: NDArray[np.int64], plan: Plan) -> tuple[float, float]:
    """Return the shares of the records of some pages that ``plan`` explains, and that it lays end to end.

    Records that, with what their page has given up, fill it to where it says that it is full, count as such.
    """
    good = tiled = total = 0
    for kept, data in space.groups(numbers):
        origins, owners, _ = decode.listed(data, space.logical)
        located = decode.locate(data, kept, origins, owners, plan)
        located = located.only((located.info() & 0x10) == 0)
        order = np.argsort(located.origins)
        begins, ends = located.begins[order], located.ends[order]
        sound = (begins >= 0) & np.append(ends[:-1] <= begins[1:], True)
        total += len(order)
        good += int(sound.sum())
        full = _filled(data, space.logical, located)[located.owners[order][1:]]
        tiled += int(((ends[:-1] == begins[1:]) | full).sum())
    return (good / total, tiled / total) if total else (1.0, 0.0)


def _found_in_damaged(space: Tablespace, numbers: NDArray[np.int64], form: Form) -> tuple[float, float]:
    """Return how sound a definition is by damaged pages, and the share of their records that it finds.

    It finds those that are whole and lie end to end with others. Of damaged pages that is enough or not.
    """
    found = 0
    for kept, data in space.groups(numbers):
        judged = candidates(form._replace(compact=is_compact(data, space.logical)), kept, data)
        found += int((judged.results == kernel.PROVEN).sum())
    share = min(found / max(int(_records(space, numbers).sum()), 1), 1.0)
    return (FITS if share >= PROVEN and found >= LEAST else 0.0), share


def _filled(data: NDArray[np.uint8], size: int, located: decode.Located) -> NDArray[np.bool_]:
    """Return of which pages the records have just the bytes that the page says are in use."""
    heads = data.reshape(-1, size)[:, :FIRST].astype(np.int64)
    top, given_up = (heads[:, at] << 8 | heads[:, at + 1] for at in (HEAP_TOP, GARBAGE))
    first = np.where(heads[:, HEAP] & 0x80, FIRST, OLD_FIRST)
    used = np.bincount(located.owners, located.ends - located.begins, len(heads))
    return np.asarray(first + used + given_up == top)
