"""``unransom verify``: files against their own structure and against hashes of the originals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from unransom.cli.options import EXISTING, jsonl_option, manifest_option, progress_option
from unransom.cli.screen import Screen, Style, say_to_people
from unransom.cli.speech import LANGUAGE, t
from unransom.core.errors import EXIT_DONE, VerificationError
from unransom.core.text import shown

if TYPE_CHECKING:
    from unransom.run.check import Check, Checked

NAMES = 5  # of missing files that are told


@click.command(
    help=t("Check files by their structure and against hashes of the originals."),
    epilog=t("Example: unransom verify restored/ --manifest before.sha256"),
)
@click.argument("files", nargs=-1, required=True, type=EXISTING, metavar="FILE...")
@manifest_option
@progress_option
@jsonl_option
def command(files: tuple[Path, ...], manifests: tuple[Path, ...], progress: Style, jsonl: bool) -> int:
    """Print the verdict on every file."""
    import json

    from unransom.run.check import Check

    bad = False
    check = Check(manifests)
    with Screen(progress) as screen:
        for checked in check.files(files, screen):
            bad = bad or checked.verdict.grade in {"bad", "partial"}
            if jsonl:
                print(json.dumps(_row(checked), ensure_ascii=False))
            else:
                print(f"{checked.verdict.grade:<8} {checked.path}  {checked.verdict.why.render(LANGUAGE)}")
    if check.unseen:
        say_to_people(_unseen(check))
    return VerificationError.exit_code if bad else EXIT_DONE


def _unseen(check: Check) -> str:
    return t(
        "{count} of {promised} files that the manifests name are not among these: {names}",
        count=f"{len(check.unseen):,}",
        promised=f"{check.promised:,}",
        names=", ".join(map(shown, check.unseen[:NAMES])) + (", …" if len(check.unseen) > NAMES else ""),
    )


def _row(checked: Checked) -> dict[str, object]:
    verdict = checked.verdict
    return {
        "path": str(checked.path),
        "format": checked.format,
        "verdict": verdict.grade.value,
        "check": verdict.check,
        "bits": verdict.bits,
        "why": verdict.why.render(LANGUAGE),
    }
