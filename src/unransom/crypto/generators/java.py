"""java.util.Random: each step gives the upper 32 bits of a state of 48."""

from __future__ import annotations

from unransom.crypto.generators.congruential import Congruence, generator

GENERATOR = generator(
    "java",
    "java.util.Random",
    Congruence(multiplier=0x5DEECE66D, increment=11, state_bits=48, shift=16, bits=32, scramble=0x5DEECE66D),
    "the Java platform's documentation of java.util.Random",
    seed_bits=48,
)
