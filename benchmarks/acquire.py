"""Acquire against dc3dd and ewfacquire: the same source from the page cache, side by side, in one run.

    python benchmarks/acquire.py [--size MIB] [--rounds N] [--folder DIR] [--json FILE]

The source is half text of programs and half noise, as a server's disk is. Each tool makes MD5 and SHA-256;
dc3dd and `--format raw` write the bytes as they are, ewfacquire and `--format zstd` compress them. Also: the
two hashes alone, and reading the E01 back. Prints medians, and the CPU time beside them: on a machine that is
shared the wall clock says little.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from unransom.core.streams import chunks
from unransom.evidence.containers import open_disk

UNRANSOM = Path(sys.executable).with_name("unransom")
MIB = 1 << 20
Times = tuple[float, float]  # wall, CPU


def make(path: Path, size: int) -> None:
    """Write a source of ``size`` MiB."""
    text = b"".join(each.read_bytes() for each in sorted(Path(sys.prefix).rglob("*.py"))[:2000])[: 64 * MIB]
    with path.open("wb") as file:
        for number in range(size):
            start = number * MIB % max(1, len(text) - MIB)
            file.write(os.urandom(MIB) if number % 2 else text[start : start + MIB].ljust(MIB, b"\0"))


def timed(work: Callable[[], object]) -> Times:
    """Return the seconds that ``work``, with its children, takes."""
    before = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    began = time.perf_counter()
    work()
    wall = time.perf_counter() - began
    after = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    pairs = zip(before, after, strict=True)
    return wall, sum(b.ru_utime - a.ru_utime + b.ru_stime - a.ru_stime for a, b in pairs)


def run(*command: object) -> None:
    """Run a command that says nothing."""
    subprocess.run(
        [str(word) for word in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def hash_alone(path: Path, name: str) -> None:
    """Hash a file."""
    with path.open("rb") as file:
        hashlib.file_digest(file, name)


def read_back(path: Path) -> None:
    """Read the disk in an image."""
    with contextlib.closing(open_disk(os.fsencode(path))) as disk:
        for _ in chunks(disk):
            pass


def contenders(source: Path, folder: Path) -> dict[str, Callable[[], object]]:
    """Return what is timed, by name."""
    ewf = ("ewfacquire", "-u", "-q", "-d", "sha256", "-S", "100GiB", "-f", "encase6")
    acquire = (UNRANSOM, "acquire", source, "--progress", "none")
    return {
        "md5 alone": lambda: hash_alone(source, "md5"),
        "sha256 alone": lambda: hash_alone(source, "sha256"),
        "dc3dd": lambda: run("dc3dd", f"if={source}", f"of={folder}/dc3dd", "hash=md5", "hash=sha256"),
        "acquire raw": lambda: run(*acquire, "--out", folder / "raw", "--format", "raw"),
        "ewfacquire": lambda: run(*ewf, "-c", "fast", "-t", folder / "ewf", source),
        "acquire zstd": lambda: run(*acquire, "--out", folder / "zstd"),
        "read E01": lambda: read_back(folder / "ewf.E01"),
        "read zstd": lambda: read_back(folder / "zstd"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=1024, help="MiB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to work, e.g. on a RAM disk")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        source = folder / "source"
        make(source, options.size)
        rounds: dict[str, list[Times]] = {}
        for _ in range(options.rounds):
            for what, work in contenders(source, folder).items():
                rounds.setdefault(what, []).append(timed(work))
            for path in set(folder.iterdir()) - {source}:
                path.unlink()
    wall = {what: statistics.median(each[0] for each in times) for what, times in rounds.items()}
    spent = {what: statistics.median(each[1] for each in times) for what, times in rounds.items()}
    size = options.size * MIB / 1e6
    print(f"{size:,.0f} MB from the page cache, medians of {options.rounds} rounds, {os.cpu_count()} cores")
    for what, seconds in wall.items():
        print(f"{what:<14} {seconds:7.2f} s  {size / seconds:7,.0f} MB/s   CPU {spent[what]:7.2f} s")
    ratios = {
        "raw to dc3dd": wall["dc3dd"] / wall["acquire raw"],
        "zstd to ewfacquire": wall["ewfacquire"] / wall["acquire zstd"],
        "raw to the slower hash": max(wall["md5 alone"], wall["sha256 alone"]) / wall["acquire raw"],
    }
    for what, ratio in ratios.items():
        print(f"{what:<24} {ratio:.2f}")
    if options.json:
        options.json.write_text(
            json.dumps({"bytes": size * 1e6, "wall": wall, "cpu": spent, "ratios": ratios}, indent=2)
        )


if __name__ == "__main__":
    main()
