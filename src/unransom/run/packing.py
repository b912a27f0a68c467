"""Originals of locked archives' members, packed again by the programs that may have made the archives.

The attack on the old encryption of ZIP wants the first bytes of a member as they were packed. What zlib makes
of an original it tries itself; other programs pack differently, and where they are installed they are asked
here, once for a case. An archive in which the original is as long as in the locked one is kept in the case,
as an archive of an original like those that people bring.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from unransom.case.case import Case
from unransom.case.database import transaction
from unransom.catalog.families import zipcrypto
from unransom.catalog.formats import _zip_records as records
from unransom.core.outputs import FileReader
from unransom.recover.keys.members import Match, matches, sure_guesses
from unransom.run.own_originals import add_original
from unransom.run.searches import originals, unsolved
from unransom.run.work import Stores

SOURCE = "packed"  # of the archives that are kept
LARGEST = 16 << 20  # bytes of an original: a second or two for the slowest program
SECONDS = 60  # that a program may take
ASKED = 32  # archives of a case for which the programs are asked
ARCHIVE, CONTENT = "packed.zip", "content"
SEVENZIP = ("a", "-tzip", "-mm=Deflate", "-bd", "-y")
# Programs by what they are called on one system or another, and their ways to pack, the usual ones first.
PACKERS: tuple[tuple[tuple[str, ...], tuple[tuple[str, ...], ...]], ...] = (
    (("7zz", "7z", "7za", "7zr"), tuple((*SEVENZIP, f"-mx={level}") for level in (5, 9, 7, 1))),
    (("zip",), tuple((f"-{level}", "-q") for level in (6, 9, 1, 5, 4, 3, 2))),
    (("advzip",), tuple(("-a", "-q", f"-{level}") for level in (2, 3, 4))),
)


def pack_originals(case: Case) -> None:
    """Keep archives in which originals are as long as in locked ones that no other way explains."""
    groups = (each for each in unsolved(case.database) if each[0] == zipcrypto.FAMILY.name)
    for *_, archives in groups:
        known = originals(case.database)
        with Stores(tuple(case.sources())) as stores:
            left = ASKED
            for ref in archives:
                with stores.open(ref) as archive:
                    if left and not sure_guesses(archive, known, stores.open):
                        left -= _pack(case, matches(archive, known, stores.open))


def _pack(case: Case, found: Iterator[Match]) -> bool:
    """Pack originals until one is as long as the member; return whether programs had to be asked."""
    any_asked = False
    for match in found:
        name = f"{match.entry.crc:08x}-{match.entry.packed}.zip"
        asked = f"{SOURCE} {name}"
        if match.entry.method != records.DEFLATE or len(match.content) > LARGEST or case.fact(asked):
            continue
        any_asked = True
        packed = _packed(case.folder / "scratch", match)
        with transaction(case.database):
            case.set_fact(asked, "found" if packed else "no")
            if packed:
                folder = case.folder / SOURCE
                folder.mkdir(exist_ok=True)
                (folder / name).write_bytes(packed)
                add_original(case, SOURCE, folder, name.encode())
        if packed:
            break
    return any_asked


def _packed(scratch: Path, match: Match) -> bytes:
    """Return an archive of the original that is as long as the member, b"" where no program makes one."""
    content, archive = scratch / CONTENT, scratch / ARCHIVE
    content.write_bytes(match.content)
    try:
        for command in _commands():
            archive.unlink(missing_ok=True)
            if _run((*command, ARCHIVE, CONTENT), scratch) and _is_as_long(archive, match):
                return archive.read_bytes()
    finally:
        content.unlink()
        archive.unlink(missing_ok=True)
    return b""


def _commands() -> Iterator[tuple[str, ...]]:
    """Yield the ways to pack that this machine has, the usual ways of all programs first."""
    there = [
        (path, ways)
        for names, ways in PACKERS
        if (path := next(filter(None, map(shutil.which, names)), None))
    ]
    for turn in range(max((len(ways) for _, ways in there), default=0)):
        yield from ((path, *ways[turn]) for path, ways in there if turn < len(ways))


def _run(command: tuple[str, ...], folder: Path) -> bool:
    try:
        run = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=SECONDS)  # noqa: S603
    except (subprocess.TimeoutExpired, OSError):
        return False
    return run.returncode == 0


def _is_as_long(archive: Path, match: Match) -> bool:
    with FileReader(archive) as reader:
        sizes = [entry.packed for entry in zipcrypto.members(reader)]
    return sizes == [match.entry.packed - zipcrypto.HEADER]
