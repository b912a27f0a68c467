"""Attacks on keystreams, measured: Black Basta beside the published method, Hive's table, a vote.

    python benchmarks/keystream.py [--mib N] [--json FILE]

Black Basta: the published tool XORs one chunk of 64 bytes after the other in Python, which is written here
anew from its description; demanded are 20 times its rate, in the same run, on the same file in memory.
Hive: a table of 10 MiB from 6,400 keystreams of 10,500 bytes and from 120 of 1 MiB, under 60 seconds each,
95 % of it or more. Bytes that no keystream is made of cannot be told by any method: that bound stands beside
the share; 6,400 short windows leave 5.1 % of the table untouched, mostly in its last tenth, which only the
short window of 1,024 bytes reaches.
Vote: a key of 25,000 bytes XORed over a text. Times are of the processor, as neighbours disturb the clock.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.lockers import blackbasta as maker
from tests.lockers import drawn, shared
from unransom.catalog.families import blackbasta, hive1
from unransom.catalog.schemes.assemble import Assembly
from unransom.core.keys import Key, KeyKind
from unransom.core.spans import Span
from unransom.core.streams import BytesReader, Salvage
from unransom.crypto.search.keystream.periods import period_of
from unransom.crypto.search.keystream.tables import Table
from unransom.crypto.search.keystream.voting import votes
from unransom.recover.keys.standing import standing

MIB = 1 << 20
FACTOR = 20
PUBLISHED_MIB = 8  # the published method is slow


def timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def locked_disk(size: int) -> bytes:
    """Return a sparse disk as Black Basta locks it."""
    disk = np.zeros(size, np.uint8)
    disk[size // 3 : size // 3 + size // 16] = np.frombuffer(drawn("disk", size // 16), np.uint8)
    rows = disk[: size // 192 * 192].reshape(-1, 192)
    rows[:, :64] ^= np.frombuffer(shared.chacha("basta", 64), np.uint8)
    return disk.tobytes() + maker.tail("x", size, "6cb8a9d2eF1")


def published(locked: bytes) -> bytes:
    """Return the original: find 64 bytes that stand five times in a row, then XOR every locked chunk."""
    data = bytearray(locked[: -blackbasta.TAIL.size])
    key, row = b"", 0
    for start in range(0, len(data) - 63, 192):
        chunk = bytes(data[start : start + 64])
        row = row + 1 if chunk == key else 1
        key = chunk
        if row == 5 and not any(data[start + 64 : start + 192]):
            break
    for start in range(0, len(data) - 63, 192):
        data[start : start + 64] = bytes(
            one ^ other for one, other in zip(data[start : start + 64], key, strict=True)
        )
    return bytes(data)


def ours(locked: bytes) -> Iterator[memoryview]:
    """Yield the original piece by piece, as unlock writes it."""
    reader = Salvage(BytesReader(locked))
    mark = blackbasta.read(reader)
    assert mark is not None
    chunk = next(standing(reader, mark.plain_size or 0)).chunk
    file_key = blackbasta.unwrap(mark, Key(KeyKind.RAW, chunk))
    assert file_key is not None
    yield from Assembly(reader, blackbasta.plan(reader, mark, file_key))


def used_up(views: Iterator[memoryview]) -> None:
    for _ in views:
        pass


def table(count: int, size: int) -> tuple[float, float, float]:
    """Return seconds, the share of the table that came back, and that which any keystream is made of."""
    rng = np.random.default_rng(1)
    secret = rng.integers(0, 256, hive1.TABLE, dtype=np.uint8)
    solver, seconds = Table(hive1.TABLE), 0.0
    touched = np.zeros(hive1.TABLE, bool)
    for number in range(count + 1):
        first, second = hive1.under(rng.bytes(16), Span(0, size if number else 4))
        stream = secret[first] ^ secret[second]
        touched[first] = touched[second] = True
        spent = timed(lambda: solver.learn(first, second, stream))  # noqa: B023 called at once
        seconds += spent if number else 0.0  # the first one compiles
    began = time.process_time()
    _, known = solver.solved()
    return seconds + time.process_time() - began, float(known.mean()), float(touched.mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=128)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    small, large = locked_disk(PUBLISHED_MIB * MIB), locked_disk(arguments.mib * MIB)
    assert b"".join(map(bytes, ours(small))) == published(small)
    theirs = PUBLISHED_MIB / timed(lambda: published(small))
    own = arguments.mib / timed(lambda: used_up(ours(large)))
    result: dict[str, float] = {"blackbasta MiB/s": own, "published MiB/s": theirs, "factor": own / theirs}
    for count, size in ((6400, 10_500), (120, MIB)):
        name = f"hive {count} x {size}"
        figures = zip(("seconds", "share", "bound"), table(count, size), strict=True)
        result |= {f"{name}: {what}": figure for what, figure in figures}
    text = np.frombuffer(shared.xored(shared.letter("vote", 600_000), drawn("vote", 25_000)), np.uint8)
    period_of(text)
    result["period of 25,000: seconds"] = timed(lambda: period_of(text))
    next(votes([text], 25_000))
    result["vote on 25,000: seconds"] = timed(lambda: next(votes([text], 25_000)))
    for name, value in result.items():
        print(f"{name:<36} {value:12.4f}")
    print(f"{f'at least {FACTOR} times the published':<36} {'yes' if own >= FACTOR * theirs else 'NO':>12}")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
