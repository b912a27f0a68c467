"""What may be records in damaged pages, and what each is worth, by the definition of a table alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import _plausible_kernel as plausible
from unransom.catalog.databases.innodb import _salvage_kernel as kernel
from unransom.catalog.databases.innodb import decode, pages
from unransom.catalog.databases.innodb.plan import Plan
from unransom.catalog.databases.innodb.schema import ROLL_PTR, TRX_ID, Field, Layout
from unransom.catalog.databases.innodb.types import Kind

FIRST = 112  # bytes of a page in front of its records
OVERWRITTEN = 8  # wrong bits of a page's number, kind and index that show that the head is overwritten
SLACK = 8  # zeros of the values around zeros that are damage
ANY = 1 << 47  # no transaction is newer


class Checks(NamedTuple):
    """What values must be like: by field, the check and its two bounds."""

    codes: NDArray[np.int8]
    lows: NDArray[np.int64]
    highs: NDArray[np.int64]


def _check(field: Field, latest: int) -> tuple[int, int, int]:
    """Return the check of a field and its bounds."""
    if field.name == TRX_ID and field.column < 0:
        return plausible.TRX, 0, latest
    if field.name == ROLL_PTR and field.column < 0:
        return plausible.ROLL, 0, 0
    kind = field.type
    text = plausible.UTF8 if kind.charset.codec == "utf-8" else plausible.ASCII
    checks = {
        Kind.DATE: (plausible.DATE, 0, 0),
        Kind.DATETIME: (plausible.DATETIME, 0, 0),
        Kind.TIME: (plausible.CLOCK, 0, 0),
        Kind.ENUM: (plausible.ENUM, 0, len(kind.elements)),
        Kind.SET: (plausible.LIMIT, 0, (1 << min(len(kind.elements), 62)) - 1),
        Kind.BIT: (plausible.LIMIT, 0, (1 << min(kind.precision, 62)) - 1),
        Kind.DECIMAL: (plausible.DECIMAL, kind.precision, kind.scale),
    }
    if kind.kind is Kind.TEXT and kind.charset.least == 1 and not kind.packed:
        return text, 0, 0
    return checks.get(kind.kind, (plausible.NONE, 0, 0))


def checks_of(layout: Layout, latest: int) -> Checks:
    """Return the checks for the fields of a table's records; ``latest`` is the newest transaction known."""
    rows = [_check(field, latest) for field in layout.fields]
    codes, lows, highs = zip(*rows, strict=True)
    return Checks(np.array(codes, np.int8), np.array(lows, np.int64), np.array(highs, np.int64))


class Form(NamedTuple):
    """What the records of a table are like.

    Attributes:
        layout, plan: Their fields.
        owner: Id of the index.
        compact: Format of their heads.
        noisy: They look random themselves, so that damage does not stand out.
        natural: Some of them are long and random, so that noise on a page need not be damage.
        checks: What their values must be like.
    """

    layout: Layout
    plan: Plan
    owner: int
    compact: bool
    noisy: bool
    natural: bool
    checks: Checks


def form_of(layout: Layout, plan: Plan, owner: int, compact: bool) -> Form:
    """Return what records are like as far as their definition tells."""
    return Form(layout, plan, owner, compact, False, False, checks_of(layout, ANY))


def is_compact(data: NDArray[np.uint8], size: int) -> bool:
    """Return whether most of the pages in ``data`` say that their records are compact."""
    return bool((data[42::size] & 0x80).astype(np.bool_).mean() > 0.5)


def latest_in(layout: Layout, located: decode.Located) -> int:
    """Return the newest transaction that records name."""
    place = next(n for n, field in enumerate(layout.fields) if field.name == TRX_ID)
    return int(decode.numbers_at(located.data, located.starts[place], 6).max())


class Judged(NamedTuple):
    """What may be records in damaged pages.

    Attributes:
        located: Where they are.
        results: What each is worth; see ``_salvage_kernel.judge``.
        shown: Of which it shows that no value is damaged, because it shows where on the page the damage is,
            and that they are in the table and not among the rows that the page has given up.
    """

    located: decode.Located
    results: NDArray[np.int8]
    shown: NDArray[np.bool_]


