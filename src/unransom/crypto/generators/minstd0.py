"""minstd_rand0 of C++, rand of old Macs: multiplier 16807."""

from __future__ import annotations

from unransom.crypto.generators.lehmer import Lehmer, generator

GENERATOR = generator("minstd0", "C++ std::minstd_rand0", Lehmer(16807), "ISO/IEC 14882, rand.predef")
