"""Locked or not, per file, on real files of which half are locked in memory.

    python benchmarks/accuracy.py --corpus DIR [--part development] [--files 20000] [--json FILE]

The corpus is made by ``fetch_corpus.py``. Files are drawn by type, as evenly over the packages as there
are files; every file is judged once, as it is or locked, by the lot of a seed. A verdict is right where a
locked file is LOCKED and a healthy one INTACT; UNKNOWN is wrong. Nothing locked is written to disk.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from accuracy_schemes import lock
from unransom.core.context import Context
from unransom.core.records import FileRef, Finding, State
from unransom.core.streams import BytesReader
from unransom.examine.triage.step import run

QUOTAS = {  # share of each type in percent; what a type lacks goes to the others
    "pictures": 20,
    "archives": 12,
    "office": 10,
    "databases": 6,
    "programs": 16,
    "media": 12,
    "text": 20,
    "fonts": 4,
}
Z = 1.959964  # of 95 %


class Judged(NamedTuple):
    """What came of one file."""

    entry: dict[str, object]
    scheme: str  # "" where it was not locked
    found: FileRef
    notes: int  # findings of ransom notes; there are none in the corpus


def draw(entries: list[dict[str, object]], count: int) -> list[dict[str, object]]:
    """Return ``count`` files by quota, within a type from all packages and extensions in turn."""
    by_type: dict[str, list[dict[str, object]]] = defaultdict(list)
    for entry in entries:
        if entry["type"] in QUOTAS:
            by_type[str(entry["type"])].append(entry)
    queues = {kind: _in_turn(found) for kind, found in by_type.items()}
    chosen: list[dict[str, object]] = []
    for kind in sorted(queues, key=lambda each: len(queues[each]) / QUOTAS[each]):  # the scarcest first
        shares = sum(QUOTAS[each] for each in queues if queues[each])
        take = round((count - len(chosen)) * QUOTAS[kind] / shares)
        chosen += queues[kind][:take]
        queues[kind] = []
    return chosen


def _in_turn(entries: list[dict[str, object]]) -> list[dict[str, object]]:
    """Return ``entries`` so that every package and extension comes once before any comes twice."""
    rounds: Counter[tuple[str, str]] = Counter()
    ranked = []
    for entry in sorted(entries, key=lambda each: str(each["sha256"])):
        group = (str(entry["package"]), Path(str(entry["path"])).suffix.lower())
        rounds[group] += 1
        ranked.append((rounds[group], str(entry["sha256"]), entry))
    return [entry for _, _, entry in sorted(ranked, key=lambda each: each[:2])]


def judge_all(tree: Path, entries: list[dict[str, object]], seed: int) -> Iterator[Judged]:
    """Judge every file, half of them locked."""
    for entry in sorted(entries, key=lambda each: str(each["path"])):
        chance = random.Random(f"{seed} {entry['sha256']}")
        data = (tree / str(entry["path"])).read_bytes()
        name, scheme = str(entry["path"]).encode(), ""
        if chance.random() < 0.5:
            locked = lock(name, data, chance)
            if locked.data[: len(data)] != data:
                name, data, scheme = locked
        reader = BytesReader(data)
        context = Context(open=lambda _, reader=reader: contextlib.nullcontext(reader))  # type: ignore[misc]
        ref = FileRef(source="corpus", path=name, size=len(data))
        records = list(run(ref, context))
        found = next(each for each in records if isinstance(each, FileRef))
        yield Judged(entry, scheme, found, sum(isinstance(each, Finding) for each in records))


def is_right(judged: Judged) -> bool:
    """Return whether the state is the true one."""
    return judged.found.state is (State.LOCKED if judged.scheme else State.INTACT)


def wilson(right: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share."""
    share = right / total
    centre = share + Z * Z / (2 * total)
    spread = Z * ((share * (1 - share) + Z * Z / (4 * total)) / total) ** 0.5
    return (centre - spread) / (1 + Z * Z / total), (centre + spread) / (1 + Z * Z / total)


class Tally:
    """Right and wrong verdicts by some key."""

    def __init__(self) -> None:
        self.rows: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, key: str, judged: Judged) -> None:
        """Count one verdict."""
        truth = "locked" if judged.scheme else "healthy"
        self.rows[key][f"{truth} {judged.found.state}"] += 1
        self.rows[key]["right" if is_right(judged) else "wrong"] += 1

    def show(self, title: str) -> None:
        """Print the table."""
        cells = [
            f"{truth} {state}" for truth in ("healthy", "locked") for state in ("intact", "locked", "unknown")
        ]
        print(f"\n{title:22}" + "".join(f"{cell:>16}" for cell in cells) + f"{'accuracy %':>12}")
        for key, row in sorted(self.rows.items()):
            share = 100 * row["right"] / (row["right"] + row["wrong"])
            print(f"{key:22}" + "".join(f"{row[cell]:16}" for cell in cells) + f"{share:12.2f}")


def main() -> None:
    """Judge, print the tables, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--part", choices=("development", "held-out"), default="held-out")
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--errors", type=Path, help="write one line per wrong verdict")
    options = parser.parse_args()
    with (options.corpus / "index.jsonl").open() as stream:
        entries = [entry for entry in map(json.loads, stream) if entry["part"] == options.part]
    by_type, by_scheme, by_format, all_of_it = Tally(), Tally(), Tally(), Tally()
    wrong = []
    named: Counter[str] = Counter()
    notes = size = 0
    began = time.perf_counter()
    for judged in judge_all(options.corpus / "tree", draw(entries, options.files), options.seed):
        by_type.add(str(judged.entry["type"]), judged)
        by_scheme.add(judged.scheme or "not locked", judged)
        by_format.add(judged.found.format or "none", judged)
        all_of_it.add("all", judged)
        named["locked" if judged.scheme else "healthy"] += judged.found.family is not None
        notes += judged.notes
        size += int(str(judged.entry["size"]))
        if not is_right(judged):
            wrong.append([judged.scheme, judged.found.state, judged.found.format, judged.entry["path"],
                          judged.entry["size"], str(judged.found.why)])  # fmt: skip
    seconds = time.perf_counter() - began
    by_type.show("type")
    by_scheme.show("scheme")
    by_format.show("format as judged")
    row = all_of_it.rows["all"]
    total = row["right"] + row["wrong"]
    unknown = row["healthy unknown"] + row["locked unknown"]
    low, high = wilson(row["right"], total)
    print(f"\n{total} files, {options.part}, {size / 1e6:.0f} MB, {seconds:.0f} s, seed {options.seed}")
    print(f"accuracy {100 * row['right'] / total:.2f} % (95 %: {100 * low:.2f} to {100 * high:.2f})")
    print(f"unknown {unknown}; accuracy of the others {100 * row['right'] / max(1, total - unknown):.2f} %")
    print(f"families named: {named['healthy']} healthy, {named['locked']} locked; notes: {notes} (none is)")
    if options.errors:
        options.errors.write_text("".join(json.dumps(line) + "\n" for line in wrong))
    if options.json:
        result = {
            "part": options.part,
            "seed": options.seed,
            "files": total,
            "bytes": size,
            "accuracy": row["right"] / total,
            "interval": [low, high],
            "unknown": unknown,
            "named": named,
            "notes": notes,
            "by_type": by_type.rows,
            "by_scheme": by_scheme.rows,
            "by_format": by_format.rows,
            "python": sys.version.split()[0],
        }
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
