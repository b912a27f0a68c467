"""Measures how often each byte value stands in content of a class: what voting on keystream bytes goes by.

    python tools/measure_priors.py CLASS=FILE[,FILE...] ...

Prints for every class a line for ``crypto/search/keystream/priors.py``: per byte value its rarity in quarters
of a bit, as two hexadecimal digits. Folders are taken with all that is in them.
"""

import sys
from pathlib import Path

import numpy as np

EACH = 1 << 20  # bytes of a file at most, so that no large one decides for its class
FLOOR = 2e-5  # what any byte has, however seldom it was seen


def counted(paths: list[Path]) -> np.ndarray:
    """Return the share of every byte value, each file weighing the same."""
    total = np.zeros(256)
    for path in paths:
        files = [path] if path.is_file() else [each for each in sorted(path.rglob("*")) if each.is_file()]
        for file in files:
            with file.open("rb") as stream:
                data = np.frombuffer(stream.read(EACH), np.uint8)
            if len(data):
                total += np.bincount(data, minlength=256) / len(data)
    return total / total.sum()


def main() -> None:
    for argument in sys.argv[1:]:
        name, _, paths = argument.partition("=")
        shares = counted([Path(each) for each in paths.split(",")])
        rarity = np.clip(np.round(-4 * np.log2(shares + FLOOR)), 0, 255).astype(np.uint8)
        print(f'    "{name}": "{rarity.tobytes().hex()}",')


if __name__ == "__main__":
    main()
