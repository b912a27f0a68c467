"""What nobody can bring back, for the result: per rule, with its reason and references."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import msgspec

from unransom.core.records import Finding
from unransom.report.document import EXAMPLES, LostFacts

KINDS = "('lost', 'doubtful')"  # of findings, in SQL


def losses(database: sqlite3.Connection) -> Iterator[LostFacts]:
    """Yield a group per rule that spoke: those with proof before the warnings, the largest first."""
    rows = database.execute(
        "SELECT kind, rule, count(*), sum(spans = 'all'), sum(coalesce(bytes, iif(spans = 'all', size, 0)))"
        " FROM (SELECT json_extract(records.body, '$.kind') AS kind, files.size AS size,"
        " json_extract(records.body, '$.facts.rule') AS rule,"
        " json_extract(records.body, '$.facts.spans') AS spans,"
        " CAST(json_extract(records.body, '$.facts.bytes') AS INTEGER) AS bytes"
        " FROM records JOIN files ON files.id = records.item WHERE records.type = 'Finding')"
        f" WHERE kind IN {KINDS} GROUP BY 1, 2 ORDER BY kind = 'doubtful', 3 DESC, 2"
    ).fetchall()
    for kind, rule, count, whole, size in rows:
        findings = _examples(database, kind, rule)
        facts = findings[0].facts
        yield LostFacts(
            rule=rule,
            title=facts["title"],
            proven=kind == "lost",
            reason=findings[0].what,
            files=count,
            whole=whole or 0,
            size=size or 0,
            references=tuple(facts["references"].split()),
            examples=tuple(each.item for each in findings),
        )


def _examples(database: sqlite3.Connection, kind: str, rule: str) -> list[Finding]:
    rows = database.execute(
        "SELECT body FROM records WHERE type = 'Finding' AND json_extract(body, '$.kind') = ?"
        " AND json_extract(body, '$.facts.rule') = ? ORDER BY id LIMIT ?",
        (kind, rule, EXAMPLES),
    )
    return [msgspec.json.decode(body, type=Finding) for (body,) in rows]
