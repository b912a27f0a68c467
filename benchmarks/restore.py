"""Moves back: how long plan, apply, verify and undo take for many small files, to a folder and to a bucket.

    python benchmarks/restore.py [--files N] [--size BYTES] [--json FILE]

The bucket is one of a real SeaweedFS on this machine. Every file is scanned, written, read back and compared;
`apply` has all of that. Prints wall and processor time of the program, without the server's. That deaths,
errors and a full bucket change nothing is what `pytest -m soak tests/restore/test_restore_bucket.py` shows.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.fixtures.buckets import s3_server
from tests.restore.made_case import content, make_case, unransom

ACTS = ("plan", "apply", "verify", "undo")


class Folders:
    """What the fixture of the server needs of pytest: new folders."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def mktemp(self, name: str) -> Path:
        """Return a new folder."""
        return Path(tempfile.mkdtemp(prefix=name, dir=self._root))


def timed(act: str, case: Path, to: str, environment: dict[str, str]) -> tuple[float, float]:
    """Return the wall and processor seconds of one command."""
    arguments = ("restore", act, "--case", case, "--to", to)
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    unransom(*arguments, environment=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - started, processor


def main() -> None:
    """Measure, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    contents = {b"img/%06d.jpg" % number: content(number, options.size) for number in range(options.files)}
    figures = []
    with tempfile.TemporaryDirectory() as root:
        starts = s3_server._get_wrapped_function()(Folders(Path(root)))  # type: ignore[attr-defined]
        server = next(starts)
        (Path(root) / "share").mkdir()
        targets = {"folder": f"{root}/share", "bucket": f"s3://{server.new_bucket({})}"}
        for name, to in targets.items():
            case = make_case(Path(root) / f"case-{name}", contents)
            for act in ACTS:
                wall, processor = timed(act, case, to, {**os.environ, **server.writing})
                rate = options.files / wall
                figures.append(
                    {"target": name, "act": act, "wall": wall, "processor": processor, "rate": rate}
                )
                print(
                    f"{name:<8} {act:<8} {wall:8.1f} s {processor:8.1f} s CPU {rate:8.0f} files/s", flush=True
                )
        starts.close()
    if options.json:
        options.json.write_text(json.dumps({"files": options.files, "figures": figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
