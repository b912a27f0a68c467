"""The bundle of a case: seconds for each 100 GB of files, extrapolated from a smaller case.

    python benchmarks/bundle.py [--gigabytes 4] [--folder DIR] [--json]

Makes a case with one image of that size and some thousand outputs, and exports it: every file is read and
hashed again (MD5, SHA-256, BLAKE3) and named in each manifest. MD5 has a thread of its own, so that wall
time on two free cores is what it takes alone; on a machine with other work, CPU time says what to expect.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import tempfile
import time
from pathlib import Path

from unransom.case.case import Case
from unransom.run.bundle import export
from unransom.run.imaging import place, tell

GOAL = 8 * 60  # seconds for 100 GB
SMALL = 2000  # files of 64 KiB beside the large one


def make(folder: Path, size: int) -> None:
    """Make the case."""
    noise = random.Random(8).randbytes(1 << 24)
    Case(folder, create=True).close()
    paths = []
    for number in range(SMALL):
        paths.append(place(folder, f"{number}.bin"))
        paths[-1].write_bytes(noise[number * 64 : number * 64 + (64 << 10)])
    paths.append(place(folder, "disk.img"))
    with paths[-1].open("wb") as file:
        for _ in range(size >> 24):
            file.write(noise)
    with Case(folder) as case:
        tell(case, "benchmark", tuple(paths), {})


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=4)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        make(folder / "case", int(options.gigabytes * 1e9))
        size = sum(path.stat().st_size for path in (folder / "case/evidence").iterdir())
        with Case(folder / "case") as case:
            began, used = time.perf_counter(), time.process_time()
            export(case, folder / "bundle")
            seconds, used = time.perf_counter() - began, time.process_time() - used
    finally:
        shutil.rmtree(folder)
    whole = seconds * 100e9 / size
    found = {
        "bytes": size,
        "cores": os.cpu_count(),
        "seconds": seconds,
        "cpu_seconds": used,
        "seconds_for_100_GB": whole,
        "cpu_seconds_for_100_GB": used * 100e9 / size,
        "goal": GOAL,
    }
    if options.json:
        print(json.dumps(found))
        return
    print(
        f"{size:,} bytes in {seconds:.1f} s ({used:.1f} s of CPU);"
        f" 100 GB, extrapolated: {whole / 60:.1f} min of {GOAL / 60:.0f},"
        f" {found['cpu_seconds_for_100_GB'] / 60:.1f} min of CPU on {found['cores']} cores"
    )


if __name__ == "__main__":
    main()
