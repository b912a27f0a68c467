"""What attacks on keys came to, for the result: what they cost, found or rule out, and what would help."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from unransom.case.case import Case
from unransom.case.files import records_of
from unransom.catalog.families import families
from unransom.core.messages import Message, say
from unransom.core.records import KeyFound
from unransom.core.searches import AttackPlan, Searched
from unransom.recover.keys.attacks import ATTACKS
from unransom.report.attacks import AttackFacts
from unransom.run.costs import cost_of
from unransom.run.described import described_in
from unransom.run.searches import LOCKED, TRIED

SHOWN = 60  # attacks in the document; the rest is counted
HOUR = 3600.0
OPEN = frozenset({"stopped", "waiting"})  # outcomes of searches that could go on
NAMED = {each.name: each for each in ATTACKS}
ORDER = ("found", "stopped", "waiting", "searched", "ruled_out")

# Files that wait for a key: no key was tried on them, or none that was opened them.
WAITING = f"({LOCKED} OR state = 'failed' AND json_extract(body, '$.state') = 'locked')"


class _Spent(NamedTuple):
    """What was searched: keys that were tried, and by file the parts that are done, and the empty ones."""

    tried: int
    parts: dict[int, tuple[int, frozenset[int]]]


Titles = dict[str, str]  # of families, by name
Searches = dict[tuple[str, str], _Spent]  # by attack and family


def attacks(case: Case) -> Iterator[AttackFacts]:
    """Yield every attack that found a key, then those on files that still wait for one."""
    titles = {family.name: family.title for family in families(described_in(case))}
    spent = _searched(case.database)
    yield from _found(case, titles, spent)
    yield from sorted(_planned(case, titles, spent), key=_rank)


def verdict(case: Case, facts: tuple[AttackFacts, ...]) -> Message | None:
    """Return what ``facts`` come to for the files that wait for a key, None where none does."""
    (waiting,) = case.database.execute(f"SELECT count(*) FROM files WHERE {WAITING}").fetchone()
    told = [each for each in facts if each.outcome != "found"]
    if not waiting or not told:
        return None
    left = [each for each in told if each.outcome in OPEN]
    if not left:
        return say(
            "No attack that unransom knows opens the {files:,} files that wait for a key,"
            " with what there is.",
            files=waiting,
        )
    return say(
        "{count} searches are not done; a larger --budget goes on with them. They take {hours} hours"
        " of one core or more, and the likeliest of them finds a key in {percent} of 100 cases.",
        count=len(left),
        hours=f"{sum(each.seconds * (1 - each.done) for each in left) / HOUR:,.1f}",
        percent=f"{100 * max(each.chance for each in left):g}",
    )


def _rank(facts: AttackFacts) -> tuple[int, float, float]:
    return ORDER.index(facts.outcome), -facts.chance, facts.seconds


def _found(case: Case, titles: Titles, spent: Searches) -> Iterator[AttackFacts]:
    """Yield each attack that found keys, once for every family, with the proof of the first."""
    seen: dict[tuple[str, str], KeyFound] = {}
    for key in records_of(case.database, KeyFound):
        if key.attack:
            seen.setdefault((key.attack, key.family), key)
    for (attack, family), key in seen.items():
        if attack in NAMED:
            yield AttackFacts(
                attack=attack,
                title=NAMED[attack].title,
                weakness=NAMED[attack].weakness,
                family=family,
                family_title=titles.get(family, ""),
                outcome="found",
                tried=sum(each.tried for (name, _), each in spent.items() if name == attack),
                done=1.0,
                chance=1.0,
                why=key.proof,
            )


def _planned(case: Case, titles: Titles, spent: Searches) -> Iterator[AttackFacts]:
    """Yield the attacks on files that wait for a key."""
    waiting = {
        family for (family,) in case.database.execute(f"SELECT DISTINCT family FROM files WHERE {WAITING}")
    }
    for plan in records_of(case.database, AttackPlan):
        if plan.attack not in NAMED or not waiting & {plan.family, None}:
            continue
        searched = spent.get((plan.attack, plan.family), _Spent(0, {}))
        done = _done(plan, searched)
        yield AttackFacts(
            attack=plan.attack,
            title=NAMED[plan.attack].title,
            weakness=NAMED[plan.attack].weakness,
            family=plan.family,
            family_title=titles.get(plan.family, ""),
            outcome=_outcome(plan, done),
            each=plan.each,
            candidates=plan.candidates,
            seconds=plan.seconds,
            cost=cost_of(plan),
            tried=searched.tried,
            done=done,
            chance=plan.chance,
            why=plan.why,
            helps=plan.helps,
        )


def _outcome(plan: AttackPlan, done: float) -> str:
    if not plan.shards:
        return "ruled_out"
    return "searched" if done >= 1 else "stopped" if done else "waiting"


def _done(plan: AttackPlan, searched: _Spent) -> float:
    """Return which part of a search is done; where each file has its key, a few files stand for all."""
    if not plan.shards:
        return 0.0
    parts = [_parts(plan, *each) for each in searched.parts.values()]
    apart = plan.each and NAMED[plan.attack].apart
    most = max(len(parts), 1) if apart else min(TRIED, max(len(parts), 1)) if plan.each else 1
    return min(sum(parts) / (plan.shards * most), 1.0)


def _parts(plan: AttackPlan, done: int, empty: frozenset[int]) -> int:
    """Return how many shards of ``plan`` are done or need not be, as nothing is to be tried in them."""
    first = 1
    for stage in plan.stages if NAMED[plan.attack].apart else ():
        if first in empty:
            done += stage.shards - sum(number in empty for number in range(first, first + stage.shards))
        first += stage.shards
    return min(done, plan.shards)


def _searched(database: sqlite3.Connection) -> Searches:
    """Return what was searched, by attack and family."""
    found: Searches = {}
    rows = database.execute(
        "SELECT json_extract(body, '$.attack'), json_extract(body, '$.family'), json_extract(body, '$.item'),"
        " sum(json_extract(body, '$.candidates')), count(DISTINCT json_extract(body, '$.shard')),"
        " json_group_array(json_extract(body, '$.shard'))"
        " FILTER (WHERE json_extract(body, '$.candidates') = 0)"
        f" FROM records WHERE type = '{Searched.__name__}' GROUP BY 1, 2, 3"
    )
    for attack, family, item, tried, parts, empty in rows:
        before = found.get((attack, family), _Spent(0, {}))
        spent = parts, frozenset(json.loads(empty))
        found[attack, family] = _Spent(before.tried + tried, before.parts | {item: spent})
    return found
