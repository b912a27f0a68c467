"""Images in a case: acquired into its folder ``evidence``, and told of in its chain."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from unransom.acquire.records import unfinished
from unransom.case.case import IMAGES, Case
from unransom.case.database import transaction
from unransom.core.records import Problem

FOLDER = "evidence"


def place(case: Path, name: str) -> Path:
    """Return where the image called ``name`` belongs in a case."""
    folder = case.absolute() / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def is_untold(image: Path) -> bool:
    """Return whether ``image`` was finished and the run ended before its case was told of it."""
    if not image.exists():
        return False
    with Case(image.parent.parent) as case:
        return str(image.relative_to(case.folder)) not in json.loads(case.fact(IMAGES, "{}"))


def reopen(image: Path, *, packed: bool) -> None:
    """Give an image of a disk that `is_untold` the names of an unfinished one, so that it is gone on with."""
    part = unfinished(image, packed=packed)
    chart = image.with_name(image.name + ".map")
    if chart.exists():
        chart.rename(part.with_name(part.name + ".map"))
    image.rename(part)


def tell(
    case: Case,
    source: str,
    files: tuple[Path, ...],
    digests: Mapping[str, str],
    problems: Sequence[Problem] = (),
) -> None:
    """Record an image in the chain, with the SHA-256 of its files.

    Args:
        case: The open case.
        source: Where it was taken from.
        files: The image, and what belongs to it.
        digests: Of the content, by name.
        problems: What limits the image.
    """
    sums = {str(path.relative_to(case.folder)): _sha256(path) for path in files}
    with transaction(case.database):
        known = json.loads(case.fact(IMAGES, "{}"))
        case.set_fact(IMAGES, json.dumps(known | sums))
        facts = {"source": source, "outputs": [list(each) for each in sums.items()]}
        facts |= {"digests": [list(each) for each in digests.items()]}
        if problems:
            facts["problems"] = [[each.item, str(each.what), str(each.resolution)] for each in problems]
        case.record("image", facts)
    case.publish()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
