"""lrand48() of POSIX: the upper 31 bits of a state of 48."""

from __future__ import annotations

from unransom.crypto.generators.congruential import Congruence, generator

GENERATOR = generator(
    "drand48",
    "lrand48()",
    Congruence(
        multiplier=0x5DEECE66D, increment=11, state_bits=48, shift=17, bits=31, widen=1 << 16, first=0x330E
    ),
    "POSIX.1-2017, drand48()",
    seed_bits=32,
)
