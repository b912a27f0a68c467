"""rand() as the C standard prints it: 15 bits of a state of 32."""

from __future__ import annotations

from unransom.crypto.generators.congruential import Congruence, generator

GENERATOR = generator(
    "ansi-c",
    "C standard's rand()",
    Congruence(multiplier=1103515245, increment=12345, state_bits=32, shift=16, bits=15),
    "ISO/IEC 9899, 7.22.2",
    seed_bits=31,
)
