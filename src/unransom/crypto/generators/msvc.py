"""rand() of Microsoft's C library, also of programs built with MinGW: 15 bits of a state of 32."""

from __future__ import annotations

from unransom.crypto.generators.congruential import Congruence, generator

GENERATOR = generator(
    "msvc",
    "Microsoft C rand()",
    Congruence(multiplier=214013, increment=2531011, state_bits=32, shift=16, bits=15),
    "rand.c of Microsoft's C runtime",
    seed_bits=31,
)
