"""rand() of musl, in programs linked statically as Linux.Encoder was: 31 bits of a state of 64."""

from __future__ import annotations

from unransom.crypto.generators.congruential import Congruence, generator

GENERATOR = generator(
    "musl",
    "musl rand()",
    Congruence(multiplier=6364136223846793005, increment=1, state_bits=64, shift=33, bits=31, first=-1),
    "src/prng/rand.c of musl",
    seed_bits=32,
)
