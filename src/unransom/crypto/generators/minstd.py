"""minstd_rand of C++: multiplier 48271."""

from __future__ import annotations

from unransom.crypto.generators.lehmer import Lehmer, generator

GENERATOR = generator("minstd", "C++ std::minstd_rand", Lehmer(48271), "ISO/IEC 14882, rand.predef")
