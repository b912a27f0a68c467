"""The ways in which programs commonly draw keys from a weak generator: what a search tries unasked.

Any of the generators, any way to make bytes of its outputs, any cipher: the product is a list of recipes,
in the order in which they are likely.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from itertools import product

from unransom.crypto.generators import generator
from unransom.crypto.search.recipe import Bits, Cipher, Double, Draw, High, Modulo, Part, Recipe, Scaled

DIGITS = b"0123456789"
SMALL = b"abcdefghijklmnopqrstuvwxyz"
LARGE = SMALL.upper()
ALPHABETS = (LARGE + SMALL + DIGITS, SMALL + LARGE + DIGITS, DIGITS + LARGE + SMALL, DIGITS + SMALL + LARGE)

BY_SECONDS = (  # seeded with the time of day
    *("msvc", "glibc", "dotnet", "delphi", "java", "mt19937", "go"),
    *("musl", "minstd0", "mt19937-array", "ansi-c", "borland-c"),
)
BY_UPTIME = ("dotnet", "msvc", "delphi")  # seeded with the milliseconds since the machine started
KEYS = (32, 16)
BLOCK = 16
SHORT = 15  # bits of the outputs of an old generator


@functools.cache
def recipes(clock: str) -> tuple[Recipe, ...]:
    """Return the recipes for seeds of a clock, ``unix`` or ``uptime``, the likely ones first."""
    names = BY_SECONDS if clock == "unix" else BY_UPTIME
    draws = [(rank, name, *each) for name in names for rank, each in enumerate(_draws(name))]
    ways = sorted(product(draws, _ciphers(short=clock == "uptime")), key=lambda way: (way[1][0], way[0][0]))
    return tuple(
        _recipe(name, draw, letters, cipher, order) for (_, name, draw, letters), (_, cipher, order) in ways
    )


def _draws(name: str) -> Iterator[tuple[Draw, bytes]]:
    """Yield how bytes are made of the outputs of a generator, with the letters that stand for them."""
    bits = generator(name).bits
    match name:
        case "dotnet":  # NextBytes; Next(0, 256); Next(n)
            yield from ((Bits(), b""), (Scaled(256), b""))
            yield from ((Scaled(len(letters)), letters) for letters in ALPHABETS)
        case "delphi":  # Random(256); Random(n)
            yield High(256), b""
            yield from ((High(len(letters)), letters) for letters in ALPHABETS)
        case "java":  # nextBytes; nextInt(256); nextInt(n)
            yield from ((Bits(0, 4), b""), (Bits(24), b""))
            yield from ((Modulo(len(letters), shift=1), letters) for letters in ALPHABETS)
        case "go":  # Intn(256), Intn(n)
            yield Bits(32), b""
            yield from ((Modulo(len(letters), shift=32), letters) for letters in ALPHABETS)
        case "mt19937-array":  # getrandbits(8), random() * n
            yield Bits(24), b""
            yield from ((Double(len(letters)), letters) for letters in ALPHABETS)
        case _:  # rand() & 0xFF, rand() % n, words
            yield Bits(), b""
            yield from ((Modulo(len(letters)), letters) for letters in ALPHABETS)
            yield Bits(7 if bits == SHORT else 16), b""
            if bits > SHORT:
                yield Bits(0, 4), b""


def _ciphers(*, short: bool) -> Iterator[tuple[int, Cipher, tuple[str, ...]]]:
    """Yield ciphers by rank, with the order in which key and IV are drawn."""
    zero = bytes(BLOCK)
    for rank, size in enumerate(KEYS):
        yield rank, Cipher(name="aes-cbc", key_size=size, iv_size=BLOCK), ("key", "iv")
        yield rank, Cipher(name="aes-cbc", key_size=size, iv=zero), ("key",)
        if short:
            continue
        yield rank + 2, Cipher(name="aes-cbc", key_size=size, iv_size=BLOCK), ("iv", "key")
        yield rank + 2, Cipher(name="aes-ecb", key_size=size), ("key",)
        yield rank + 2, Cipher(name="aes-ctr", key_size=size, iv=zero), ("key",)
        yield rank + 2, Cipher(name="aes-ctr", key_size=size, iv_size=BLOCK), ("key", "iv")
        yield rank + 4, Cipher(name="chacha", key_size=size, iv=bytes(12)), ("key",)
        yield rank + 4, Cipher(name="chacha", key_size=size, iv_size=12), ("key", "iv")
        yield rank + 4, Cipher(name="salsa", key_size=size, iv=bytes(8)), ("key",)
        yield rank + 4, Cipher(name="salsa", key_size=size, iv_size=8), ("key", "iv")
        yield rank + 4, Cipher(name="xor", key_size=size), ("key",)
        yield rank + 6, Cipher(name="rc4", key_size=size), ("key",)


def _recipe(name: str, draw: Draw, letters: bytes, cipher: Cipher, order: tuple[str, ...]) -> Recipe:
    step = draw.size if isinstance(draw, Bits) else 1
    sizes = {"key": cipher.key_size, "iv": cipher.iv_size}
    parts = tuple(
        Part("key" if role == "key" else "iv", sizes[role] // step, draw, letters) for role in order
    )
    return Recipe(generator=name, parts=parts, cipher=cipher)
