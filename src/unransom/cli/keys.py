"""``unransom keys``: which of these keys opens which family, and which keys are wanted."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unransom.cli.options import (
    PATH,
    budget_option,
    dump_option,
    executor_of,
    family_option,
    json_option,
    key_option,
    known_option,
    library_option,
    progress_option,
    workers_option,
)
from unransom.cli.screen import Screen, Style, say_to_people
from unransom.cli.speech import LANGUAGE, spoken, t
from unransom.core.errors import EXIT_DONE, NoKeyFoundError

if TYPE_CHECKING:
    from unransom.core.searches import AttackPlan
    from unransom.run.alone import Work
    from unransom.run.wanted import WantedKey

WANTED, NOTHING = frozenset({"wanted"}), frozenset[str]()
UNLOCKING = frozenset({"unlock"})
SEARCHING = UNLOCKING | {"search", "deep search"}


@click.command(
    help=t(
        "Find keys for locked files: try those that are given, then attack what is weak.\n\n"
        "Says what every attack would cost and what rules it out; nothing but --out is written."
    ),
    epilog=t("Example: unransom keys /mnt/share --key keys/ --known /mnt/backup --out found.jsonl"),
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@key_option
@library_option
@family_option
@click.option(
    "--wanted", is_flag=True, help=t("Write what a key holder would need, each wrapped key once, as JSON.")
)
@known_option
@dump_option
@budget_option
@click.option(
    "--plan",
    "planning",
    is_flag=True,
    help=t("Search nothing: only say what every attack would cost and promises."),
)
@click.option(
    "--machines",
    type=click.IntRange(1),
    default=10,
    metavar="N",
    help=t("Machines like this one that costs are told for besides."),
)
@click.option(
    "--out",
    type=PATH,
    metavar="KEYFILE",
    help=t("File for the keys that are found; it can be given as --key. Only its owner can read it."),
)
@click.option(
    "--hand-off",
    type=PATH,
    metavar="DIR",
    help=t("Folder for numbers that a factoring program could take: CADO-NFS, msieve or YAFU."),
)
@workers_option
@progress_option
@json_option
def command(
    sources: tuple[str, ...],
    keys: tuple[Path, ...],
    libraries: tuple[Path, ...],
    families: tuple[Path, ...],
    wanted: bool,
    known: tuple[Path, ...],
    dumps: tuple[Path, ...],
    budget: float,
    planning: bool,
    machines: int,
    out: Path | None,
    hand_off: Path | None,
    workers: int,
    progress: Style,
    as_json: bool,
) -> int:
    """Try the keys on samples of every family and print what came of it."""
    from unransom.case.found_keys import write as write_keys
    from unransom.run.alone import work_alone
    from unransom.run.recover import Job

    executor = executor_of(workers)
    with contextlib.closing(executor), Screen(progress) as screen:
        job = Job(
            sources=sources,
            case=Path(),
            keys=keys,
            libraries=libraries,
            families=families,
            known=tuple(map(str, known)),
            memory=tuple(map(str, dumps)),
            budget=0.0 if wanted else max(budget, float(planning)),
            last="wanted",
            extra=WANTED if wanted else NOTHING,
            left_out=SEARCHING if planning else UNLOCKING,
        )
        work = work_alone(job, executor, screen, LANGUAGE)
    if out and work.secrets:
        write_keys(out, work.secrets)
    if hand_off:
        _hand_off(hand_off, work.plans)
    if wanted:
        print(json.dumps([_wanted(key) for key in work.wanted], ensure_ascii=False, indent=2))
        return EXIT_DONE
    _show(work, machines, as_json=as_json)
    return EXIT_DONE if work.found or planning else NoKeyFoundError.exit_code


def _hand_off(folder: Path, plans: Iterable[AttackPlan]) -> None:
    """Write a file for each number whose factors would give a key, and say so."""
    from unransom.crypto.weak_rsa import hand_off

    numbers = {int(number): plan.family for plan in plans for number in plan.factor}
    folder.mkdir(parents=True, exist_ok=True)
    for number, family in sorted(numbers.items()):
        path = folder / f"{family}-{number.bit_length()}-{number % 10**8:08}.n"
        path.write_text(hand_off.hand_off(number, f"unransom, {family}: {number.bit_length()} bits"))
        say_to_people(f"{path}: {spoken(hand_off.advice(number))}")
    if not numbers:
        say_to_people(t("There is no number that a factoring program could take."))


def _wanted(key: WantedKey) -> dict[str, str | int]:
    return {
        "family": key.family,
        "campaign": key.campaign,
        "wrapped": key.wrapped,
        "files": key.files,
        "bytes": key.size,
        "wanted": spoken(key.wanted),
    }


def _show(work: Work, machines: int, *, as_json: bool) -> None:
    if as_json:
        import msgspec

        plans = [msgspec.to_builtins(plan) | _cost(plan, machines) for plan in work.plans]
        document = msgspec.to_builtins({"found": work.found, "trials": work.trials}) | {"plans": plans}
        print(json.dumps(document, ensure_ascii=False, indent=2))
        return
    for key in work.found:
        print(t("{family}: key {fingerprint} opens it", family=key.family, fingerprint=key.fingerprint))
        print("  " + spoken(key.proof))
    for trial in work.trials:
        if trial.outcome != "found":
            print(t("{family}: {why}", family=trial.family, why=spoken(trial.why)))
            needed = spoken(trial.wanted)
            print("  " + t("wanted: {key}, for {files} files", key=needed, files=trial.files))
    for plan in sorted(work.plans, key=_rank):
        _show_plan(plan, machines)


def _rank(plan: AttackPlan) -> tuple[bool, float]:
    """Return what sorts plans: those that can be tried come first, the likeliest for its cost before all."""
    return not plan.shards, plan.seconds / max(plan.chance, 1e-9)


def _cost(plan: AttackPlan, machines: int) -> dict[str, object]:
    """Return what is told of the cost of ``plan`` besides itself."""
    import msgspec

    from unransom.run.costs import cost_of

    return {"cost": msgspec.to_builtins(cost_of(plan, machines))}


def _show_plan(plan: AttackPlan, machines: int) -> None:
    from unransom.report import figures, labels
    from unransom.run.costs import cost_of

    told = {"family": plan.family or t("unnamed"), "attack": plan.attack, "why": spoken(plan.why)}
    print(t("{family}, {attack}: {why}", **told))
    cost = cost_of(plan, machines)
    if cost:
        chance = figures.share(plan.chance, 1)
        keys = (
            t("{count:,} keys for each file, {chance} chance", count=plan.candidates, chance=chance)
            if plan.each
            else t("{count:,} keys, {chance} chance", count=plan.candidates, chance=chance)
        )
        print("  " + t("{keys}; {cost}", keys=keys, cost=spoken(labels.cost(plan.seconds, cost, spoken))))
    if plan.helps:
        print("  " + t("what would help: {what}", what=spoken(plan.helps)))
