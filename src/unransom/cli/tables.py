"""Rows of files for people and for programs."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Mapping

from unransom.cli.speech import t

Row = Mapping[str, object]


def print_rows(rows: Iterable[Row], *, jsonl: bool = False, as_csv: bool = False) -> None:
    """Print rows of files: JSON lines, CSV, or lines that people read."""
    if jsonl:
        for row in rows:
            print(_line(row))
    elif as_csv:
        _print_csv(rows)
    else:
        for row in rows:
            family = f" {row['family']}" if row["family"] else ""
            print(f"{_padded(t_state(str(row['state'])), 10)}{family:<12} {row['path']}  {row['why']}")


def _padded(word: str, columns: int) -> str:
    """Return ``word`` with blanks behind it up to ``columns``; a Chinese character takes two."""
    from rich.cells import cell_len

    return word + " " * (columns - cell_len(word))


def _line(row: Row) -> str:
    """Return a row as JSON in readable UTF-8; bytes of a path that are not UTF-8 stay escaped."""
    line = json.dumps(row, ensure_ascii=False)
    return line if line.isprintable() else json.dumps(row)


def _print_csv(rows: Iterable[Row]) -> None:
    from unransom.verify.sheets import safe

    writer: csv.DictWriter[str] | None = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(sys.stdout, fieldnames=list(row))
            writer.writeheader()
        writer.writerow({name: safe(value) for name, value in row.items()})


def print_counts(counts: Mapping[str, int]) -> None:
    """Print an equation that adds up."""
    parts = " + ".join(f"{number:,} {t_state(name)}" for name, number in counts.items() if number)
    print(t("in {total} = {parts}", total=f"{sum(counts.values()):,}", parts=parts or "0"))


def t_state(state: str) -> str:
    """Return a state's name in the language of this process."""
    names = {
        "intact": t("intact"),
        "locked": t("locked"),
        "recovered": t("recovered"),
        "partial": t("partial"),
        "lost": t("lost"),
        "unknown": t("unknown"),
        "skipped": t("skipped"),
        "failed": t("failed"),
    }
    return names.get(state, state)
