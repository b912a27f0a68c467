"""``unransom keys``: which of these keys opens which family, and which keys are wanted."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unransom.cli.options import executor_of, json_option, key_option, progress_option, workers_option
from unransom.cli.screen import Screen, Style
from unransom.cli.speech import LANGUAGE, spoken, t
from unransom.core.errors import EXIT_DONE, NoKeyFoundError

if TYPE_CHECKING:
    from unransom.run.wanted import WantedKey

WANTED, NOTHING = frozenset({"wanted"}), frozenset[str]()


@click.command(
    help=t("Try keys on locked files; nothing is written. Without keys, say which are wanted."),
    epilog=t("Example: unransom keys /mnt/share --key keys/"),
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@key_option
@click.option(
    "--wanted", is_flag=True, help=t("Write what a key holder would need, each wrapped key once, as JSON.")
)
@workers_option
@progress_option
@json_option
def command(
    sources: tuple[str, ...],
    keys: tuple[Path, ...],
    wanted: bool,
    workers: int,
    progress: Style,
    as_json: bool,
) -> int:
    """Try the keys on samples of every family and print what came of it."""
    import msgspec

    from unransom.run.alone import work_alone
    from unransom.run.recover import Job

    executor = executor_of(workers)
    with contextlib.closing(executor), Screen(progress) as screen:
        job = Job(sources=sources, case=Path(), keys=keys, last="wanted", extra=WANTED if wanted else NOTHING)
        work = work_alone(job, executor, screen, LANGUAGE)
    if wanted:
        print(json.dumps([_wanted(key) for key in work.wanted], ensure_ascii=False, indent=2))
        return EXIT_DONE
    if as_json:
        document = {"found": work.found, "trials": work.trials}
        print(json.dumps(msgspec.to_builtins(document), ensure_ascii=False, indent=2))
    else:
        for key in work.found:
            print(t("{family}: key {fingerprint} opens it", family=key.family, fingerprint=key.fingerprint))
            print("  " + spoken(key.proof))
        for trial in work.trials:
            if trial.outcome != "found":
                print(f"{trial.family}: {spoken(trial.why)}")
                needed = spoken(trial.wanted)
                print("  " + t("wanted: {key}, for {files} files", key=needed, files=trial.files))
    return EXIT_DONE if work.found else NoKeyFoundError.exit_code


def _wanted(key: WantedKey) -> dict[str, str | int]:
    return {
        "family": key.family,
        "campaign": key.campaign,
        "wrapped": key.wrapped,
        "files": key.files,
        "bytes": key.size,
        "wanted": spoken(key.wanted),
    }
