"""False alarms: files that no locker has touched, of which none may be called locked by a named family.

    python benchmarks/false_alarms.py TREE... [--files 100000] [--made 20000] [--cuts 12] [--json FILE]

Takes ``--files`` files of the trees by lot, makes ``--made`` more (pictures, archives, databases, texts,
random bytes, files of every format), and cuts every vector of every family, and every file below
``--lockers``, at ``--cuts`` places, from the end, from the beginning and in the middle.

A cut file may be named by the family that locked it and no other, and only while what its key is wrapped in
is left: at the end of most families' files, at the head, in the name, or nowhere of others. So two numbers
of named files are printed: those whose key block is left, of which it is true, and those whose key block is
cut off. The latter are false alarms, save where random bytes stand in its place on a file that is marked at
its head or called like a locked one: nothing in such a file tells it from a whole one. They are counted, too.

Prints every file that was named wrongly, and fails where there is one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.fixtures.ordinary import cut, cuts, is_keyless, ordinary
from unransom.core.context import Context
from unransom.core.outputs import FileReader
from unransom.core.records import FileRef, State
from unransom.core.streams import BytesReader
from unransom.crypto.noise import is_noise
from unransom.examine.triage.step import run

CORES = len(os.sched_getaffinity(0))
BATCH = 200
END = 128  # bytes: the shortest of the key blocks that nothing but their randomness shows
GENERATIONS = {"akira": "akira2", "babuk_nas": "babuk_esxi"}  # whose files are called alike


class File(NamedTuple):
    """A file.

    Attributes:
        kind: Of which the table counts.
        path: As triage sees it.
        data: Its bytes, None where they are on the disk.
        family: Which locked it, None for an ordinary file.
        keyless: Its key block is cut off.
    """

    kind: str
    path: bytes
    data: bytes | None
    family: str | None = None
    keyless: bool = False


class Judged(NamedTuple):
    """What came of a file, and whether random bytes stand where its key block was."""

    file: File
    state: State
    family: str | None
    covered: bool = False

    @property
    def named(self) -> bool:
        """Whether it is called locked by a family."""
        return self.state is State.LOCKED and self.family is not None

    @property
    def wrong(self) -> bool:
        """Whether that is false, and could have been told."""
        own = {self.file.family, GENERATIONS.get(self.file.family or "") if self.covered else None}
        return self.named and (self.family not in own or (self.file.keyless and not self.covered))


def below(trees: list[Path], count: int, seed: int) -> Iterator[File]:
    """Yield up to ``count`` files of the trees by lot."""
    found = [
        os.path.join(folder, name)  # noqa: PTH118 bytes
        for tree in trees
        for folder, _, names in os.walk(os.fsencode(tree.resolve()))
        for name in names
    ]
    regular = [path for path in found if not Path(os.fsdecode(path)).is_symlink()]
    chosen = random.Random(seed).sample(sorted(regular), min(count, len(regular)))
    return (File("real", path, None) for path in chosen)


def made(count: int, seed: int) -> Iterator[File]:
    """Yield ``count`` files made here."""
    return (File(each.kind, each.path, each.data) for each in ordinary(count, seed))


def cut_vectors(places: int, seed: int) -> Iterator[File]:
    """Yield what is left of the vectors."""
    for each in cuts(places, seed):
        yield File(f"vector, {each.ends} left", each.path, each.data, each.family, each.keyless)


def cut_lockers(folder: Path, places: int, seed: int) -> Iterator[File]:
    """Yield what is left of real locked files, which ``cases.json`` in the folder lists."""
    for case in json.loads((folder / "cases.json").read_text()):
        data = (folder / case["path"]).read_bytes()
        (whole,) = judge([File("", case["path"].encode(), data)])
        for ends, left in cut(data, places, random.Random(seed)):
            for path in (case["path"].encode(), b"evidence.bin"):
                keyless = is_keyless(whole.family or "", ends)
                yield File(f"real locked file, {ends} left", path, left, whole.family, keyless)


def judge(files: list[File]) -> list[Judged]:
    """Triage some files."""
    judged = []
    for file in files:
        size = Path(os.fsdecode(file.path)).stat().st_size if file.data is None else len(file.data)
        context = Context(open=lambda _, file=file: _open(file))
        ref = FileRef(source="s", path=file.path, size=size)
        found = next(each for each in run(ref, context) if isinstance(each, FileRef))
        covered = file.keyless and is_noise((file.data or b"")[-END:])
        judged.append(Judged(file._replace(data=None), found.state, found.family, covered))
    return judged


def _open(file: File) -> contextlib.AbstractContextManager[BytesReader | FileReader]:
    return FileReader(file.path) if file.data is None else contextlib.nullcontext(BytesReader(file.data))


def _in_waves(files: Iterator[File], workers: ProcessPoolExecutor, batches: int) -> Iterator[Judged]:
    """Judge ``files``, and make no more of them in advance than workers are busy with."""
    while wave := [batch for _ in range(batches) if (batch := list(islice(files, BATCH)))]:
        yield from chain.from_iterable(workers.map(judge, wave))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("trees", type=Path, nargs="*")
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--made", type=int, default=20_000)
    parser.add_argument("--cuts", type=int, default=12)
    parser.add_argument("--lockers", type=Path, help="folder with real locked files and their cases.json")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=CORES)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    files = chain(
        below(options.trees, options.files, options.seed),
        made(options.made, options.seed),
        cut_vectors(options.cuts, options.seed),
        cut_lockers(options.lockers, options.cuts, options.seed) if options.lockers else (),
    )
    total: Counter[str] = Counter()
    locked: Counter[str] = Counter()
    named: Counter[str] = Counter()
    keyless: Counter[str] = Counter()
    wrong: list[Judged] = []
    began = time.perf_counter()
    with ProcessPoolExecutor(options.jobs) as workers:
        for judged in _in_waves(files, workers, 4 * options.jobs):
            total[judged.file.kind] += 1
            locked[judged.file.kind] += judged.state is State.LOCKED
            named[judged.file.kind] += judged.named and not judged.file.keyless
            keyless[judged.file.kind] += judged.named and judged.file.keyless
            if judged.wrong:
                wrong.append(judged)
                print(f"WRONG {judged.family}: {judged.file.kind} {os.fsdecode(judged.file.path)}")
    print(f"{total.total()} files in {time.perf_counter() - began:.0f} s")
    print(f"{'kind':32} {'files':>8} {'locked':>8} {'named':>8} {'named, key cut off':>19}")
    for kind, count in total.items():
        print(f"{kind:32} {count:8} {locked[kind]:8} {named[kind]:8} {keyless[kind]:19}")
    print(f"{named.total()} named whose key block is left")
    print(f"{keyless.total()} named whose key block is cut off, and nothing in the file tells")
    print(f"{len(wrong)} named wrongly")
    if options.json:
        kinds = {
            kind: {"files": total[kind], "named": named[kind], "named_keyless": keyless[kind]}
            for kind in total
        }
        options.json.write_text(json.dumps({"kinds": kinds, "wrong": len(wrong)}, indent=1) + "\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
