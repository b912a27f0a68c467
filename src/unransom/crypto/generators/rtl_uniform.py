"""RtlUniform of Windows: the kernel's and the loader's simple generator."""

from __future__ import annotations

from unransom.crypto.generators.lehmer import Lehmer, generator

GENERATOR = generator(
    "rtl-uniform",
    "RtlUniform",
    Lehmer(0x7FFFFFED, 0x7FFFFFC3, 0),
    "ntifs.h of the Windows driver kit",
)
