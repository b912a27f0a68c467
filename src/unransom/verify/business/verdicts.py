"""All checks of a file of declarations, and their verdicts as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from unransom.core.errors import UsageError
from unransom.core.messages import say
from unransom.core.outputs import FileReader
from unransom.core.streams import Reader
from unransom.verify.business.compare import CheckVerdict, carry_out
from unransom.verify.business.declarations import Check
from unransom.verify.sheets import Sheet, whole, write_csv, write_workbook

HEADINGS = (say("check"), say("key"), say("sum"), say("left"), say("right"), say("verdict"), say("why"))


def carried_out(checks: Sequence[Check], folder: Path) -> Iterator[CheckVerdict]:
    """Yield the verdicts of all checks; their tables lie in ``folder`` or below.

    Raises:
        UsageError: A table is not there, or lies elsewhere.
    """
    readers: dict[str, FileReader] = {}

    def opened(name: str) -> Reader:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()) or not path.is_file():
            raise UsageError(say("there is no table {file} beside the declarations", file=name))
        if name not in readers:
            readers[name] = FileReader(path)
        return readers[name]

    try:
        for check in checks:
            yield from carry_out(check, opened)
    finally:
        for reader in readers.values():
            reader.close()


def write_verdicts(verdicts: Sequence[CheckVerdict], folder: Path, language: str) -> list[Path]:
    """Write the verdicts as ``verdicts.csv`` and ``verdicts.xlsx``; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    headings = [heading.render(language) for heading in HEADINGS]
    rows = [
        (
            each.check,
            " ".join(each.key),
            each.measure,
            each.left,
            each.right,
            each.grade.value,
            each.why.render(language),
        )
        for each in verdicts
    ]
    sheet = Sheet("verdicts", headings, rows)
    with whole(folder / "verdicts.csv") as path:
        write_csv(path, sheet)
    with whole(folder / "verdicts.xlsx") as path:
        write_workbook(path, [sheet])
    return [folder / "verdicts.csv", folder / "verdicts.xlsx"]
