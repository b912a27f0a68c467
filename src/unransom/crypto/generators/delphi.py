"""Random of Delphi and Borland Pascal, and the check word of LockBit 3: the whole state, 32 bits."""

from __future__ import annotations

from unransom.crypto.generators.congruential import Congruence, generator

GENERATOR = generator(
    "delphi",
    "Delphi Random",
    Congruence(multiplier=0x08088405, increment=1, state_bits=32, shift=0, bits=32),
    "System.pas of Delphi: Random(n) is the state times n, its upper 32 bits",
    seed_bits=32,
)
