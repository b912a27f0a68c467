"""Writes damaged files as whole as they can be made, with the statements to try them on a server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unransom.catalog.databases.engine import Hints, Repair, Source
from unransom.core.drafts import DraftFile
from unransom.core.messages import Message, say
from unransom.recover.databases.pages import write_pages
from unransom.recover.databases.step import by_engine

SUFFIXES = {True: ".mdf", False: ".ndf"}  # of the main file, and of others


def write_repairs(sources: Sequence[Source], hints: Hints, folder: Path) -> tuple[list[Path], list[Message]]:
    """Write the repaired files of each database that has such; return them, and what is to be said.

    Args:
        sources: Files of databases.
        hints: What is known from outside.
        folder: Where the files go.
    """
    written: list[Path] = []
    said: list[Message] = []
    for engine, mine in by_engine(sources, []):
        for database in engine.open(mine, hints) if engine.repair else ():
            assert engine.repair is not None  # noqa: S101  asked just now
            for made in engine.repair(database):
                if isinstance(made, Message):
                    said.append(made)
                    continue
                path = _write(made, folder)
                written.append(path)
                said.append(
                    say(
                        "{file}: {kept} pages kept, {damaged} were damaged; untested on a server",
                        file=path.name,
                        kept=made.kept,
                        damaged=made.damaged,
                    )
                )
                if made.main:
                    written.append(_script(path, folder))
    return written, said


def _write(made: Repair, folder: Path) -> Path:
    stem = made.name.rpartition(".")[0] if made.main else made.name
    draft = DraftFile(folder, (stem or made.name) + SUFFIXES[made.main])
    write_pages(made, draft)
    return draft.keep()


def _script(path: Path, folder: Path) -> Path:
    name = "[" + path.stem.replace("]", "]]") + "]"
    quoted = path.name.replace("'", "''")
    draft = DraftFile(folder, f"{path.stem}.attach.sql")
    draft.path.write_text(
        f"""-- {path.name} was put together from what a damaged file still had. No SQL Server has tested it.
-- Work on a copy, on a server that holds nothing else, and hold the rows against the loss report.
-- The folder is that of the server's data.
CREATE DATABASE {name} ON (FILENAME = N'C:\\data\\{quoted}') FOR ATTACH_REBUILD_LOG;
-- Where the server refuses: create an empty database of this name with a file of this name and size, stop the
-- server, put {path.name} in the place of its file, start the server, and go on here.
ALTER DATABASE {name} SET EMERGENCY;
ALTER DATABASE {name} SET SINGLE_USER;
DBCC CHECKDB ({name}, REPAIR_ALLOW_DATA_LOSS) WITH NO_INFOMSGS;
ALTER DATABASE {name} SET MULTI_USER;
""",
        encoding="utf-8",
    )
    return draft.keep()
