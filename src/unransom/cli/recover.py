"""``unransom recover``: the main job."""

from __future__ import annotations

import contextlib
import shlex
import sys
from pathlib import Path

import click

from unransom.cli.options import (
    budget_option,
    case_option,
    cluster_option,
    dump_option,
    executor_of,
    family_option,
    json_option,
    key_option,
    known_option,
    library_option,
    manifest_option,
    memory_option,
    progress_option,
    server_key_option,
    time_limit_option,
    workers_option,
)
from unransom.cli.screen import Screen, Style
from unransom.cli.speech import LANGUAGE, t


@click.command(
    help=t(
        "The main job: from locked evidence to verified files and a report.\n\n"
        "Sources are image files, devices, folders and buckets (s3://BUCKET/PREFIX), read where they are"
        " and never written to. Run the same command again to go on after an interruption."
    ),
    epilog=t("Example: unransom recover /mnt/images/fs01.img --case fs01 --key private.pem"),
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@case_option
@key_option
@server_key_option
@library_option
@family_option
@manifest_option
@click.option("--all", "whole_tree", is_flag=True, help=t("Copy intact files too, for the whole tree."))
@click.option("--no-carve", is_flag=True, help=t("Do not look for deleted files on images."))
@click.option("--no-repair", is_flag=True, help=t("Do not rebuild files that came back in part."))
@known_option
@dump_option
@budget_option
@click.option(
    "--deadline",
    type=click.FloatRange(0, min_open=True),
    metavar="HOURS",
    help=t("Hours the team was given."),
)
@workers_option
@cluster_option
@memory_option
@time_limit_option
@progress_option
@json_option
def command(
    sources: tuple[str, ...],
    case: Path,
    keys: tuple[Path, ...],
    server_keys: tuple[Path, ...],
    libraries: tuple[Path, ...],
    families: tuple[Path, ...],
    manifests: tuple[Path, ...],
    whole_tree: bool,
    no_carve: bool,
    no_repair: bool,
    known: tuple[Path, ...],
    dumps: tuple[Path, ...],
    budget: float,
    deadline: float | None,
    workers: int,
    cluster: str | None,
    memory_limit: str,
    time_limit: float,
    progress: Style,
    as_json: bool,
) -> int:
    """Run the job and print the summary."""
    executor = executor_of(workers, cluster, memory_limit)  # its workers start while the rest is imported

    from unransom.report import jsonfile, text
    from unransom.run.recover import Job, recover

    job = Job(
        sources=sources,
        case=case,
        keys=keys,
        server_keys=server_keys,
        libraries=libraries,
        families=families,
        known=tuple(map(str, known)),
        memory=tuple(map(str, dumps)),
        budget=budget,
        manifests=manifests,
        command=shlex.join(["unransom", *sys.argv[1:]]),
        deadline_hours=deadline,
        extra=frozenset({"copy"} if whole_tree else ()),
        left_out=frozenset(name for name, out in (("carve", no_carve), ("repair", no_repair)) if out),
        item_seconds=time_limit,
    )
    with contextlib.closing(executor), Screen(progress) as screen:
        result = recover(job, executor, screen, LANGUAGE)
    print(jsonfile.encode(result).decode() if as_json else text.render(result, LANGUAGE))
    return result.exit_code
