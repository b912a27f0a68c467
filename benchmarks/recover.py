"""Recover against copying and hashing: the same bytes, side by side, in one run.

    python benchmarks/recover.py [--size MIB] [--files N] [--rounds N] [--folder DIR] [--json FILE]

Makes a tree of ZIP archives, locks them in memory like INC, and takes in turns ``unransom recover``
(decrypt, write, MD5, SHA-256, BLAKE3 and the archives' own checksums) and ``cp -r`` followed by
``sha256sum``. Prints medians and their ratio.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.fixtures.locked import INC_PRIVATE, archive, lock_inc

UNRANSOM = Path(sys.executable).with_name("unransom")


def make(folder: Path, files: int, size: int) -> int:
    """Write ``files`` locked archives of ``size`` bytes; return the bytes in all."""
    total = 0
    for number in range(files):
        locked = lock_inc(archive(str(number), size), b"%d" % number)
        (folder / f"{number:05}.zip.INC").write_bytes(locked)
        total += len(locked)
    return total


def timed(*command: object) -> float:
    """Return the seconds that ``command`` takes."""
    began = time.perf_counter()
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def copy_and_hash(source: Path, target: Path) -> float:
    """Return the seconds of ``cp -r`` and ``sha256sum`` of what it wrote."""
    return timed("sh", "-c", f"cp -r {source} {target} && find {target} -type f -exec sha256sum {{}} +")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=512, help="MiB in all")
    parser.add_argument("--files", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to work, e.g. on a RAM disk")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        (folder / "in").mkdir()
        (folder / "key").write_bytes(INC_PRIVATE)
        total = make(folder / "in", options.files, (options.size << 20) // options.files)
        rounds: dict[str, list[float]] = {"recover": [], "cp + sha256sum": []}
        for _ in range(options.rounds + 1):
            recover = (UNRANSOM, "recover", folder / "in", "--case", folder / "case", "--key", folder / "key")
            rounds["recover"].append(timed(*recover, "--progress", "none"))
            rounds["cp + sha256sum"].append(copy_and_hash(folder / "in", folder / "copy"))
            shutil.rmtree(folder / "case")
            shutil.rmtree(folder / "copy")
    seconds = {what: statistics.median(times[1:]) for what, times in rounds.items()}  # the first warms up
    print(f"{total / 1e6:,.0f} MB in {options.files} files, medians of {options.rounds} rounds")
    for what, median in seconds.items():
        print(f"{what:<16} {median:7.2f} s  {total / 1e6 / median:8,.0f} MB/s")
    ratio = seconds["cp + sha256sum"] / seconds["recover"]
    print(f"recover runs at {ratio:.2f} of the rate of cp + sha256sum")
    if options.json:
        options.json.write_text(json.dumps({"bytes": total, "seconds": seconds, "ratio": ratio}, indent=2))


if __name__ == "__main__":
    main()
