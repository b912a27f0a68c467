"""The quick generator of Numerical Recipes: the whole state, 32 bits."""

from __future__ import annotations

from unransom.crypto.generators.congruential import Congruence, generator

GENERATOR = generator(
    "numerical-recipes",
    "Numerical Recipes ranqd1",
    Congruence(multiplier=1664525, increment=1013904223, state_bits=32, shift=0, bits=32),
    "Numerical Recipes in C, 2nd edition, 7.1",
    seed_bits=32,
)
