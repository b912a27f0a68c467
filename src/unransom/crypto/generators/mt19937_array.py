"""random of Python, and Random of Ruby, seeded with a whole number: MT19937 mixed with its words."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.crypto.generators.mersenne import generator, mixed, twisted


def _outputs(seed: int) -> Iterator[int]:
    return twisted(mixed(seed))


GENERATOR = generator(
    "mt19937-array", "Python random", _outputs, source="Modules/_randommodule.c of CPython", array=True
)
