"""``unransom carve``: an image in, the files that are still in it out, fragments put together."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unransom.cli.options import (
    executor_of,
    json_option,
    jsonl_option,
    out_option,
    progress_option,
    workers_option,
)
from unransom.cli.screen import Screen, Style
from unransom.cli.speech import LANGUAGE, spoken, t
from unransom.core.clock import rfc3339
from unransom.core.errors import EXIT_DONE, EXIT_INCOMPLETE
from unransom.core.text import shown

if TYPE_CHECKING:
    from unransom.recover.carve.records import Carved
    from unransom.run.carving import Outcome

PRELOAD = ("unransom.recover.carve.step", "unransom.recover.carve.warm")
PROOFS = ("checksum", "structure", "decoder", "heuristic")


@click.command(
    help=t("Get files out of the free space of an image, fragments put together. The image stays as it is."),
    epilog=t("Example: unransom carve fs01.img --out carved --proof structure"),
)
@click.argument("image", type=click.Path(), metavar="IMAGE")
@out_option
@click.option(
    "--proof",
    type=click.Choice(PROOFS),
    default="heuristic",
    help=t("The weakest proof of what is written."),
)
@click.option("--dry-run", is_flag=True, help=t("Only say what would come out; write nothing."))
@click.option("--whole", is_flag=True, help=t("Search also what belongs to files that are still there."))
@click.option(
    "--cluster-size",
    type=click.Choice(["0", "512", "1024", "2048", "4096"]),
    default="0",
    help=t("Bytes at whose multiples files begin; 0 to find out."),
)
@click.option(
    "--skip-known",
    "left_out",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help=t(
        "Keep no file that is in this folder, or whose hash is in this set: hashdeep, md5sum, sha256sum,"
        " NSRL RDS (SQLite)."
    ),
)
@workers_option
@progress_option
@json_option
@jsonl_option
def command(
    image: str,
    out: Path,
    proof: str,
    dry_run: bool,
    whole: bool,
    cluster_size: str,
    left_out: tuple[Path, ...],
    workers: int,
    progress: Style,
    as_json: bool,
    jsonl: bool,
) -> int:
    """Carve the image and say what came out, and how far it is proven."""
    executor = executor_of(workers, preload=PRELOAD)
    from unransom.recover.carve.found import Proof
    from unransom.run.carving import Job, carve

    job = Job(image, out, Proof[proof.upper()], dry_run, int(cluster_size), whole, left_out=left_out)
    with contextlib.closing(executor), Screen(progress) as screen:
        outcome = carve(job, executor, screen)
    _print(outcome, as_json=as_json, jsonl=jsonl, dry=dry_run)
    return EXIT_INCOMPLETE if outcome.problems else EXIT_DONE


def _print(outcome: Outcome, *, as_json: bool, jsonl: bool, dry: bool) -> None:
    import json

    rows = [_row(each) for each in outcome.files]
    if as_json:
        counts = dict(outcome.by_proof())
        document = {
            "searched": outcome.searched,
            "overwritten": outcome.overwritten,
            "trimmed": outcome.empty,
            "known": outcome.known,
            "holds": outcome.holds,
            "counts": counts,
            "files": rows,
        }
        print(json.dumps(document, ensure_ascii=False))
    elif jsonl:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
    else:
        _print_counts(outcome, dry=dry)
        _print_map(outcome)
        if dry:
            size = sum(each.digests.size for each in outcome.files)
            print(t("{size} MB would come out; nothing was written", size=f"{size / 1e6:,.1f}"))
    for problem in outcome.problems:
        print(spoken(problem.what), spoken(problem.resolution))


def _row(carved: Carved) -> dict[str, object]:
    return {
        "path": carved.path.decode("utf-8", "backslashreplace"),
        "format": carved.format,
        "size": carved.digests.size,
        "md5": carved.digests.md5,
        "sha256": carved.digests.sha256,
        "proof": carved.proof,
        "bits": carved.bits,
        "why": carved.why.render(LANGUAGE),
        "source": carved.source,
        "original": shown(carved.original) or None,
        "named_by": carved.named_by or None,
        "modified": rfc3339(carved.modified) or None,
        "extents": [[extent.start, extent.end] for extent in carved.extents],
    }


def _print_map(outcome: Outcome) -> None:
    """Say what the space holds."""
    from unransom.report.labels import HOLDINGS

    for kind, size in outcome.holds.items():
        if size:
            print(f"{size / 1e6:>11,.1f} MB  {spoken(HOLDINGS[kind])}")


def _print_counts(outcome: Outcome, *, dry: bool) -> None:
    if outcome.empty:
        print(t("all free space is zeros: it was trimmed or never used, and no deleted file is in it"))
    print(
        t(
            "files carved out of {size} MB: {files}; in fragments: {fragmented}",
            files=f"{len(outcome.files):,}",
            size=f"{outcome.searched / 1e6:,.0f}",
            fragmented=f"{sum(each.fragments > 1 for each in outcome.files):,}",
        )
    )
    names = {
        "checksum-proved": t("checksum-proved"),
        "structure-proved": t("structure-proved"),
        "decoder-accepted": t("decoder-accepted"),
        "heuristic": t("heuristic"),
    }
    counts = outcome.by_proof()
    for proof, name in names.items():
        if counts[proof]:
            print(f"{counts[proof]:>9,} {name}")
    named = sum(bool(each.original) for each in outcome.files)
    if named:
        print(t("{files} of them have their names back", files=f"{named:,}"))
    if outcome.known and dry:
        print(t("{files} files would not be kept: sets of hashes have them", files=f"{outcome.known:,}"))
    elif outcome.known:
        print(t("{files} files were not kept: sets of hashes have them", files=f"{outcome.known:,}"))
    if outcome.overwritten:
        print(
            t(
                "{files} more files were there once; others lie in their place",
                files=f"{outcome.overwritten:,}",
            )
        )
