"""Small files: a folder into a logical image, in files per second, against ``tar`` and ``sha256sum``.

    python benchmarks/acquire_files.py [--files 100000] [--folder DIR] [--json]

Makes the files itself (1 to 8 KiB, in folders of 1,000), so that all are in the page cache, and
takes the better of two rounds of each. ``tar`` alone has no digests of the files; ``tar`` and then
``sha256sum`` of every file is what a responder would do without unransom.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from unransom.acquire.logical.step import acquire

ROUNDS = 2
IN_FOLDER = 1000


def make(folder: Path, count: int) -> None:
    """Make ``count`` files."""
    draw = random.Random(8)
    noise = draw.randbytes(1 << 16)
    for number in range(count):
        if number % IN_FOLDER == 0:
            below = folder / f"{number // IN_FOLDER:05}"
            below.mkdir(parents=True)
        start, size = draw.randrange(1 << 15), draw.randrange(1024, 8192)
        (below / f"{number}.bin").write_bytes(noise[start : start + size])


def seconds(act: Callable[[], object]) -> tuple[float, float]:
    """Return how long the better of some rounds took, and the CPU time of that round."""
    taken = []
    for _ in range(ROUNDS):
        began, used = time.perf_counter(), cpu()
        act()
        taken.append((time.perf_counter() - began, cpu() - used))
    return min(taken)


def cpu() -> float:
    """Return the CPU time of this process and of those that it has waited for."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in both)


def shell(command: str) -> None:
    """Run a command line."""
    subprocess.run(["bash", "-o", "pipefail", "-c", command], check=True, stdout=subprocess.DEVNULL)


def measure(folder: Path, count: int) -> dict[str, tuple[float, float]]:
    """Return files per second of each way, and per second of CPU time."""
    source, out = folder / "files", folder / "out"
    make(source, count)

    def logical() -> None:
        out.unlink(missing_ok=True)
        acquire(str(source), out)

    ways = {
        "tar": lambda: shell(f"tar -C '{source}' -cf - . | cat > '{out}'"),
        "tar and sha256sum": lambda: shell(
            f"tar -C '{source}' -cf - . | cat > '{out}';"
            f" find '{source}' -type f -print0 | xargs -0 sha256sum > '{out}.sums'"
        ),
        "tar, zstd and sha256sum": lambda: shell(
            f"tar -C '{source}' -cf - . | zstd -1 -q -T0 -f -o '{out}';"
            f" find '{source}' -type f -print0 | xargs -0 sha256sum > '{out}.sums'"
        ),
        "unransom acquire": logical,
    }
    return {name: tuple(count / each for each in seconds(way)) for name, way in ways.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        found = measure(folder, options.files)
    finally:
        shutil.rmtree(folder)
    if options.json:
        print(json.dumps({"files": options.files, "cores": os.cpu_count(), "files_per_second": found}))
        return
    print(f"{options.files:,} files, {os.cpu_count()} cores")
    for name, (wall, used) in found.items():
        ours = found["unransom acquire"]
        print(
            f"  {name:<26} {wall:>10,.0f} files/s  {ours[0] / wall:5.2f} times;"
            f"  {used:>10,.0f} a second of CPU  {ours[1] / used:5.2f} times"
        )


if __name__ == "__main__":
    main()
