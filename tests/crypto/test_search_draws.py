"""Key builders of seed searches against plain Python, CPython and OpenJDK."""

import random

import numpy as np
import pytest

from tests.crypto.seed_recipes import ALNUM, PLAIN, PROMETHEUS, finds, recipe
from unransom.crypto.ciphers.at_once import decrypted
from unransom.crypto.ciphers.chacha import ChaCha
from unransom.crypto.generators import GENERATORS
from unransom.crypto.search.drawing import Drawing
from unransom.crypto.search.recipe import (
    Bits,
    Cipher,
    Crib,
    Double,
    High,
    Modulo,
    Part,
    Recipe,
    Scaled,
    material,
)
from unransom.crypto.search.seeds import LANES, search


@pytest.mark.parametrize(
    "own", [each for each in GENERATORS if each.name != "yarrow256"], ids=lambda g: g.name
)
def test_every_generator(own):
    size = min(4, own.bits // 8) or 1
    draw = Bits(size=size) if own.bits % 8 == 0 else Bits(shift=max(0, own.bits - 13))
    parts = (Part("", 3, Bits()), Part("key", 32 // draw.size, draw))
    assert finds(recipe(own.name, parts), 987_654_321 % (1 << own.seed_bits))


def test_yarrow_as_a_table_of_times():
    rule = recipe("yarrow256", (Part("key", 8, Bits(size=4)),), Cipher(name="chacha", rounds=8, iv=bytes(8)))
    seed = 1_700_000_000_123_456_700
    key, _ = material(rule, seed)
    locked = decrypted(ChaCha.from_key(key, bytes(8), 8), PLAIN)
    crib = Crib(locked=locked, offset=0, plain=PLAIN[:8])
    found = search(rule, range(seed - 1000, seed + 1000, 100), [crib])
    assert [hit.seed for hit in found.hits] == [seed]


DRAWS = {
    "low byte": ("msvc", Part("key", 32, Bits())),
    "upper byte": ("msvc", Part("key", 32, Bits(shift=7))),
    "NextBytes": ("dotnet", Part("key", 32, Bits())),
    "nextBytes": ("java", Part("key", 8, Bits(size=4))),
    "rand() % 10": ("msvc", Part("key", 32, Modulo(10, 48))),
    "rand() % 62": ("glibc", Part("key", 32, Modulo(62), ALNUM)),
    "Linux.Encoder": ("musl", Part("key", 16, Modulo(70), ALNUM + b",.-#'?!+")),
    "Go Intn": ("go", Part("key", 32, Modulo(62, shift=32), ALNUM)),
    "Go bytes": ("go", Part("key", 32, Bits(shift=3))),
    "Delphi Random": ("delphi", Part("key", 32, High(62), ALNUM)),
    "Java nextInt": ("java", Part("key", 32, Modulo(62, shift=1), ALNUM)),
    "Java nextInt of 64": ("java", Part("key", 32, High(64, shift=1, bits=31), ALNUM + b"+/")),
    "Java nextDouble": ("java", Part("key", 32, Double(94, 33, high=6, low=5, bits=27))),
    "Prometheus": ("dotnet", PROMETHEUS.parts[0]),
    "Next(n)": ("dotnet", Part("key", 32, Scaled(62), ALNUM)),
    "rand() / RAND_MAX": ("msvc", Part("key", 32, Scaled(26, 97, 1 / 32768))),
    "Rnd": ("visual-basic", Part("key", 32, High(26, 65, bits=24))),
    "random.choice": ("mt19937-array", Part("key", 32, Bits(shift=26), ALNUM)),
    "random.random": ("mt19937-array", Part("key", 32, Double(62), ALNUM)),
    "random.random, some again": ("mt19937-array", Part("key", 32, Double(62), ALNUM, b"O0Il")),
    "many again": ("xorshift64", Part("key", 32, Bits(), bytes(range(40, 70)))),
    "words of 64 bits": ("xorshift128-plus", Part("key", 4, Bits(size=8))),
}


@pytest.mark.parametrize("name", DRAWS)
def test_every_draw(name):
    generator, part = DRAWS[name]
    rule = recipe(generator, (Part("", 2, Bits()), part, Part("iv", 8, Bits())))
    rule = Recipe(generator=generator, parts=rule.parts, cipher=Cipher(name="salsa", iv_size=8), skip=3)
    if part.count < 32 and not isinstance(part.draw, Bits):
        rule = Recipe(
            generator=generator, parts=rule.parts, cipher=Cipher(name="salsa", key_size=16, iv_size=8)
        )
    assert finds(rule, 12_345_678 % (1 << 24))


@pytest.mark.parametrize("name", DRAWS)
def test_lanes_draw_what_plain_python_draws(name):
    generator, part = DRAWS[name]
    rule = recipe(generator, (part, Part("iv", 8, Bits())), Cipher(name="rc4", key_size=32))
    seeds = np.arange(5_000_000, 5_000_000 + LANES, dtype=np.uint64)
    drawn = Drawing(rule).drawn(seeds)
    for lane in range(0, LANES, 41):
        key, iv = material(rule, int(seeds[lane]))
        assert bytes(drawn["key"][:, lane]).ljust(32, b"\0") == key
        assert bytes(drawn["iv"][:, lane]) == iv


def test_python_makes_the_same():
    for seed in (0, 5, 1 << 40):
        own = random.Random(seed)
        words = "".join(own.choice(ALNUM.decode()) for _ in range(32)).encode()
        assert material(recipe(*_named("random.choice")), seed)[0] == words
        own = random.Random(seed)
        floats = bytes(ALNUM[int(own.random() * 62)] for _ in range(32))
        assert material(recipe(*_named("random.random")), seed)[0] == floats
        own = random.Random(seed)
        assert material(recipe("mt19937-array", (Part("key", 8, Bits(size=4)),)), seed)[0] == own.randbytes(
            32
        )


def _named(name):
    generator, part = DRAWS[name]
    return generator, (part,)


def test_java_makes_the_same():
    """What OpenJDK 17 gave for new Random(42) after four times nextInt()."""

    def drawn(part, skip):
        return list(material(recipe("java", (part,), skip=skip), 42)[0][: part.count])

    assert drawn(Part("key", 2, Bits(size=4)), 4)[:2] == [228, 60]
    assert material(recipe("java", (Part("key", 3, Bits(size=4)),), skip=4), 42)[0][:10] == bytes(
        [228, 60, 8, 79, 75, 187, 43, 241, 131, 157]
    )
    assert drawn(Part("key", 4, Modulo(62, shift=1)), 7) == [32, 23, 3, 34]
    assert drawn(Part("key", 3, High(64, shift=1, bits=31)), 11) == [28, 23, 24]
    assert drawn(Part("key", 3, Double(94, high=6, low=5, bits=27)), 14) == [25, 43, 73]
