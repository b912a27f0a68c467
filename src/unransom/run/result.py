"""The result document of a case, put together from what the steps have stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import msgspec

from unransom import __version__
from unransom.case.case import Case
from unransom.case.files import message, records_of
from unransom.catalog.families import families
from unransom.catalog.families import family as family_named
from unransom.catalog.formats import FORMATS
from unransom.core.clock import now_ns, rfc3339
from unransom.core.messages import Message, say
from unransom.core.records import Finding, KeyFound, KeyTrial, Output, Problem, State
from unransom.core.text import shown
from unransom.recover.carve.records import Mapped
from unransom.report.bytemap import MAP_RUNS, condense
from unransom.report.document import (
    EXAMPLES,
    CaseFacts,
    FamilyFacts,
    FormatFacts,
    KeyFacts,
    LossGroup,
    NoteFacts,
    PartialFile,
    ProblemExample,
    ProblemGroup,
    RepairedFile,
    Result,
    SourceFacts,
    SpaceFacts,
    Timeline,
)
from unransom.report.tallies import Counts, Grades, Holdings, Origins, StepTime, Throughput
from unransom.run.attacks import SHOWN as ATTACKS
from unransom.run.attacks import attacks, verdict
from unransom.run.described import described_in
from unransom.run.locking import timeline
from unransom.run.losses import KINDS, losses
from unransom.run.repairs import rebuilt

PARTIAL_FILES = 50
REPAIRED_FILES = 50
MISSING = 5  # sentences about what a rebuilt file lacks
NOTES = 20
NOTED = f"type = 'Finding' AND json_extract(body, '$.kind') NOT IN {KINDS}"  # losses are told by themselves

# A file that is locked and has no key is one that was not brought back; one not looked at is unknown.
FINAL = "CASE state WHEN 'locked' THEN 'failed' WHEN 'found' THEN 'unknown' ELSE state END"


def result(
    case: Case,
    command: str,
    exit_code: int,
    times: list[tuple[str, float, int, int]],
    following: Message | None,
) -> Result:
    """Return the result document.

    Args:
        case: The open case.
        command: The command line, without secrets.
        exit_code: What the command ends with.
        times: Step, seconds, items and bytes of this run.
        following: What to do next.
    """
    database = case.database
    counts, sizes = _counts(database)
    searches = tuple(attacks(case))
    return Result(
        version=__version__,
        created=rfc3339(now_ns()),
        case=_case(case),
        command=command,
        exit_code=exit_code,
        sources=tuple(_sources(case)),
        counts=counts,
        sizes=sizes,
        origins=_origins(database),
        verdicts=_verdicts(database),
        families=tuple(_families(case)),
        attacks=searches[:ATTACKS],
        attacks_total=len(searches),
        attacks_verdict=verdict(case, searches),
        timelines=tuple(_timelines(case)),
        notes=tuple(_notes(database)),
        notes_total=_count(database, f"SELECT count(*) FROM records WHERE {NOTED}"),
        problems=tuple(_problems(database)),
        spaces=tuple(_spaces(database)),
        partial_files=tuple(_partial_files(database)),
        repaired_files=tuple(_repaired_files(database)),
        not_recovered=tuple(_not_recovered(case)),
        losses=tuple(losses(database)),
        formats=tuple(_formats(database)),
        throughput=Throughput(
            seconds=sum(seconds for _, seconds, _, _ in times),
            read=sum(size for _, _, _, size in times),
            steps=tuple(StepTime.of(*time) for time in times),
        ),
        next=following,
    )


def _count(database: sqlite3.Connection, query: str) -> int:
    return int(database.execute(query).fetchone()[0])


def _case(case: Case) -> CaseFacts:
    created = int(case.fact("created", "0"))
    started = int(case.fact("started", "0")) or created
    deadline = case.fact("deadline_hours")
    return CaseFacts(
        name=case.fact("name"),
        folder=str(case.folder),
        created=rfc3339(created),
        started=rfc3339(started),
        deadline_hours=float(deadline) if deadline else None,
        used_hours=(now_ns() - started) / 3.6e12,
    )


def _sources(case: Case) -> Iterator[SourceFacts]:
    for source in case.sources():
        count, size = case.database.execute(
            "SELECT count(*), coalesce(sum(size), 0) FROM files WHERE source = ?", (source.id,)
        ).fetchone()
        yield SourceFacts(
            id=source.id,
            kind=source.kind,
            location=source.location,
            files=count,
            size=size,
            fingerprint=source.fingerprint,
        )


def _counts(database: sqlite3.Connection) -> tuple[Counts, Counts]:
    query = f"SELECT {FINAL}, count(*), coalesce(sum(size), 0) FROM files GROUP BY 1"
    rows = database.execute(query).fetchall()
    carved, size_carved = database.execute(
        "SELECT count(*), coalesce(sum(size), 0) FROM files WHERE method = 'carve' AND state = 'recovered'"
        " AND json_extract(body, '$.state') IS NOT 'locked'"
    ).fetchone()
    return (
        Counts.of({State(state): count for state, count, _ in rows}, carved),
        Counts.of({State(state): size for state, _, size in rows}, size_carved),
    )


def _origins(database: sqlite3.Connection) -> Origins:
    plain, unlocked, guessed, lost = database.execute(
        "SELECT coalesce(sum(plain), 0), coalesce(sum(unlocked), 0), coalesce(sum(guessed), 0),"
        " coalesce(sum(lost), 0) FROM files"
    ).fetchone()
    return Origins(plain=plain, unlocked=unlocked, guessed=guessed, lost=lost)


def _verdicts(database: sqlite3.Connection) -> Grades:
    rows = database.execute("SELECT verdict, count(*) FROM files WHERE verdict IS NOT NULL GROUP BY 1")
    return Grades(**dict(rows.fetchall()))


def _families(case: Case) -> Iterator[FamilyFacts]:
    database = case.database
    trials = {trial.family: trial for trial in records_of(database, KeyTrial)}  # the latest of each
    found: dict[str, dict[str, KeyFacts]] = {}
    for key in records_of(database, KeyFound):
        facts = KeyFacts(fingerprint=key.fingerprint, bits=key.bits, proof=key.proof)
        found.setdefault(key.family, {})[key.fingerprint] = facts
    known = {family.name: family for family in families(described_in(case))}
    rows = database.execute(
        "SELECT family, count(*), sum(size), sum(state = 'recovered'), sum(state = 'partial'), sum(locked),"
        " sum(CASE WHEN locked IS NULL THEN 0 ELSE size END)"
        " FROM files WHERE family IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    for name, files, size, recovered, partial, locked, measured in rows.fetchall():
        family, trial = known[name], trials.get(name)
        outcome = "found" if name in found else trial.outcome if trial else "none"
        yield FamilyFacts(
            name=name,
            title=family.title,
            files=files,
            size=size,
            recovered=recovered,
            partial=partial,
            encrypted_share=locked / measured if measured else None,
            keys=tuple(found.get(name, {}).values()),
            outcome=outcome,
            wanted=None if outcome == "found" else family.wanted,
            why=trial.why if trial else None,
            limitations=family.limitations,
            references=family.references,
        )


def _timelines(case: Case) -> Iterator[Timeline]:
    """Yield when files were locked, per source, by the modification times of locked files; see `locking`."""
    found = [each for source in case.sources() if (each := timeline(case, source))]
    begun = sorted(range(len(found)), key=lambda index: found[index].first)
    for number, each in enumerate(found):
        yield msgspec.structs.replace(each, order=begun.index(number) + 1)


def _notes(database: sqlite3.Connection) -> Iterator[NoteFacts]:
    rows = database.execute(f"SELECT body FROM records WHERE {NOTED} ORDER BY id LIMIT ?", (NOTES,))
    for (body,) in rows:
        finding = msgspec.json.decode(body, type=Finding)
        yield NoteFacts(item=finding.item, what=finding.what, kind=finding.kind, facts=finding.facts)


# A later run may have solved what an earlier one could not: only the last word on a file counts.
PROBLEMS = (
    "SELECT max(records.id) AS id, coalesce(json_extract(records.body, '$.code'), '') AS code,"
    " records.body AS body FROM records LEFT JOIN files ON files.id = records.item"
    " WHERE records.type = 'Problem' AND (records.item = 0 OR files.state NOT IN ('recovered', 'intact'))"
    " GROUP BY CASE records.item WHEN 0 THEN -records.id ELSE records.item END, records.step"
)


def _problems(database: sqlite3.Connection) -> Iterator[ProblemGroup]:
    rows = database.execute(f"SELECT code, count(*) FROM ({PROBLEMS}) GROUP BY 1 ORDER BY 2 DESC, 1")
    for code, count in rows.fetchall():
        bodies = database.execute(
            f"SELECT body FROM ({PROBLEMS}) WHERE code = ? ORDER BY id LIMIT ?", (code, EXAMPLES)
        )
        problems = [msgspec.json.decode(body, type=Problem) for (body,) in bodies]
        examples = (
            ProblemExample(item=each.item, what=each.what, resolution=each.resolution, fatal=each.fatal)
            for each in problems
        )
        yield ProblemGroup(code=code, count=count, examples=tuple(examples))


def _spaces(database: sqlite3.Connection) -> Iterator[SpaceFacts]:
    """Yield what the space of each carved image holds, as the last search of it has seen."""
    for each in {mapped.source: mapped for mapped in records_of(database, Mapped)}.values():
        holds = msgspec.convert(each.holds, Holdings)
        yield SpaceFacts(source=each.source, searched=each.searched, holds=holds)


def _partial_files(database: sqlite3.Connection) -> Iterator[PartialFile]:
    rows = database.execute(
        "SELECT records.body, files.why FROM files JOIN records ON records.item = files.id"
        " WHERE files.state = 'partial' AND records.type = 'Output'"
        " GROUP BY files.id HAVING records.id = max(records.id) ORDER BY files.size DESC LIMIT ?",
        (PARTIAL_FILES,),
    )
    for body, why in rows:
        output = msgspec.json.decode(body, type=Output)
        yield PartialFile(
            path=shown(output.path),
            size=output.digests.size,
            origins=Origins.of(output.map),
            runs=condense(output.map),
            exact=len(output.map) <= MAP_RUNS,
            why=message(why),
        )


def _repaired_files(database: sqlite3.Connection) -> Iterator[RepairedFile]:
    for mended, instead in rebuilt(database, REPAIRED_FILES):
        if mended.output is None:
            continue
        yield RepairedFile(
            path=shown(mended.output.path),
            size=mended.output.digests.size,
            origins=Origins.of(mended.output.map),
            did=mended.did,
            left={each.what: each.left for each in mended.counts},
            total={each.what: each.total for each in mended.counts if each.total is not None},
            missing=mended.missing[:MISSING],
            preview=mended.preview,
            instead=shown(instead),
        )


# What files that did not come back have in common: the family for want of a key, else the sentence.
REASON = (
    "CASE state WHEN 'locked' THEN 'family ' || coalesce(family, '') ELSE json_extract(why, '$.text') END"
)


def _not_recovered(case: Case) -> Iterator[LossGroup]:
    """Yield what did not come back, by state and reason; sentences that differ only in values are one."""
    database, described = case.database, described_in(case)
    rows = database.execute(
        f"SELECT state, {FINAL}, {REASON}, family, count(*), sum(size), min(why) FROM files"
        " WHERE state NOT IN ('intact', 'recovered') GROUP BY 2, 3 ORDER BY 5 DESC LIMIT 100"
    )
    for was, state, reason, family, count, size, why in rows.fetchall():
        examples = database.execute(
            f"SELECT source, path FROM files WHERE {FINAL} = ? AND {REASON} IS ?"
            " AND state NOT IN ('intact', 'recovered') ORDER BY id LIMIT ?",
            (state, reason, EXAMPLES),
        )
        sentence = no_key(family, described) if was == State.LOCKED else message(why)
        yield LossGroup(
            state=State(state),
            reason=sentence or say("not examined yet"),
            files=count,
            size=size,
            examples=tuple(f"{source}:{shown(path)}" for source, path in examples),
        )


def no_key(family: str | None, described: tuple[bytes, ...]) -> Message:
    """Return why a file that ``family``, built-in or ``described``, has locked is still locked."""
    if family is None:
        return say("locked by a locker that is not known")
    title = family_named(family, described).title
    return say("locked by {family}, and no key that was given opens it", family=title)


def _formats(database: sqlite3.Connection) -> Iterator[FormatFacts]:
    titles = {each.name: each.title for each in FORMATS}
    rows = database.execute(
        "SELECT format, count(*), sum(output_size), sum(verdict = 'good'), sum(verdict = 'partial'),"
        " sum(verdict = 'bad'), sum(verdict = 'unknown') FROM files WHERE output IS NOT NULL"
        " GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    for name, count, size, good, partial, bad, unknown in rows:
        yield FormatFacts(
            name=name,
            title=titles.get(name, name),
            files=count,
            size=size,
            good=good,
            partial=partial,
            bad=bad,
            unknown=unknown,
        )
