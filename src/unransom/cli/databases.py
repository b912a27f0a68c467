"""``unransom databases``: files of SQL Server, MySQL or MariaDB in, every row that is still there out."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unransom.cli.options import EXISTING, json_option, out_option
from unransom.cli.screen import say_to_people
from unransom.cli.speech import LANGUAGE, spoken, t
from unransom.core.errors import EXIT_DONE, EXIT_INCOMPLETE

if TYPE_CHECKING:
    from unransom.recover.databases.step import MakeWriter, Outcome

FORMATS = ("sqlite", "csv", "sql", "parquet")
PASSWORD = "UNRANSOM_INTO_PASSWORD"  # noqa: S105  the name of a variable of the environment
DIALECTS = ("mysql", "postgresql", "mssql")


@click.command(
    help=t("Get rows out of damaged files of databases. The files stay as they are."),
    epilog=t("Example: unransom databases orders.ibd --schema dump.sql --out rows"),
)
@click.argument("files", nargs=-1, required=True, type=EXISTING, metavar="FILE|DIR...")
@out_option
@click.option(
    "--schema",
    "schemas",
    type=EXISTING,
    multiple=True,
    metavar="SQL",
    help=t("CREATE TABLE statements: a script or a dump."),
)
@click.option(
    "--key",
    "--server-key",
    "keys",
    type=EXISTING,
    multiple=True,
    metavar="FILE",
    help=t("A key file of MariaDB or MySQL, for tables that the server encrypted."),
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="sqlite", help=t("Of the output."))
@click.option("--dialect", type=click.Choice(DIALECTS), default="mysql", help=t("Of --format sql."))
@click.option(
    "--into",
    metavar="URL",
    help=t("Write into this MariaDB, MySQL or PostgreSQL instead of files: mysql://user@host/database."),
)
@click.option("--table", "tables", multiple=True, metavar="NAME", help=t("Only this table."))
@click.option(
    "--deleted",
    is_flag=True,
    help=t("Also deleted rows, and by undo logs rows as they were, in tables of their own."),
)
@click.option("--provenance", is_flag=True, help=t("Add columns that say where a row was found."))
@click.option("--graft", is_flag=True, help=t("Also write tablespaces that MariaDB and MySQL import."))
@click.option(
    "--repair",
    is_flag=True,
    help=t("Also write repaired files of SQL Server; no server has tested what it makes."),
)
@json_option
def command(
    files: tuple[Path, ...],
    out: Path,
    schemas: tuple[Path, ...],
    keys: tuple[Path, ...],
    form: str,
    dialect: str,
    into: str | None,
    tables: tuple[str, ...],
    deleted: bool,
    provenance: bool,
    graft: bool,
    repair: bool,
    as_json: bool,
) -> int:
    """Read the files, write the tables and say what is missing."""
    from unransom.catalog.databases.engine import Hints
    from unransom.recover.databases.formats import writer_for
    from unransom.recover.databases.gathering import gather
    from unransom.recover.databases.grafting import write_grafts
    from unransom.recover.databases.keyfile import read_keys
    from unransom.recover.databases.repairing import write_repairs
    from unransom.recover.databases.report import as_document, write_report
    from unransom.recover.databases.step import Wanted, recover

    with contextlib.ExitStack() as stack:
        sources, sql = gather(files, schemas, stack)
        hints = Hints(sql=sql, keys=read_keys(keys))
        make_writer = _into(into) if into else writer_for(form, dialect, out)
        outcome = recover(sources, hints, make_writer, Wanted(deleted, provenance, frozenset(tables)))
        said = write_grafts(sources, hints, out / "graft")[1] if graft else []
        said += write_repairs(sources, hints, out / "repaired")[1] if repair else []
    write_report(outcome, out, LANGUAGE)
    if as_json:
        print(as_document(outcome, LANGUAGE))
    else:
        _print(outcome)
        for message in said:
            print(spoken(message))
    whole = all(result.loss.recovered == result.loss.expected for result in outcome.tables)
    return EXIT_DONE if outcome.tables and whole and not outcome.problems else EXIT_INCOMPLETE


def _into(url: str) -> MakeWriter:
    """Return what makes writers into a server; its password comes from the environment or is asked for."""
    from unransom.recover.databases.into import IntoWriter, connect

    password = os.environ.get(PASSWORD)
    if password is None:
        password = click.prompt(t("Password"), default="", hide_input=True, err=True) if _asks() else ""
    engine = connect(url, password)
    return lambda _database: IntoWriter(engine)


def _asks() -> bool:
    return sys.stdin.isatty()


def _print(outcome: Outcome) -> None:
    from unransom.recover.databases.report import uncertain

    if not outcome.tables and not outcome.problems:
        say_to_people(t("No database was found in what was given."))
    for result in outcome.tables:
        known = result.loss.expected
        print(
            t(
                "{table}: {rows} of {expected} rows",
                table=result.table,
                rows=result.loss.recovered,
                expected="?" if known is None else known,
            )
        )
        if result.doubtful:
            print(spoken(uncertain(result)))
    for problem in outcome.problems:
        print(spoken(problem))
