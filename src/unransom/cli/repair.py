"""``unransom repair``: damaged and partly locked files in, files that open out, with what is missing."""

from __future__ import annotations

import contextlib
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unransom.cli.options import (
    EXISTING,
    PATH,
    executor_of,
    json_option,
    jsonl_option,
    progress_option,
    workers_option,
)
from unransom.cli.screen import Screen, Style
from unransom.cli.speech import LANGUAGE, spoken, t
from unransom.core.errors import EXIT_DONE, EXIT_INCOMPLETE, UsageError
from unransom.core.messages import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unransom.recover.repair.records import Mended
    from unransom.run.executor import Executor

SHOWN = 5  # sentences about what is missing that are printed


@click.command(
    help=t("Rebuild damaged or partly locked files so that they open. The files stay as they are."),
    epilog=t("Example: unransom repair orders.xlsx shop.db --out repaired --json"),
)
@click.argument("files", nargs=-1, type=EXISTING, metavar="[FILE|DIR...]")
@click.option("--out", type=PATH, metavar="DIR", help=t("Folder for what comes back; made if missing."))
@click.option(
    "--case",
    type=PATH,
    metavar="DIR",
    help=t("Repair what this case has in part, and what no key opened; goes on where it stopped."),
)
@click.option(
    "--sibling",
    "siblings",
    type=EXISTING,
    multiple=True,
    metavar="FILE|DIR",
    help=t("A sound file of the same origin, e.g. a picture of the same camera, or a folder of them."),
)
@click.option(
    "--map",
    "byte_map",
    type=EXISTING,
    metavar="JSON",
    help=t("Which bytes of the one FILE are lost, where that is known: [[start, end], ...]."),
)
@workers_option
@progress_option
@json_option
@jsonl_option
def command(
    files: tuple[Path, ...],
    out: Path | None,
    case: Path | None,
    siblings: tuple[Path, ...],
    byte_map: Path | None,
    workers: int,
    progress: Style,
    as_json: bool,
    jsonl: bool,
) -> int:
    """Repair the files and say of each what came back and what is missing."""
    import json

    from unransom.run.repairing import Job, read_map, repair

    _check_usage(files, out, case, byte_map)
    rows: list[dict[str, object]] = []
    complete = True
    with ExitStack() as stack:
        screen = stack.enter_context(Screen(progress))
        if out is not None:
            every = repair(Job(files, out, siblings, read_map(byte_map) if byte_map else ()), screen)
        else:
            executor = stack.enter_context(contextlib.closing(executor_of(workers)))
            every = _in_case(case, executor, screen)
        for mended in every:
            complete = complete and mended.problem is None
            rows.append(_row(mended))
            if jsonl:
                print(json.dumps(rows[-1], ensure_ascii=False))
            elif not as_json:
                _print(mended)
    if as_json:
        print(json.dumps({"files": rows}, ensure_ascii=False, indent=2))
    return EXIT_DONE if complete else EXIT_INCOMPLETE


def _check_usage(files: tuple[Path, ...], out: Path | None, case: Path | None, byte_map: Path | None) -> None:
    if not files and case is None:
        raise UsageError(say("name files to repair, or a case"))
    if (case is None) != bool(files) or (out is None) == (case is None):
        raise UsageError(say("give files with --out, or --case alone"))
    if byte_map and (len(files) != 1 or files[0].is_dir()):
        raise UsageError(say("--map tells of one file"), hint=say("repair the files one by one"))


def _in_case(folder: Path | None, executor: Executor, screen: Screen) -> Iterator[Mended]:
    """Repair what waits in a case, then write its report anew; yield what became of each file."""
    from unransom.case.case import Case
    from unransom.run.engine import Engine
    from unransom.run.flow import REPAIR_ALL
    from unransom.run.recover import conclude, write_report
    from unransom.run.repairs import last_record, mended_after

    with Case(folder or Path()) as case:
        before = last_record(case.database)
        engine = Engine(case, executor, listener=screen)
        case.outputs().clear_scratch()
        engine.perform(REPAIR_ALL)
        write_report(case, conclude(case, f"unransom repair --case {folder}", engine.times), LANGUAGE)
        yield from mended_after(case.database, before)


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace").removeprefix("./")


def _state(mended: Mended) -> str:
    return "sound" if mended.sound else "failed" if mended.output is None else "partial"


def _row(mended: Mended) -> dict[str, object]:
    row: dict[str, object] = {
        "file": mended.item,
        "state": _state(mended),
        "did": spoken(mended.did) if mended.did else "",
        "counts": {each.what: {"left": each.left, "total": each.total} for each in mended.counts},
        "missing": [spoken(each) for each in mended.missing],
        "lost": list(mended.lost),
        "beside": [_shown(path) for path in mended.beside],
    }
    if mended.output:
        output = mended.output
        row |= {
            "output": _shown(output.path),
            "format": output.format,
            "size": output.digests.size,
            "md5": output.digests.md5,
            "sha256": output.digests.sha256,
            "verdict": output.grade,
            "why": output.why.render(LANGUAGE),
            "map": [[run.start, run.end, run.origin] for run in output.map],
        }
    if mended.problem:
        row |= {"why": spoken(mended.problem.what), "hint": spoken(mended.problem.resolution)}
    return row


def _print(mended: Mended) -> None:
    if mended.sound:
        print(t("{file}: sound, nothing to repair", file=mended.item))
        return
    if mended.problem:
        print(f"{mended.item}: {spoken(mended.problem.what)}; {spoken(mended.problem.resolution)}")
        return
    counts = ", ".join(
        f"{each.what} {each.left:,}" + (f"/{each.total:,}" if each.total is not None else "")
        for each in mended.counts
    )
    path = _shown(mended.output.path) if mended.output else ""
    print(f"{mended.item} -> {path}: {spoken(mended.did) if mended.did else ''} ({counts})")
    for sentence in mended.missing[:SHOWN]:
        print(f"    {spoken(sentence)}")
    if len(mended.missing) > SHOWN:
        print("    " + t("and {count} more; --json lists them all", count=len(mended.missing) - SHOWN))
