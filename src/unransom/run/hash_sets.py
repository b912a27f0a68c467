"""Sets of hashes of files that nobody misses: of hashdeep and the like, of the NSRL as SQLite, of folders."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from unransom.core.errors import UsageError
from unransom.core.hashing import Digests, digest
from unransom.core.messages import say
from unransom.core.outputs import FileReader
from unransom.verify.integrity.manifest import entries

MAGIC = b"SQLite format 3\0"
KINDS = ("sha256", "md5")


def known(paths: Iterable[Path], digests: Sequence[Digests]) -> set[str]:
    """Return the SHA-256 of those of ``digests`` that a set or a folder has, each by its SHA-256 or MD5.

    Raises:
        UsageError: A set cannot be read, or has no hashes.
    """
    by_hash = {each.sha256: each.sha256 for each in digests} | {each.md5: each.sha256 for each in digests}
    sizes = {each.size for each in digests}
    found: set[str] = set()
    for path in paths:
        try:
            hashes = _in_folder(path, sizes) if path.is_dir() else _shared(path, by_hash)
            found |= {by_hash[each] for each in hashes if each in by_hash}
        except (OSError, sqlite3.Error) as error:
            raise UsageError(
                say("the set of hashes {path} cannot be read", path=str(path)),
                detail=str(error),
                hint=say("hashdeep, md5sum and sha256sum files and SQLite files of the NSRL are read"),
            ) from error
    return found


def _shared(path: Path, wanted: dict[str, str]) -> Iterator[str]:
    """Yield the hashes in a set that are wanted."""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) == MAGIC:
            yield from _in_database(path, wanted)
            return
        file.seek(0)
        yield from (each.digest for each in entries(file) if each.digest in wanted)


def _in_folder(path: Path, sizes: set[int]) -> Iterator[str]:
    """Yield the SHA-256 of the files below a folder that have one of ``sizes``."""
    for each in files_below([path]):
        if each.stat().st_size in sizes:
            with FileReader(each) as reader:
                yield digest(reader).sha256


def files_below(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files in those of ``paths`` that are folders; links are not followed."""
    for path in paths:
        for folder, _, names in os.walk(path) if path.is_dir() else ():
            yield from (each for name in sorted(names) if _is_plain(each := Path(folder, name)))


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _in_database(path: Path, wanted: dict[str, str]) -> Iterator[str]:
    """Yield the wanted hashes in all tables with a column of hashes, each read once."""
    database = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True)
    try:
        database.execute("CREATE TEMP TABLE wanted (hash TEXT PRIMARY KEY) WITHOUT ROWID")
        written = ((spelt,) for each in wanted for spelt in (each, each.upper()))  # an index helps with these
        database.executemany("INSERT OR IGNORE INTO wanted VALUES (?)", written)
        tables = database.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'").fetchall()
        for (table,) in tables:
            quoted = '"' + table.replace('"', '""') + '"'
            columns = [row[1] for row in database.execute(f"PRAGMA main.table_info({quoted})")]
            for column in (each for each in columns if each.lower().replace("-", "") in KINDS):
                query = f'SELECT "{column}" FROM main.{quoted} WHERE "{column}" IN (SELECT hash FROM wanted)'
                yield from (each.lower() for (each,) in database.execute(query))
    finally:
        database.close()
