"""Unlocking against copying and hashing: the same bytes on all cores, in turns, in one run.

    python benchmarks/unlock.py [--gib N] [--rounds N] [--folder DIR] [--json FILE]

For each way of locking, the whole of every file under AES-256-CTR (a family described as in the field) and
one million bytes of every three under AES-128-CTR (INC), makes a tree of ZIP archives of mixed sizes, locks
them in memory, and takes in turns:

* ``unransom recover``: from the locked tree to proven, written outputs with MD5, SHA-256 and BLAKE3, whose
  own checksums hold. The start of Python, triage of every file, the proof of the key and the report count
  too; what the step ``unlock`` takes of all that is told besides.
* ``cp``, ``md5sum`` and ``sha256sum`` side by side. Each takes the tree in batches of equal size, and a
  batch is begun whenever a core is free, so that no core idles before the last batch.
* the same with ``openssl dgst`` in place of ``md5sum`` and ``sha256sum``. Some systems build these two
  without OpenSSL's assembly, which is several times as fast.

``cp`` does not wait for the disk and ``unransom`` does, so ``sync`` counts on both sides. On a RAM disk
(--folder /dev/shm) nothing waits. Demanded of the whole command is 0.8 of the rate of the second.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.recover import UNRANSOM

from tests.fixtures.described import aes_key, description, tail
from tests.fixtures.locked import INC_PRIVATE, lock_inc
from tests.lockers import drawn, locked

CORES = len(os.sched_getaffinity(0))
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
MIX = ((64 * MIB, 1), (16 * MIB, 6), (4 * MIB, 16), (MIB, 8), (64 * KIB, 8))  # size, how many; 233 MiB
BATCHES = 8  # per core and program
WANTED = 0.8
OWN, STEP, PEERS = "unransom recover", "its step unlock", ("cp, md5sum, sha256sum", "cp, openssl dgst")
KEY = drawn("benchmark", 32)
WHOLE = description("whole", '{ type = "whole" }')


def lock_whole(plain: bytes, name: str) -> bytes:
    """Return ``plain`` with all of it under AES-256-CTR."""
    iv = drawn(name, 16)
    return locked.seal(plain, aes_key(KEY), iv, "ctr", "none") + tail(iv, len(plain))


def lock_in_intervals(plain: bytes, name: str) -> bytes:
    """Return ``plain`` sealed like INC."""
    return lock_inc(plain, name.encode())


class Way(NamedTuple):
    """A way of locking; ``family`` describes it where it is none of the catalogue."""

    lock: Callable[[bytes, str], bytes]
    extension: str
    key: bytes
    family: str = ""


WAYS = {
    "full": Way(lock_whole, ".whole", KEY, WHOLE),
    "intermittent": Way(lock_in_intervals, ".INC", INC_PRIVATE),
}


def archive(name: str, size: int) -> bytes:
    """Return a ZIP archive of one stored member of ``size`` bytes without any order."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as writer:
        writer.writestr(zipfile.ZipInfo("film.bin"), random.Random(name).randbytes(size))
    return out.getvalue()


def sizes(total: int) -> Iterator[int]:
    """Yield sizes of files that add up to about ``total``."""
    mixed = itertools.cycle([size for size, count in MIX for _ in range(count)])
    while total > 0:
        size = min(next(mixed), total)
        yield size
        total -= size


def make(folder: Path, total: int, way: Way) -> list[Path]:
    """Write locked archives of ``total`` bytes; return their paths."""
    paths = []
    for number, size in enumerate(sizes(total)):
        path = folder / f"{number % 7}" / f"{number:05}.zip{way.extension}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(way.lock(archive(path.name, size), path.name))
        paths.append(path)
    return paths


def batches(paths: list[Path]) -> list[list[Path]]:
    """Return ``paths`` in batches of about the same number of bytes."""
    found: list[list[Path]] = [[] for _ in range(CORES * BATCHES)]
    filled = [0] * len(found)
    for path in sorted(paths, key=lambda path: -path.stat().st_size):
        least = filled.index(min(filled))
        found[least].append(path)
        filled[least] += path.stat().st_size
    return [batch for batch in found if batch]


def run(command: list[object]) -> None:
    """Run a program that must succeed."""
    subprocess.run([os.fspath(str(word)) for word in command], check=True, stdout=subprocess.DEVNULL)


