"""First outputs of every generator as they were published, or as its own implementation gives them."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

import numpy as np

from unransom.crypto.generators import generator


class Vector(NamedTuple):
    """What a generator gives.

    Attributes:
        generator: Its name.
        seed: What it is seeded with.
        first: Number of the first output that is given.
        outputs: From there on.
        source: Where they are from.
    """

    generator: str
    seed: int
    first: int
    outputs: tuple[int, ...]
    source: str


STANDARD = "ISO/IEC 14882, rand.predef: the 10,000th"
MARSAGLIA = "G. Marsaglia, Xorshift RNGs, with the seed of the paper"
BY_C = "a C program after the paper, gcc 12"
VECTORS: tuple[Vector, ...] = (
    Vector("ansi-c", 1, 0, (16838, 5758, 10113, 17515, 31051), "the C standard's example"),
    Vector("borland-c", 1, 0, (346, 130, 10982, 1090, 11656, 7117), "Borland C++ 5"),
    Vector("delphi", 1, 0, (134775814, 3698175007, 870078620), "Delphi 7, RandSeed after Random"),
    Vector("dotnet", 0, 0, (1559595546, 1755192844, 1649316166, 1198642031), ".NET, new Random(0)"),
    Vector("dotnet", 42, 0, (1434747710, 302596119, 269548474, 1122627734), ".NET, new Random(42)"),
    Vector("drand48", 0, 0, (366850414, 1610402240, 206956554), "glibc 2.36, srand48(0)"),
    Vector("glibc", 1, 0, (1804289383, 846930886, 1681692777, 1714636915), "glibc 2.36, srand(1)"),
    Vector("glibc-type0", 42, 0, (1250496027, 1116302264, 1000676753), "glibc 2.36, 8 bytes of state"),
    Vector("go", 1, 0, (5577006791947779410, 8674665223082153551), "Go 1.19, Uint64 of rand.NewSource(1)"),
    Vector("java", 42, 0, (3124862261, 234785527, 2934422497), "OpenJDK 17, new Random(42)"),
    Vector("minstd", 1, 9999, (399268537,), STANDARD),
    Vector("minstd0", 1, 9999, (1043618065,), STANDARD),
    Vector("msvc", 1, 0, (41, 18467, 6334, 26500, 19169, 15724), "Microsoft C, srand(1)"),
    Vector("mt19937", 5489, 9999, (4123659995,), STANDARD),
    Vector("mt19937-array", 0, 0, (3626764237, 1654615998, 3255389356), "CPython 3.11, random.seed(0)"),
    Vector(
        "mt19937-byte",
        42,
        0,
        (57, 12, 140, 125, 114, 71),
        "CPython 3.11, randrange(256) after random.seed(42)",
    ),
    Vector("mt19937-php5", 1, 0, (2488671945, 30435847), "PHP 5.6, mt_srand(1), times two"),
    Vector("musl", 1, 0, (0, 740882966, 1616430695), "musl, srand(1)"),
    Vector(
        "numerical-recipes",
        0,
        0,
        (0x3C6EF35F, 0x47502932, 0xD1CCF6E9, 0xAAF95334, 0x6252E503, 0x9F2EC686),
        "Numerical Recipes in C, 7.1",
    ),
    Vector("pcg32", 42, 0, (3270867926, 1795671209, 1924641435), "PCG's C++ library, pcg32(42)"),
    Vector("rtl-uniform", 1, 0, (0x7FFFFFB1,), "by hand: 0x7FFFFFED + 0x7FFFFFC3 modulo 2**31 - 1"),
    Vector(
        "splitmix64",
        1234567,
        0,
        (6457827717110365317, 3203168211198807973, 9817491932198370423),
        "Vigna's C program, as quoted by Rosetta Code",
    ),
    Vector("visual-basic", 0x50000, 0, (11837123, 8949370, 9722709), "Visual Basic 6: 0.7055475, 0.533424"),
    Vector("xorshift32", 2463534242, 0, (723471715, 2497366906, 2064144800), MARSAGLIA),
    Vector("xorshift64", 88172645463325252, 0, (8748534153485358512, 3040900993826735515), BY_C),
    Vector("xorshift128", 88675123, 0, (3701687786, 458299110, 2500872618), MARSAGLIA),
    Vector("xorshift128-plus", 1, 0, (5761717516557699368, 11186363674881124876), BY_C),
    Vector("yarrow256", 1706800000123456789, 0, (0x94EDC482, 0xBFC37830), "Nettle 3.8, yarrow256_random"),
)


def computed(vector: Vector) -> tuple[int, ...]:
    """Return what the generator gives; nothing where plain Python and the kernel do not agree."""
    own = generator(vector.generator)
    count = len(vector.outputs)
    plain = tuple(islice(own.outputs(vector.seed), vector.first, vector.first + count))
    rows = own.empty(count, 1)
    own.rows(vector.first, count)(np.array([vector.seed], np.uint64), rows)
    return plain if plain == tuple(rows[:, 0].tolist()) else ()
