"""Triage against ``file``: the same tree, side by side, in one run.

    python benchmarks/triage.py TREE [--files N] [--rounds N] [--json FILE]

Takes in turns ``find TREE -type f -exec file {} +``, the step alone in this process, and the command
``unransom triage TREE --jsonl`` with its listing, its workers and its case. With ``--files`` a sample of the
tree is linked or copied to a temporary folder first. Prints medians, rates and ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from unransom.core.context import Context
from unransom.core.records import FileRef
from unransom.evidence import identify, open_store
from unransom.examine.triage.step import run

UNRANSOM = Path(sys.executable).with_name("unransom")


def sample(tree: Path, count: int, folder: Path) -> None:
    """Link ``count`` files of ``tree`` into ``folder``, a hundred in each of its folders."""
    found = sorted(path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    for number, path in enumerate(random.Random(1).sample(found, min(count, len(found)))):
        target = folder / f"{number // 100:04}" / f"{number:06}-{path.name[-80:]}"
        target.parent.mkdir(exist_ok=True)
        try:
            os.link(path, target)
        except OSError:
            shutil.copyfile(path, target)


def by_command(*command: object) -> Callable[[], None]:
    """Return a function that runs ``command``."""
    return lambda: (
        subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL) and None
    )


def by_step(tree: Path) -> None:
    """Triage everything in this process, without a case."""
    store = open_store(identify(str(tree)))
    context = Context(open=store.open)
    for ref in store.files():
        if isinstance(ref, FileRef):
            for _ in run(ref, context):
                pass
    store.close()


def measure(ways: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Return the median seconds of each way, taken in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(each) for name, each in seconds.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tree", type=Path)
    parser.add_argument("--files", type=int, help="take so many of the tree's files")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.tree.parent) as name:
        tree = options.tree
        if options.files:
            tree = Path(name)
            sample(options.tree, options.files, tree)
        sizes = [path.stat().st_size for path in tree.rglob("*") if path.is_file() and not path.is_symlink()]
        ways = {
            "find and file": by_command("find", tree, "-type", "f", "-exec", "file", "{}", "+"),
            "step, one process": lambda: by_step(tree),
            "unransom triage": by_command(UNRANSOM, "triage", tree, "--jsonl"),
        }
        seconds = measure(ways, options.rounds)
    files, size = len(sizes), sum(sizes)
    print(f"{files} files, {size / 1e6:.0f} MB, medians of {options.rounds}")
    result = {}
    for way, taken in seconds.items():
        ratio = seconds["find and file"] / taken
        result[way] = {"seconds": taken, "files_per_s": files / taken, "bytes_per_s": size / taken}
        rates = f"{files / taken:9.0f} files/s {size / taken / 1e6:9.1f} MB/s"
        print(f"{way:20} {taken:8.2f} s {rates} {ratio:8.2f} x")
    if options.json:
        options.json.write_text(json.dumps({"files": files, "bytes": size, "ways": result}, indent=1) + "\n")


if __name__ == "__main__":
    main()
