"""std::mt19937 of C++, mt_rand of PHP from 7.1 on (its upper 31 bits), RandomState of NumPy."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.crypto.generators.mersenne import begun, generator, twisted


def _outputs(seed: int) -> Iterator[int]:
    return twisted(begun(seed))


GENERATOR = generator("mt19937", "C++ std::mt19937", _outputs, source="ISO/IEC 14882, rand.predef")