def side_by_side(paths: list[Path], target: Path, *hashes: tuple[str, ...]) -> None:
    """Copy and hash ``paths`` with all cores."""
    target.mkdir()
    cut = batches(paths)
    commands: list[list[object]] = [[*each, *batch] for each in hashes for batch in cut]
    commands += [["cp", "-t", target, *batch] for batch in cut]
    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(run, commands))


def timed(work: Callable[[], object], target: Path) -> float:
    """Return the seconds of ``work``, until what it wrote to ``target`` is on the disk; remove it."""
    began = time.perf_counter()
    work()
    run(["sync", "-f", target])
    seconds = time.perf_counter() - began
    shutil.rmtree(target)
    return seconds


def measure(folder: Path, way: str, total: int, rounds: int) -> dict[str, object]:
    """Return the seconds that everything takes on a tree locked in ``way``."""
    (folder / "key").write_bytes(WAYS[way].key)
    options: list[object] = ["--key", folder / "key", "--budget", "0", "--progress", "none"]
    if WAYS[way].family:
        (folder / "family.toml").write_text(WAYS[way].family)
        options += ["--family", folder / "family.toml"]
    paths = make(folder / "in", total, WAYS[way])
    run(["sync", "-f", folder])
    case, copy = folder / "case", folder / "copy"
    steps: list[float] = []

    def recover() -> None:
        run([UNRANSOM, "recover", folder / "in", "--case", case, *options])
        result = json.loads((case / "result.json").read_text())
        if result["verdicts"]["good"] != len(paths):
            raise SystemExit(f"not all came back: {result['counts']}, {result['verdicts']}")
        steps.extend(step["seconds"] for step in result["throughput"]["steps"] if step["name"] == "unlock")

    works: dict[str, tuple[Callable[[], None], Path]] = {
        OWN: (recover, case),
        PEERS[0]: (lambda: side_by_side(paths, copy, ("sha256sum",), ("md5sum",)), copy),
    }
    if shutil.which("openssl"):
        hashes = (("openssl", "dgst", "-md5"), ("openssl", "dgst", "-sha256"))
        works[PEERS[1]] = (lambda: side_by_side(paths, copy, *hashes), copy)
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds + 1):
        for name, (work, target) in works.items():
            seconds[name].append(timed(work, target))
    seconds[STEP] = steps
    size = sum(path.stat().st_size for path in paths)
    shutil.rmtree(folder / "in")
    warm = {name: times[1:] for name, times in seconds.items()}  # the first round warms up
    return {"way": way, "files": len(paths), "bytes": size, "seconds": warm}


def show(found: dict) -> None:
    """Add the ratios of each round to what was measured, and print all as a table."""
    print(f"{found['way']}: {found['bytes'] / 1e6:,.0f} MB in {found['files']} files")
    seconds = found["seconds"]
    for name, times in seconds.items():
        rate = found["bytes"] / 1e6 / statistics.median(times)
        print(f"  {name:<22}{spread(times)} s {rate:8,.0f} MB/s")
    found["ratios"] = {}
    for peer in PEERS:
        for own in (OWN, STEP):
            ratios = [other / mine for other, mine in zip(seconds.get(peer, ()), seconds[own], strict=False)]
            if ratios:
                found["ratios"].setdefault(peer, {})[own] = statistics.median(ratios)
                print(f"  {own} at {spread(ratios)} of the rate of {peer}")


def spread(values: list[float]) -> str:
    """Return the median of ``values``, and the least and the most."""
    return f"{statistics.median(values):6.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gib", type=float, default=2.0, help="size of a tree")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where to work, e.g. on a RAM disk")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = []
    loads = [os.getloadavg()[0]]
    for way in WAYS:
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            results.append(measure(Path(name), way, int(options.gib * GIB), options.rounds))
        show(results[-1])
        loads.append(os.getloadavg()[0])
    held = all(each["ratios"][PEERS[0]][OWN] >= WANTED for each in results)
    print(f"{CORES} cores, load {' to '.join(f'{load:.1f}' for load in loads)}")
    print(f"{'reached' if held else 'MISSED'}: {WANTED} of the rate of cp, md5sum and sha256sum")
    if options.json:
        options.json.write_text(
            json.dumps({"cores": CORES, "loads": loads, "wanted": WANTED, "trees": results}, indent=2)
        )


if __name__ == "__main__":
    main()