def candidates(form: Form, numbers: NDArray[np.int64], data: NDArray[np.uint8]) -> Judged:
    """Return what may be records in the pages ``numbers``, whose bytes are ``data``."""
    size = len(data) // len(numbers)
    bases = np.arange(len(numbers), dtype=np.int64) * size
    room = len(numbers) * (size // 24)
    shape = (len(form.layout.fields), room)
    starts, lengths = np.zeros(shape, np.int64), np.zeros(shape, np.int32)
    outside = np.zeros(shape, np.uint8)
    origins, begins, ends = (np.zeros(room, np.int64) for _ in range(3))
    owners = np.zeros(room, np.int32)
    kinds = (form.compact, len(form.plan.counts) > 1)
    records = (origins, owners, begins, ends, starts, lengths, outside)
    count = kernel.candidates(data, size, bases, kinds, tuple(form.plan), tuple(form.checks), records)
    located = decode.Located(
        data, numbers, owners[:count], origins[:count], begins[:count], ends[:count],
        np.ascontiguousarray(starts[:, :count]), np.ascontiguousarray(lengths[:, :count]),
        np.ascontiguousarray(outside[:, :count]), form.compact,
    )  # fmt: skip
    # Where the rows themselves look random, damage may begin anywhere: what is behind a record must tell.
    noises = np.full((len(numbers), size // kernel.CELL), kernel.EDGE, np.int8)
    if not form.noisy:
        for place in range(len(numbers)):
            kernel.noise(data, place * size, size, noises[place])
    results = np.zeros(count, np.int8)
    kernel.judge(
        data, size, bases, form.compact, tuple(form.plan), noises, located.origins, located.owners,
        located.begins, located.ends, results,
    )  # fmt: skip
    heads = decode.numbers_at(data, bases + 66, 8) == form.owner
    kept = np.zeros(count, np.bool_)
    kernel.given_up(data, size, bases, heads, form.compact, located.origins, located.owners, results, kept)
    seen = _seen(form, located, noises)[located.owners]
    return Judged(located, np.where(seen, results, _listed(located, results)), seen & kept)


def _listed(located: decode.Located, results: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the results so that of pages whose list of records is whole those of the list count."""
    count = len(located.numbers)
    size = len(located.data) // count
    origins, owners, ended = decode.listed(located.data, size)
    records = decode.numbers_at(located.data, np.arange(count, dtype=np.int64) * size + 54, 2)
    known = np.isin(origins, located.origins)
    whole = ended & (np.bincount(owners[known], minlength=count).astype(np.uint64) == records)
    whole &= np.bincount(owners[~known], minlength=count) == 0
    listed = np.isin(located.origins, origins)
    better = np.where(listed, np.maximum(results, kernel.LINKED), kernel.UNLINKED)
    return np.where(whole[located.owners], better, results).astype(np.int8)


def _seen(form: Form, located: decode.Located, noises: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Return of which pages it shows where the damage is: a wrong head, noise, sectors of zeros.

    A few wrong bits in the head may be some of many all over the page.
    """
    size = len(located.data) // len(noises)
    bases = np.arange(len(noises), dtype=np.int64) * size
    kinds = decode.numbers_at(located.data, bases + 24, 2)
    kinds ^= np.where(np.isin(kinds, pages.INDEXES), kinds, np.uint64(pages.INDEX))
    numbers = decode.numbers_at(located.data, bases + 4, 4) ^ located.numbers.astype(np.uint64)
    owners = decode.numbers_at(located.data, bases + 66, 8) ^ np.uint64(form.owner)
    bits = np.unpackbits(np.stack([kinds, numbers, owners], axis=1).view(np.uint8), axis=1)
    seen = bits.sum(axis=1) >= OVERWRITTEN
    if not form.natural:
        seen |= (noises == kernel.INSIDE).any(axis=1)
    last = np.zeros(len(noises), np.int64)
    np.maximum.at(last, located.owners, located.ends)
    for place in np.flatnonzero(~seen).tolist():
        used = located.data[bases[place] : max(last[place], bases[place])]
        seen[place] = _has_empty_sectors(used)
    return np.asarray(seen)


def _has_empty_sectors(used: NDArray[np.uint8]) -> bool:
    """Return whether zeros begin or end where a sector does; what the server deletes ends anywhere."""
    full = np.flatnonzero(used)
    gaps = np.flatnonzero(np.diff(full) > kernel.SECTOR)
    starts, ends = full[gaps] + 1, full[gaps + 1]
    aligned = (-starts % kernel.SECTOR <= SLACK) | (ends % kernel.SECTOR <= SLACK)
    return bool((aligned & (starts > FIRST)).any())
