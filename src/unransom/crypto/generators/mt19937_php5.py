"""mt_rand of PHP before 7.1, which took the lowest bit of the wrong word; a number is the upper 31 bits."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.crypto.generators.mersenne import begun, generator, twisted


def _outputs(seed: int) -> Iterator[int]:
    return twisted(begun(seed), legacy=True)


GENERATOR = generator(
    "mt19937-php5", "PHP 5 mt_rand()", _outputs, source="ext/standard/mt_rand.c of PHP", legacy=True
)
