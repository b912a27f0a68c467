"""Rnd of Visual Basic 6 and VBScript: the whole state, 24 bits."""

from __future__ import annotations

from unransom.crypto.generators.congruential import Congruence, generator

GENERATOR = generator(
    "visual-basic",
    "Visual Basic Rnd",
    Congruence(multiplier=0x43FD43FD, increment=0xC39EC3, state_bits=24, shift=0, bits=24),
    "Microsoft Knowledge Base Q231847",
    seed_bits=24,
)
