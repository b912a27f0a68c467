"""The ways in which programs commonly draw keys from a weak generator: what a search tries unasked.

Any of the generators, any way to make bytes of its outputs, any cipher: the product is a list of recipes,
in the order in which they are likely.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import NamedTuple

from unransom.crypto.generators import generator
from unransom.crypto.search.recipe import Bits, Cipher, Double, Draw, High, Modulo, Part, Recipe, Scaled

DIGITS = b"0123456789"
SMALL = b"abcdefghijklmnopqrstuvwxyz"
LARGE = SMALL.upper()
ALPHABETS = (LARGE + SMALL + DIGITS, SMALL + LARGE + DIGITS, DIGITS + LARGE + SMALL, DIGITS + SMALL + LARGE)
KEYBOARD = DIGITS[1:] + DIGITS[:1]
RARER = (  # than those that programs mostly have
    *(SMALL + LARGE + KEYBOARD, LARGE + SMALL + KEYBOARD, LARGE + DIGITS, DIGITS + SMALL[:6]),
    *(bytes(range(0x21, 0x7F)), bytes(range(0x20, 0x7F))),  # all that can be printed
)

BY_SECONDS = (  # seeded with the time of day
    *("msvc", "glibc", "dotnet", "delphi", "java", "mt19937", "go"),
    *("musl", "minstd0", "mt19937-array", "ansi-c", "borland-c"),
)
SELDOM = ("drand48", "minstd", "xorshift32", "xorshift64", "pcg32", "splitmix64")
CLOCKS = {  # generators that are seeded with each
    "unix": (*BY_SECONDS, *SELDOM),
    "milliseconds": ("java", "mt19937", "dotnet", "go", "msvc", "glibc", "delphi", "mt19937-array"),
    "uptime": ("dotnet", "msvc", "delphi"),
    "truncated": ("go", "mt19937", "glibc", "xorshift32"),
    "nanoseconds": ("java", "splitmix64", "pcg32", "xorshift64", "xorshift128-plus"),
}
LONG = frozenset({"unix", "milliseconds"})  # clocks with few seeds, so that many ciphers can be tried
KEYS = (32, 16)
RARE = 16  # rank of a way to draw that is tried with the likely ciphers alone
LIKELY = 2  # rank from which ciphers are no longer
BLOCK = 16
SHORT = 15  # bits of the outputs of an old generator


@functools.cache
def recipes(clock: str) -> tuple[Recipe, ...]:
    """Return the recipes for seeds of one of ``CLOCKS``, the likely ones first."""
    few = clock == "unix"  # seeds, so that what is rare can be tried as well
    ways = [
        (RARE * (few and name in SELDOM) + way.rank, name, way, cipher)
        for name in CLOCKS[clock]
        for way, cipher in product(_ways(name, rare=few), _ciphers(short=clock not in LONG))
    ]
    kept = [each for each in ways if each[0] < RARE or each[3][0] < LIKELY]
    kept.sort(key=lambda each: (each[0] // RARE, each[3][0], each[0]))
    return tuple(
        _recipe(name, way.draw, way.letters, cipher, order) for _, name, way, (_, cipher, order) in kept
    )


def _refused(count: int) -> High:
    """Return the draw of as many bits as ``count`` has: a symbol past the last letter is drawn again."""
    return High(1 << count.bit_length())


class _Way(NamedTuple):
    """How bytes are made of the outputs of a generator.

    Attributes:
        rank: The likeliest first.
        draw: Of one symbol.
        letters: What stands for the symbols.
    """

    rank: int
    draw: Draw
    letters: bytes


class _Draws(NamedTuple):
    """How bytes are made of the outputs of a generator.

    Attributes:
        bytes: Draws of bytes that are used as they are.
        letters: Draws of one of so many letters.
        words: Draws of several bytes.
    """

    bytes: tuple[Draw, ...]
    letters: tuple[Callable[[int], Draw], ...]
    words: tuple[Draw, ...] = ()


DRAWS = {  # of generators that are not used by rand() & 0xFF and rand() % n
    "dotnet": _Draws((Bits(), Scaled(256)), (Scaled,)),  # NextBytes, Next(0, 256), Next(n)
    "delphi": _Draws((High(256),), (High,)),  # Random(256), Random(n)
    "java": _Draws(
        (Bits(0, 4), Bits(24)), (partial(Modulo, shift=1),)
    ),  # nextBytes, nextInt(256), nextInt(n)
    "go": _Draws((Bits(32),), (partial(Modulo, shift=32),)),  # Intn(256), Intn(n)
    # getrandbits(8); random() * n, choice; randbytes
    "mt19937-array": _Draws((Bits(24),), (Double, _refused), (Bits(0, 4),)),
    # & 0xFF, uniform_int_distribution; % n, that of PHP, which drops a bit, uniform_int_distribution; words
    "mt19937": _Draws(
        (Bits(), Bits(24)), (partial(Modulo, bits=32), partial(Modulo, shift=1), High), (Bits(0, 4),)
    ),
}


def _ways(name: str, *, rare: bool) -> Iterator[_Way]:
    """Yield how bytes are made of the outputs of a generator."""
    bits = generator(name).bits
    words = (Bits(7), Bits(0, 4)) if bits == SHORT else (Bits(16), Bits(0, 4 * (bits // 31)))
    usual = _Draws((Bits(),), (partial(Modulo, bits=bits),), words)
    draws = DRAWS.get(name, usual)
    found = [(draw, b"") for draw in draws.bytes]
    found += [(draw(len(letters)), letters) for draw in draws.letters for letters in ALPHABETS]
    found += [(draw, b"") for draw in draws.words]
    yield from (_Way(rank, *each) for rank, each in enumerate(found))
    rarely = [(draw(len(letters)), letters) for letters in RARER for draw in draws.letters[:1]]
    yield from (_Way(RARE + rank, *each) for rank, each in enumerate(rarely if rare else []))


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
        yield rank + 2, Cipher(name="aes-cfb", key_size=size, iv_size=BLOCK), ("key", "iv")
        yield rank + 2, Cipher(name="aes-cfb", key_size=size, iv=zero), ("key",)
        yield rank + 4, Cipher(name="chacha", key_size=size, iv=bytes(12)), ("key",)
        yield rank + 4, Cipher(name="chacha", key_size=size, iv_size=12), ("key", "iv")
        yield rank + 4, Cipher(name="salsa", key_size=size, iv=bytes(8)), ("key",)
        yield rank + 4, Cipher(name="salsa", key_size=size, iv_size=8), ("key", "iv")
        yield rank + 4, Cipher(name="xor", key_size=size), ("key",)
        yield rank + 6, Cipher(name="rc4", key_size=size), ("key",)
    if not short:
        yield LIKELY, Cipher(name="aes-cbc", key_size=24, iv_size=BLOCK), ("key", "iv")
        yield LIKELY, Cipher(name="aes-cbc", key_size=24, iv=zero), ("key",)


def _recipe(name: str, draw: Draw, letters: bytes, cipher: Cipher, order: tuple[str, ...]) -> Recipe:
    step = draw.size if isinstance(draw, Bits) else 1
    sizes = {"key": cipher.key_size, "iv": cipher.iv_size}
    parts = tuple(
        Part("key" if role == "key" else "iv", sizes[role] // step, draw, letters) for role in order
    )
    return Recipe(generator=name, parts=parts, cipher=cipher)
