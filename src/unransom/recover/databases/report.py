"""The loss report: of every table what came back, what did not, and how that is known."""

from __future__ import annotations

import json
from pathlib import Path

from unransom.core.drafts import DraftFile
from unransom.core.messages import Message, say
from unransom.recover.databases.step import Outcome, TableResult


def as_document(outcome: Outcome, language: str) -> str:
    """Return the report as JSON."""
    document = {
        "tables": [_entry(result, language) for result in outcome.tables],
        "problems": [problem.render(language) for problem in outcome.problems],
        "outputs": [str(path) for path in outcome.outputs],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def _entry(result: TableResult, language: str) -> dict[str, object]:
    return {
        "database": result.database,
        "table": result.table,
        "definition": result.source,
        "confidence": result.confidence,
        "recovered": result.loss.recovered,
        "expected": result.loss.expected,
        "states": result.states,
        "doubtful": result.doubtful,
        "why": result.loss.why.render(language),
        "named_by": result.named_by,
    }


def uncertain(result: TableResult) -> Message:
    """Return how many of the rows that came back are not certain."""
    return say(
        "{table}: {count} of these rows are not certain; --provenance tells how sure each is",
        table=result.table,
        count=result.doubtful,
    )


def write_report(outcome: Outcome, folder: Path, language: str) -> None:
    """Write ``loss.json`` and ``loss.txt`` into ``folder``."""
    lines = [line for result in outcome.tables for line in _lines(result, language)]
    lines += [problem.render(language) for problem in outcome.problems]
    texts = {"loss.json": as_document(outcome, language), "loss.txt": "\n".join(lines)}
    for name, text in texts.items():
        draft = DraftFile(folder, name)
        draft.path.write_text(text + "\n", encoding="utf-8")
        draft.keep()


def _lines(result: TableResult, language: str) -> list[str]:
    expected = result.loss.expected
    head = say(
        "{database}.{table}: {recovered} rows of {expected}; definition from {source}",
        database=result.database,
        table=result.table,
        recovered=result.loss.recovered,
        expected="?" if expected is None else expected,
        source=result.source,
    )
    states = ", ".join(f"{state} {count}" for state, count in sorted(result.states.items()))
    lines = [head.render(language), f"  {states}", f"  {result.loss.why.render(language)}"]
    if result.doubtful:
        lines.append(f"  {uncertain(result).render(language)}")
    for table, count in result.named_by.items():
        named = say(
            "rows of {table} name {count} of its keys that did not come back", table=table, count=count
        )
        lines.append(f"  {named.render(language)}")
    return lines
