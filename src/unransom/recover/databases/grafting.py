"""Writes the files that a server takes as its own, with the statements around their import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow
from numpy.typing import NDArray

from unransom.catalog.databases.engine import Database, Engine, Graft, Hints, Source
from unransom.catalog.databases.table import PROVENANCE, Table
from unransom.core.drafts import DraftFile
from unransom.core.messages import Message, say
from unransom.recover.databases.pages import write_pages
from unransom.recover.databases.sql import SqlWriter
from unransom.recover.databases.step import by_engine
from unransom.recover.databases.writer import Shown

LIVE, SALVAGED = "live", "salvaged"


def write_grafts(sources: Sequence[Source], hints: Hints, folder: Path) -> tuple[list[Path], list[Message]]:
    """Write a graft for each table that makes one; return the files, and what is to be said.

    Args:
        sources: Files of databases.
        hints: What is known from outside.
        folder: Where the files go.
    """
    written: list[Path] = []
    said: list[Message] = []
    names: Counter[str] = Counter()
    for engine, mine in by_engine(sources, []):
        for database in engine.open(mine, hints) if engine.graft else ():
            for table in database.tables:
                made = _make(engine, database, table)
                if isinstance(made, Message):
                    said.append(say("{table}: no graft: {why}", table=table.name, why=made))
                    continue
                names[table.short.lower()] += 1
                number = names[table.short.lower()]  # tables of several databases may be called the same
                written += _write(made, database, table, folder / str(number) if number > 1 else folder)
                said.append(say("{table}: {rows} rows in the graft", table=table.name, rows=made.rows))
    return written, said


def _make(engine: Engine, database: Database, table: Table) -> Graft | Message:
    assert engine.graft is not None  # noqa: S101  asked before
    return engine.graft(database, table)


def _write(made: Graft, database: Database, table: Table, folder: Path) -> list[Path]:
    name = table.short
    space = DraftFile(folder, f"{name}.ibd")
    write_pages(made, space)
    salvaged = _salvaged(made, database, table, folder)
    script = DraftFile(folder, f"{name}.import.sql")
    script.path.write_text(_script(made, name, bool(salvaged)), encoding="utf-8")
    return [space.keep(), *salvaged, script.keep()]


def _script(made: Graft, name: str, salvaged: bool) -> str:
    quoted = "`" + name.replace("`", "``") + "`"
    lines = [
        "SET NAMES utf8mb4;",
        "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO';",  # dates and numbers of 0 are kept as they are
        made.create + ";",
        f"ALTER TABLE {quoted} DISCARD TABLESPACE;",
        f"-- Now copy {name}.ibd into the database's folder of the server, owned by the server's user.",
        f"ALTER TABLE {quoted} IMPORT TABLESPACE;",
        f"CHECK TABLE {quoted} EXTENDED;",
        *(statement + ";" for statement in made.afterwards),
    ]
    if salvaged:
        lines.append(f"-- Rows of damaged or old pages, to be looked at first: SOURCE {name}.salvaged.sql")
    return "\n".join(lines) + "\n"


def _salvaged(made: Graft, database: Database, table: Table, folder: Path) -> list[Path]:
    """Write the rows of damaged and doubted pages that are not in the graft, as INSERT statements."""
    writer: SqlWriter | None = None
    name = table.short
    for rows in database.rows(table):
        batch = rows.batch.filter(pyarrow.array(_outside(made, rows.batch), pyarrow.bool_()))
        if not batch.num_rows:
            continue
        if writer is None:
            writer = SqlWriter(folder, f"{name}.salvaged", "mysql", creating=False)
            writer.begin(Shown(name, table, table.columns))
        writer.write(batch.select(list(range(len(table.columns)))))
    return writer.keep() if writer else []


def _outside(made: Graft, batch: pyarrow.RecordBatch) -> NDArray[np.bool_]:
    """Return which salvaged and doubted rows are not in the graft."""
    numbers, slots = (batch.column(name).to_numpy(zero_copy_only=False) for name in PROVENANCE[:2])
    states = batch.column(PROVENANCE[2]).cast(pyarrow.string()).to_numpy(zero_copy_only=False)
    outside = (states == SALVAGED) | (states == LIVE) & np.isin(numbers, made.doubted)
    for number in np.unique(numbers[states == SALVAGED]).tolist():
        mine = outside & (numbers == number)
        outside[mine] = ~np.isin(slots[mine], made.restored.get(number, ()))
    return outside
