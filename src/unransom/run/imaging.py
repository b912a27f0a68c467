"""Images in a case: acquired into its folder ``evidence``, and told of in its chain."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from unransom.case.case import IMAGES, Case
from unransom.case.database import transaction

FOLDER = "evidence"


def place(case: Path, name: str) -> Path:
    """Return where the image called ``name`` belongs in a case."""
    folder = case / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def tell(case: Case, source: str, files: tuple[Path, ...], digests: Mapping[str, str]) -> None:
    """Record an image in the chain, with the SHA-256 of its files.

    Args:
        case: The open case.
        source: Where it was taken from.
        files: The image, and what belongs to it.
        digests: Of the content, by name.
    """
    sums = {str(path.relative_to(case.folder)): _sha256(path) for path in files}
    with transaction(case.database):
        known = json.loads(case.fact(IMAGES, "{}"))
        case.set_fact(IMAGES, json.dumps(known | sums))
        facts = {"source": source, "outputs": [list(each) for each in sums.items()]}
        case.record("image", facts | {"digests": [list(each) for each in digests.items()]})
    case.publish()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
