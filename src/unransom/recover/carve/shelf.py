"""What carving has found so far, kept in a folder: an interrupted search goes on where it stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from unransom.core.spans import Span
from unransom.recover.carve.found import Found
from unransom.recover.carve.records import Looked
from unransom.recover.carve.scan import Scan
from unransom.recover.carve.signatures import KINDS

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[Found, ...]).decode


class Shelf:
    """A folder with the results of tasks, each in a file that is there whole or not at all."""

    def __init__(self, folder: Path, label: str) -> None:
        """Use ``folder``; what stands in it under another ``label`` is of another search, and removed."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        mark = folder / "label"
        if not mark.exists() or mark.read_text() != label:
            self.clear()
            mark.write_text(label)

    def clear(self) -> None:
        """Remove all results."""
        for path in self.folder.glob("*.np[yz]"):
            path.unlink()
        for path in self.folder.glob("*.json"):
            path.unlink()
        (self.folder / "label").unlink(missing_ok=True)

    def put_looked(self, looked: Looked) -> None:
        """Keep what was seen in a region."""
        scan = looked.scan
        arrays: dict[str, Any] = {f"mark{kind}": places for kind, places in scan.marks.items()}
        draft = self.folder / "draft.npz"
        arrays |= {"classes": scan.classes, "heads": scan.heads}
        arrays |= {"aligned": np.array(looked.aligned), "overlaid": np.array(looked.overlaid, np.int64)}
        np.savez(draft, **arrays)
        self.put_found(f"look-{scan.span.start}-{scan.span.end}-{scan.cluster}", looked.found)
        draft.replace(self._path(scan.span, scan.cluster))

    def looked(self, span: Span, cluster: int) -> Looked | None:
        """Return what was seen in a region, None where it was not looked at yet."""
        path = self._path(span, cluster)
        found = self.found(f"look-{span.start}-{span.end}-{cluster}")
        if found is None or not path.exists():
            return None
        with np.load(path) as arrays:
            marks = {kind: arrays[f"mark{kind}"] for kind in KINDS}
            scan = Scan(span, cluster, arrays["classes"], arrays["heads"], marks)
            aligned, overlaid = tuple(arrays["aligned"].tolist()), tuple(arrays["overlaid"].tolist())
        return Looked(scan=scan, found=found, skipped=0, aligned=aligned, overlaid=overlaid)

    def put_found(self, name: str, found: tuple[Found, ...]) -> None:
        """Keep the files that a task has found."""
        draft = self.folder / "draft.json"
        draft.write_bytes(_encode(found))
        draft.replace(self.folder / f"{name}.json")

    def found(self, name: str) -> tuple[Found, ...] | None:
        """Return the files that a task has found, None where it was not done yet."""
        path = self.folder / f"{name}.json"
        return _decode(path.read_bytes()) if path.exists() else None

    def _path(self, span: Span, cluster: int) -> Path:
        return self.folder / f"look-{span.start}-{span.end}-{cluster}.npz"
