"""rand() of the GNU C library in its smallest state, TYPE_0: the state itself, 31 bits."""

from __future__ import annotations

from unransom.crypto.generators.congruential import Congruence, generator

GENERATOR = generator(
    "glibc-type0",
    "glibc random(), TYPE_0",
    Congruence(multiplier=1103515245, increment=12345, state_bits=31, shift=0, bits=31, zero=1),
    "stdlib/random_r.c of glibc",
    seed_bits=31,
)
