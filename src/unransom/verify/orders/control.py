"""Control totals: what each export says about itself, and what neighbouring exports say about each other."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from unransom.catalog.exports.channel import Ends, Export
from unransom.catalog.exports.tables import SCALE, moment
from unransom.core.messages import Message, say
from unransom.core.orders import ControlTotal, ExportVerdict
from unransom.core.records import Grade

_Ending = tuple[Ends, Export]
SLACK = 1_000_000  # microseconds that one settlement may begin after the other's end


def verdicts(exports: Sequence[Export]) -> Iterator[ExportVerdict]:
    """Yield the verdicts on each export, then those between them.

    GOOD: all totals hold. BAD: one does not. UNKNOWN: the export says nothing about itself.
    """
    for export in exports:
        yield from _own(export, exports)
    yield from _doubled(exports)
    yield from _sequences(exports)
    yield from _balances(exports)


def _own(export: Export, exports: Sequence[Export]) -> Iterator[ExportVerdict]:
    broken = [total for total in export.totals if not (total.holds or _shared(total, export, exports))]
    for total in broken:
        yield ExportVerdict(file=export.name, channel=export.channel, grade=Grade.BAD, why=_broken(total))
    if not broken:
        if export.totals:
            why = say("{count} control totals hold", count=len(export.totals))
        else:
            why = say("it has no control total: that nothing is missing is not proven by it")
        grade = Grade.GOOD if export.totals else Grade.UNKNOWN
        yield ExportVerdict(file=export.name, channel=export.channel, grade=grade, why=why)


def _shared(total: ControlTotal, export: Export, exports: Sequence[Export]) -> bool:
    """Return whether the parts of a sum that stand in other exports of the account make it whole."""
    others = {
        each.sha256: each.shares[total.share]
        for each in exports
        if (each.channel, each.account) == (export.channel, export.account)
        and each.sha256 != export.sha256
        and total.share in each.shares
    }
    return bool(others) and total.stated == total.found + sum(others.values())


def _broken(total: ControlTotal) -> Message:
    what, stated, found = total.what, f"{total.stated.normalize():f}", f"{total.found.normalize():f}"
    if total.row:
        return say(
            "{what}: row {row} should be {stated} and is {found}",
            what=what,
            row=total.row,
            stated=stated,
            found=found,
        )
    if total.share and abs(total.found) < abs(total.stated):
        return say(
            "{what}: the export says {stated}, its rows say {found};"
            " other parts may stand in the export before it",
            what=what,
            stated=stated,
            found=found,
        )
    return say(
        "{what}: the export says {stated}, its rows say {found}", what=what, stated=stated, found=found
    )


def _doubled(exports: Sequence[Export]) -> Iterator[ExportVerdict]:
    """Yield a verdict on each file that is another one again; its rows count once."""
    seen: dict[str, str] = {}
    for export in exports:
        if first := seen.get(export.sha256):
            why = say("it is {file} again, byte for byte; it counts once", file=first)
            yield ExportVerdict(file=export.name, channel=export.channel, grade=Grade.PARTIAL, why=why)
        seen.setdefault(export.sha256, export.name)


def _sequences(exports: Sequence[Export]) -> Iterator[ExportVerdict]:
    """Yield a verdict on each hole between settlements of one marketplace: each begins where one ends."""
    groups: dict[tuple[str, str], list[Export]] = defaultdict(list)
    for export in exports:
        if export.sequence and export.moves.num_rows:
            currency = export.moves["currency"][0].as_py() or ""
            groups[export.channel, currency].append(export)
    for group in groups.values():
        ordered = sorted(group, key=lambda export: export.sequence[1:] if export.sequence else (0, 0))
        for before, after in itertools.pairwise(ordered):
            assert before.sequence is not None  # noqa: S101  filtered above
            assert after.sequence is not None  # noqa: S101  filtered above
            if after.sequence[1] - before.sequence[2] > SLACK:
                why = say(
                    "a settlement is missing before it: nothing covers {start} to {end}",
                    start=f"{moment(before.sequence[2]):%Y-%m-%dT%H:%M:%SZ}",
                    end=f"{moment(after.sequence[1]):%Y-%m-%dT%H:%M:%SZ}",
                )
                yield ExportVerdict(file=after.name, channel=after.channel, grade=Grade.BAD, why=why)


def _balances(exports: Sequence[Export]) -> Iterator[ExportVerdict]:
    """Yield a verdict on each statement whose balance does not go on where the one before it ended.

    Statements of one account cover one time after the other. Where some overlap, they are of several
    accounts, or were fetched again, and what follows what is not known. A balance of a moment that was
    asked for stands between them.
    """
    told = [(each, export) for export in exports if not export.moves.num_rows for each in export.ends]
    groups: dict[tuple[str, str, str], dict[str, tuple[Ends, Export]]] = defaultdict(dict)
    for export in exports:
        if export.moves.num_rows:
            for each in export.ends:
                groups[export.channel, export.account, each.currency][export.sha256] = (each, export)
            for each, teller in told:
                if export.ends and _is_of(teller, export.channel, export.account, told):
                    key = f"{teller.sha256} {each.start}"
                    groups[export.channel, export.account, each.currency][key] = (each, teller)
    for group in groups.values():
        yield from _unbroken(list(group.values()))


def _is_of(teller: Export, channel: str, account: str, told: Sequence[_Ending]) -> bool:
    """Return whether a balance is that of an account, which statements do not always name."""
    owners = {export.account for _, export in told}
    mine = teller.account == account or ("" in {teller.account, account} and len(owners) == 1)
    return mine and channel.startswith(teller.channel.partition("_")[0])


def _unbroken(group: Sequence[_Ending]) -> Iterator[ExportVerdict]:
    statements = sorted(
        (pair for pair in group if pair[1].moves.num_rows), key=lambda pair: (pair[0].start, pair[0].end)
    )
    if any(after.start <= before.end for (before, _), (after, _) in itertools.pairwise(statements)):
        return
    between = [
        (each, export)
        for each, export in group
        if not export.moves.num_rows
        and not any(statement.start <= each.start < statement.end for statement, _ in statements)
    ]
    ordered = sorted(
        [*statements, *between], key=lambda pair: (pair[0].end, not pair[1].moves.num_rows, pair[0].start)
    )
    for before, after in itertools.pairwise(ordered):
        if not _balances_of(before, closing=True) & _balances_of(after):
            yield _gap(before, after)


def _balances_of(ending: _Ending, *, closing: bool = False) -> set[int]:
    each = ending[0]
    return {each.closing if closing else each.opening, *each.others}


def _gap(before: _Ending, after: _Ending) -> ExportVerdict:
    """Return the verdict on the statement beside a gap: the later one, if that is not only a balance."""
    (first, earlier), (second, later) = before, after
    closing, opening = (
        f"{Decimal(units).scaleb(-SCALE).normalize():f} {first.currency}".strip()
        for units in (first.closing, second.opening)
    )
    if earlier.moves.num_rows and not later.moves.num_rows:
        why = say(
            "it ends with {closing}, and {file} has {opening} then: what lies between is missing",
            closing=closing,
            file=later.name,
            opening=opening,
        )
        return ExportVerdict(file=earlier.name, channel=earlier.channel, grade=Grade.BAD, why=why)
    why = say(
        "it begins with {opening}, and {file} ends with {closing}: what lies between is missing",
        opening=opening,
        file=earlier.name,
        closing=closing,
    )
    return ExportVerdict(file=later.name, channel=later.channel, grade=Grade.BAD, why=why)
