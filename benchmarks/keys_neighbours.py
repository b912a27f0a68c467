"""Prometheus: after the first of the five real files is solved, what each of its neighbours takes.

The first is solved by its seed; every other of the same run of the locker is searched alone, near the seeds
of those before it, as `recover` does it: the head of the file, all seeds around, and the proof on the whole
file. Demanded is under a second each. The clock suffers from neighbours on the machine; processor time does
less.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from pathlib import Path

from keys_row import Row
from unransom.core.context import Context
from unransom.core.records import FileRef, KeyFound
from unransom.core.searches import Shard, Target
from unransom.core.streams import BytesReader
from unransom.recover.keys.attacks import seeds

SAMPLE = Path(__file__).parents[1] / "../shared/data/lockers/sample"
FAMILY = "prometheus"
FIRST = "file_example_XLSX_50.xlsx"
SEED = "103171640"  # of the first
ALONE = "CyCraft.png"  # locked after another start of the machine, with seed 615750: nobody's neighbour
LONGEST = 1.0  # seconds


def rows(seconds: float, *, peers: bool = False) -> list[Row]:
    """Return how many neighbours a second are solved, each by itself; nothing where there are no files."""
    del seconds, peers
    files = {path.name.partition(".PROM")[0]: path for path in sorted(SAMPLE.glob("*.PROM*"))}
    if FIRST not in files:
        return []
    context = Context(open=lambda ref: nullcontext(BytesReader(Path(ref.path.decode()).read_bytes())))
    clues = [(files[FIRST].stat().st_mtime_ns, SEED)]
    _solved(files[FIRST], FIRST, clues, context)  # compiles
    found = []
    for name, path in files.items():
        if name not in {FIRST, ALONE}:
            began, clock = time.process_time(), time.monotonic()
            seed = _solved(path, name, clues, context)
            spent, waited = time.process_time() - began, time.monotonic() - clock
            clues.append((path.stat().st_mtime_ns, seed))
            note = f"seed {seed}, {waited:.2f} s by the clock"
            found.append(Row(f"neighbour {name}", "files", 1 / waited, 1 / spent, 1, 1 / LONGEST, note))
    return found


def _solved(path: Path, name: str, clues: list[tuple[int, str]], context: Context) -> str:
    """Return the seed of a file by what is known of its neighbours."""
    status = path.stat()
    ref = FileRef(
        source="sample",
        path=str(path).encode(),
        size=status.st_size,
        modified=status.st_mtime_ns,
        family=FAMILY,
        original=name.encode(),
    )
    target = Target(family=FAMILY, samples=(ref,), files=1, size=ref.size, clues=tuple(clues))
    plan = seeds.plan(target, context)
    assert plan is not None
    records = list(seeds.search(Shard(plan=plan, target=target, number=0), context))
    (key,) = [each for each in records if isinstance(each, KeyFound)]
    return key.clue
