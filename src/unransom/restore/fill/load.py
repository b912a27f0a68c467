"""The load of an approved plan, and its undo: both go on where they stopped, and never overwrite."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, islice
from typing import Any

import msgspec
import sqlalchemy as sa

from unransom.core.errors import UnransomError
from unransom.core.messages import say
from unransom.core.progress import Listener, Progress, silent
from unransom.restore.fill.columns import Misfit
from unransom.restore.fill.mapping import Mapping, TableMapping
from unransom.restore.fill.plan import Counts, Entry, Plan
from unransom.restore.fill.target import BATCH, Key, Row, Target, key_of, same

Numbered = tuple[int, Entry]
TRIES = 3  # of a batch that another program's insert got in the way of


def fill(
    plan: Plan, mapping: Mapping, target: Target, listener: Listener = silent
) -> Iterator[Entry | Counts]:
    """Carry out the plan; yield each row that has come to differ since, and last the counts.

    A batch of rows and the record of where each came from are one transaction. Rows that are there
    already are left as they are.

    Args:
        plan: The approved plan.
        mapping: The one that it was made with.
        target: The company's database.
        listener: Told how far it is.

    Raises:
        UnransomError: The database refuses a row.
    """
    counts, done = Counts(), 0
    ledger = target.ledger()
    tables = mapping.tables()
    for of, group in groupby(plan.inserts(), key=lambda numbered: numbered[1].of):
        if of not in tables:
            raise UnransomError(
                say("the plan was made with another mapping"), hint=say("make the plan again")
            )
        while batch := list(islice(group, BATCH)):
            for differing in _insert(batch, plan.id, tables[of], target, ledger, counts):
                counts.differs += 1
                yield differing
            done += len(batch)
            listener(Progress("fill", done, 0, "files", tables[of].table))
    yield counts


def _insert(
    batch: list[Numbered], plan: str, table: TableMapping, target: Target, ledger: sa.Table, counts: Counts
) -> list[Entry]:
    """Insert what is not there; return the entries whose rows say something else."""
    for left in range(TRIES - 1, -1, -1):
        try:
            with target.engine.begin() as connection:
                new, differing, present = _split(batch, plan, table, target, ledger, connection)
                if new:
                    connection.execute(sa.insert(target.table(table.table)), [row for _, _, row in new])
                    # A trigger may have made something else of a row: what is there now is what was filled.
                    stored = _stored(new, table, target, connection)
                    told = [_ledger_row(plan, table, each, stored) for each in new]
                    connection.execute(sa.insert(ledger), told)
        except sa.exc.IntegrityError as error:
            if not left:
                raise UnransomError(
                    say("the target refuses a row of table {table}", table=table.table),
                    detail=str(error.orig)[:300],
                ) from error
        except sa.exc.SQLAlchemyError as error:
            raise UnransomError(
                say("the target refuses a row of table {table}", table=table.table),
                detail=str(getattr(error, "orig", error))[:300],
                hint=say("what was filled so far stays; run the same command again, or undo"),
            ) from error
        else:
            counts.insert += len(new)
            counts.present += present
            return differing
    return []


def _stored(
    new: list[tuple[int, Entry, Row]], table: TableMapping, target: Target, connection: sa.Connection
) -> dict[Key, Row]:
    keys = [tuple(row[name] for name in table.key) for _, _, row in new]
    return target.existing(connection, table, list(new[0][2]), keys)


def _split(
    batch: list[Numbered],
    plan: str,
    table: TableMapping,
    target: Target,
    ledger: sa.Table,
    connection: sa.Connection,
) -> tuple[list[tuple[int, Entry, Row]], list[Entry], int]:
    typed = [(number, entry, _typed(target, table, entry)) for number, entry in batch]
    keys = [tuple(row[name] for name in table.key) for _, _, row in typed]
    there = target.existing(connection, table, list(typed[0][2]), keys)
    new, differing, present = [], [], 0
    mine = _known(plan, [number for number, _, _ in typed], ledger, connection) if there else {}
    for number, entry, row in typed:
        key = key_of(row, table)
        found = there.get(key)
        if found is None:
            there[key] = row  # the same key again in this batch is not inserted twice
            new.append((number, entry, row))
        elif same(row, found, table.ignore) or (
            number in mine and same(target.typed(table, mine[number]), found, table.ignore)
        ):
            present += 1
        else:
            differing.append(msgspec.structs.replace(entry, action="differs", theirs=found))
    return new, differing, present


def _known(plan: str, numbers: list[int], ledger: sa.Table, connection: sa.Connection) -> dict[int, Row]:
    """Return the rows that this plan has filled, by the numbers of their lines."""
    query = sa.select(ledger.c.number, ledger.c.filled_row)
    query = query.where(ledger.c.plan == plan, ledger.c.number.in_(numbers))
    return {number: msgspec.json.decode(row) for number, row in connection.execute(query)}


def _typed(target: Target, table: TableMapping, entry: Entry) -> Row:
    try:
        return target.typed(table, entry.row)
    except Misfit as misfit:
        raise UnransomError(
            say("the target's columns have changed since the plan"), detail=str(misfit)
        ) from misfit


def _ledger_row(
    plan: str, table: TableMapping, numbered: tuple[int, Entry, Row], stored: dict[Key, Row]
) -> Row:
    number, entry, row = numbered
    return {
        "plan": plan,
        "number": number,
        "target_table": table.table,
        "filled_key": msgspec.json.encode([row[name] for name in table.key]).decode(),
        "filled_row": msgspec.json.encode(stored.get(key_of(row, table), entry.row)).decode(),
        "source_file": entry.file,
        "source_row": entry.line,
        "source_sha256": entry.sha256,
    }


def undo(plan: Plan, mapping: Mapping, target: Target, listener: Listener = silent) -> Iterator[Row | Counts]:
    """Take back what the plan filled; yield each row that somebody has changed since, and last the counts.

    Args:
        plan: The plan that was carried out.
        mapping: The one that it was made with.
        target: The company's database.
        listener: Told how far it is.
    """
    counts = Counts()
    if target.has_ledger():
        ledger = target.ledger()
        tables = {table.table: table for table in mapping.tables().values()}
        above: int | None = None
        while batch := _filled(target, ledger, plan.id, above):
            yield from _take_back(batch, tables, target, ledger, counts)
            above = batch[-1]["number"]
            listener(Progress("undo", counts.insert + counts.kept, 0, "files"))
        _drop_empty(target, ledger)
    yield counts


def _filled(target: Target, ledger: sa.Table, plan: str, above: int | None) -> list[Row]:
    """Return the next batch of what was filled, last first: what others refer to goes last."""
    query = sa.select(ledger).where(ledger.c.plan == plan).order_by(ledger.c.number.desc()).limit(BATCH)
    if above is not None:
        query = query.where(ledger.c.number < above)
    with target.engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def _take_back(
    batch: list[Row], tables: dict[str, TableMapping], target: Target, ledger: sa.Table, counts: Counts
) -> Iterator[Row]:
    for name, group in groupby(batch, key=lambda row: row["target_table"]):
        entries, table = list(group), tables[name]
        with target.engine.begin() as connection:
            rows = [target.typed(table, msgspec.json.decode(entry["filled_row"])) for entry in entries]
            keys = [tuple(row[column] for column in table.key) for row in rows]
            there = target.existing(connection, table, list(rows[0]), keys)
            gone: list[tuple[Any, ...]] = []
            numbers: list[int] = []
            for entry, row, key in zip(entries, rows, keys, strict=True):
                found = there.get(key_of(row, table))
                if found is not None and not same(row, found):
                    counts.kept += 1
                    yield {"table": name, "filled": row, "now": found}
                    continue
                gone += [key] if found is not None else []
                numbers.append(entry["number"])
            mine = sa.and_(ledger.c.plan == entries[0]["plan"], ledger.c.number.in_(numbers))
            connection.execute(sa.delete(ledger).where(mine))
            if gone:
                stored = target.table(name)
                condition = sa.tuple_(*(stored.c[column] for column in table.key)).in_(gone)
                connection.execute(sa.delete(stored).where(condition))
                counts.insert += len(gone)


def _drop_empty(target: Target, ledger: sa.Table) -> None:
    with target.engine.begin() as connection:
        if connection.execute(sa.select(sa.func.count()).select_from(ledger)).scalar_one() == 0:
            ledger.drop(connection)
