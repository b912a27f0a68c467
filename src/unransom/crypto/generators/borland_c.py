"""rand() of Borland C and C++ Builder: 15 bits of a state of 32."""

from __future__ import annotations

from unransom.crypto.generators.congruential import Congruence, generator

GENERATOR = generator(
    "borland-c",
    "Borland C rand()",
    Congruence(multiplier=22695477, increment=1, state_bits=32, shift=16, bits=15),
    "rand.c of Borland C++",
    seed_bits=31,
)
