"""Writes the digests of every family vector: run after a vector was added, and look at the difference.

A vector is a TOML file in ``tests/vectors/families/<family>/`` with what ``tests/lockers/<family>.py``
makes it from, ``made_by`` and ``checked_against``. The digests pin what was made, so that a maker which
changes its mind is noticed.
"""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> None:
    sys.path.insert(0, str(ROOT))
    for path in sorted((ROOT / "tests/vectors/families").glob("*/*.toml")):
        text = path.read_text()
        made = importlib.import_module(f"tests.lockers.{path.parent.name}").make(tomllib.loads(text))
        text = re.sub(r"^(plain|locked)_sha256 = .*\n", "", text, flags=re.M)
        text += f'plain_sha256 = "{hashlib.sha256(made.plain).hexdigest()}"\n'
        text += f'locked_sha256 = "{hashlib.sha256(made.locked).hexdigest()}"\n'
        path.write_text(text)
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
