"""``unransom unlock``: single files, a key, a folder for the originals."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from unransom.cli.options import (
    EXISTING,
    executor_of,
    family_option,
    jsonl_option,
    key_option,
    manifest_option,
    out_option,
    progress_option,
    workers_option,
)
from unransom.cli.screen import Screen, Style
from unransom.cli.speech import LANGUAGE, t


@click.command(
    help=t("Unlock single files with a key. The locked files stay as they are."),
    epilog=t("Example: unransom unlock report.xlsx.INC --key private.txt --out restored"),
)
@click.argument("files", nargs=-1, required=True, type=EXISTING, metavar="FILE...")
@key_option
@family_option
@manifest_option
@out_option
@workers_option
@progress_option
@jsonl_option
def command(
    files: tuple[Path, ...],
    keys: tuple[Path, ...],
    families: tuple[Path, ...],
    manifests: tuple[Path, ...],
    out: Path,
    workers: int,
    progress: Style,
    jsonl: bool,
) -> int:
    """Unlock the files and say of each what became of it."""
    from unransom.cli.tables import print_rows
    from unransom.run.alone import work_alone
    from unransom.run.recover import Job

    executor = executor_of(workers)
    with contextlib.closing(executor), Screen(progress) as screen:
        job = Job(
            sources=tuple(map(str, files)), case=Path(), keys=keys, families=families, manifests=manifests
        )
        work = work_alone(job, executor, screen, LANGUAGE, out)
    print_rows(work.files, jsonl=jsonl)
    return work.result.exit_code
