"""Opening bytes as a database, and taking its rows."""

from __future__ import annotations

from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.mssql import ENGINE
from unransom.core.streams import BytesReader


def opened(*sources, sql=()):
    """Return the only database of ``sources``: bytes, or pairs of name and bytes."""
    named = [source if isinstance(source, tuple) else ("a.mdf", source) for source in sources]
    databases = ENGINE.open([Source(name, BytesReader(data)) for name, data in named], Hints(tuple(sql)))
    assert len(databases) == 1
    return databases[0]


def rows(database, name, states=("live",)):
    """Return the rows of a table as tuples, in the order they come."""
    table = next(table for table in database.tables if table.name.split(".", 1)[-1] == name)
    names = [column.name for column in table.columns]
    out = []
    for found in database.rows(table):
        found.batch.validate(full=True)
        assert found.batch.schema.names[: len(names)] == names
        out += [
            tuple(row[name] for name in names) for row in found.batch.to_pylist() if row["_state"] in states
        ]
    return out


def everything(database, states=("live", "salvaged", "log", "old copy")):
    """Return all rows as pairs of table and row; named columns in any order."""
    return [
        (table.name.split(".", 1)[-1], *((column.name, row[column.name]) for column in table.columns))
        for table in database.tables
        for found in database.rows(table)
        for row in found.batch.to_pylist()
        if row["_state"] in states
    ]


def script(database):
    """Return CREATE TABLE statements of what ``database`` has."""
    out = []
    for table in database.tables:
        columns = [
            f"[{column.name}] {column.declared} {'NULL' if column.nullable else 'NOT NULL'}"
            for column in table.columns
        ]
        if table.key:
            columns.append(
                f"CONSTRAINT [k] PRIMARY KEY CLUSTERED ({', '.join(f'[{k}] ASC' for k in table.key)})"
            )
        schema, name = table.name.split(".", 1)
        out.append(
            f"CREATE TABLE [{schema}].[{name}](\n\t" + ",\n\t".join(columns) + "\n) ON [PRIMARY]\nGO\n"
        )
    return "\n".join(out)
