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
from unransom.crypto.search.recipe import (
    Bits,
    Cipher,
    Derive,
    Derived,
    Double,
    Draw,
    High,
    Kind,
    Modulo,
    Part,
    Place,
    Recipe,
    Scaled,
)

DIGITS = b"0123456789"
SMALL = b"abcdefghijklmnopqrstuvwxyz"
LARGE = SMALL.upper()
ALPHABETS = (LARGE + SMALL + DIGITS, SMALL + LARGE + DIGITS, DIGITS + LARGE + SMALL, DIGITS + SMALL + LARGE)
KEYBOARD = DIGITS[1:] + DIGITS[:1]
RARER = (  # than those that programs mostly have
    bytes(range(0xFF)),  # rand() % 255, where a byte was meant
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
OTHERS = (  # generators that are seldom seen, and randrange of Python
    "mt19937-byte",
    *("glibc-type0", "mt19937-php5", "numerical-recipes", "rtl-uniform", "visual-basic"),
    *("xorshift128", "xorshift128-plus"),
)
RARELY = {"unix": (*CLOCKS["unix"], *OTHERS), "uptime": CLOCKS["uptime"]}  # tried in every way there is
LONG = frozenset({"unix", "milliseconds"})  # clocks with few seeds, so that many ciphers can be tried
KEYS = (32, 16)
EVERY_KEY = (32, 16, 24)
HASHES: dict[Derived, int] = {"sha256": 32, "md5": 16}  # bytes of a digest that is the key
STORED: tuple[Place, ...] = ("head", "tail")
SHIFTED: tuple[Kind, ...] = ("aes-ctr", "aes-cfb")
CHAINED: Kind = "aes-cbc"
PASSWORDS = (8, 10, 12, 15, 16, 20, 24, 32)  # symbols that are drawn and hashed
RARE = 16  # rank of a way to draw that is tried with the likely ciphers alone
LIKELY = 2  # rank from which ciphers are no longer
BLOCK = 16
SHORT, STATE = 15, 32  # bits of the outputs of an old generator, and of one that gives its whole state


Choice = tuple[Cipher, tuple[str, ...]]  # a cipher, and the order in which key and IV are drawn


@functools.cache
def recipes(clock: str) -> tuple[Recipe, ...]:
    """Return the recipes for seeds of one of ``CLOCKS``: the likely ones first, all others behind them."""
    return likely(clock) + rare(clock)


@functools.cache
def likely(clock: str) -> tuple[Recipe, ...]:
    """Return the recipes that are likely for seeds of one of ``CLOCKS``, the likeliest first."""
    return plain(clock) + tuple(_recipe(*each[1:]) for each in _ranked(clock) if not _is_plain(each))


@functools.cache
def plain(clock: str) -> tuple[Recipe, ...]:
    """Return the likeliest recipes of all: a key of AES-CBC that is drawn as bytes, as most programs do."""
    return tuple(_recipe(*each[1:]) for each in _ranked(clock) if _is_plain(each))


class _Ranked(NamedTuple):
    """What a recipe is made of.

    Attributes:
        rank: Of the cipher, then of the generator and the way to draw; the likeliest first.
        name: Of the generator.
        way: How bytes are drawn.
        cipher: What they are for.
        order: In which key and IV are drawn.
    """

    rank: tuple[int, int]
    name: str
    way: _Way
    cipher: Cipher
    order: tuple[str, ...]


def _is_plain(each: _Ranked) -> bool:
    """Return whether the key of AES-CBC is drawn before the IV, in the likeliest way of a generator."""
    return each.rank[1] == 0 and each.cipher.name == CHAINED and each.order[0] == "key"


@functools.cache
def _ranked(clock: str) -> tuple[_Ranked, ...]:
    """Return what is likely for seeds of one of ``CLOCKS``, the likeliest first."""
    few = clock == "unix"  # seeds, so that what is rare can be tried as well
    found = [
        _Ranked((rank, RARE * (few and name in SELDOM) + way.rank), name, way, cipher, order)
        for name in CLOCKS[clock]
        for way in _ways(name, rare=few)
        for rank, cipher, order in _ciphers(short=clock not in LONG)
        if _is_drawn_whole(way, cipher)
    ]
    kept = [each for each in found if _is_kept(each, clock)]
    return tuple(sorted(kept, key=lambda each: (each.rank[1] // RARE, *each.rank)))


def _is_kept(each: _Ranked, clock: str) -> bool:
    """Return whether a recipe is likely enough for the seeds that ``clock`` has."""
    if each.cipher.key_size not in KEYS and clock not in LONG:
        return clock == "uptime" and _is_plain(each)
    return each.rank[1] < RARE or each.rank[0] < LIKELY


@functools.cache
def rare(clock: str) -> tuple[Recipe, ...]:
    """Return what else there is: the other generators, ciphers, places of the IV, and hashed passwords."""
    usual = [(cipher, order) for _, cipher, order in _ciphers(short=False)]
    choices = [*usual, *_seldom_ciphers()] if clock == "unix" else usual
    found = dict.fromkeys(
        _recipe(name, way, cipher, order)
        for name in RARELY.get(clock, ())
        for way, (cipher, order) in product(_every_way(name), choices)
        if _is_drawn_whole(way, cipher)
    )
    if clock == "unix":
        found |= dict.fromkeys(each for name in BY_SECONDS for each in _hashed(name))
    before = frozenset(likely(clock))
    return tuple(each for each in found if each not in before)


def _every_way(name: str) -> list[_Way]:
    """Return the ways that are tried with every cipher."""
    return [*_ways(name, rare=False), *(_Way(RARE, draw, b"") for draw in _seldom_draws(name))]


def _is_drawn_whole(way: _Way, cipher: Cipher) -> bool:
    """Return whether an IV that is drawn ends where an output does."""
    return not cipher.iv_size % _step(way.draw)


def _step(draw: Draw) -> int:
    return draw.size if isinstance(draw, Bits) else 1


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
    "visual-basic": _Draws((High(256, bits=24),), (partial(High, bits=24),)),  # Int(Rnd * n)
    # getrandbits(8); random() * n, choice; randbytes
    "mt19937-array": _Draws((Bits(24),), (Double, _refused), (Bits(0, 4),)),
    # & 0xFF, uniform_int_distribution; % n, that of PHP, which drops a bit, uniform_int_distribution; words
    "mt19937": _Draws(
        (Bits(), Bits(24)), (partial(Modulo, bits=32), partial(Modulo, shift=1), High), (Bits(0, 4),)
    ),
}
DRAWS["mt19937-byte"] = _Draws((Bits(),), ())
DRAWS["mt19937-php5"] = DRAWS["mt19937"]


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
    rarely += [(draw, b"") for draw in _seldom_draws(name)]
    yield from (_Way(RARE + rank, *each) for rank, each in enumerate(rarely if rare else []))


def _seldom_draws(name: str) -> Iterator[Draw]:
    """Yield what bytes are seldom made of: Go's Read, and the high bits of a state: its low ones are weak."""
    if name == "go":
        yield Bits(0, 7)
    elif generator(name).bits == STATE:
        yield Bits(24)


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
    yield LIKELY, Cipher(name="aes-cbc", key_size=24, iv_size=BLOCK), ("key", "iv")
    yield LIKELY, Cipher(name="aes-cbc", key_size=24, iv=zero), ("key",)


def _seldom_ciphers() -> Iterator[Choice]:
    """Yield ciphers with other keys, and with an IV or nonce that stands before or behind the file."""
    zero = bytes(BLOCK)
    yield Cipher(name="aes-cbc", key_size=24, iv_size=BLOCK), ("iv", "key")
    yield Cipher(name="aes-ecb", key_size=24), ("key",)
    for mode in SHIFTED:
        yield Cipher(name=mode, key_size=24, iv=zero), ("key",)
        yield Cipher(name=mode, key_size=24, iv_size=BLOCK), ("key", "iv")
    for size in KEYS:
        yield Cipher(name="chacha", key_size=size, iv_size=8), ("key", "iv")
    for place, size in product(STORED, EVERY_KEY):
        for mode in SHIFTED if place == "head" else (*SHIFTED, CHAINED):
            yield Cipher(name=mode, key_size=size, iv_size=BLOCK, stored=place), ("key",)
        if size in KEYS:
            yield Cipher(name="chacha", key_size=size, iv_size=12, stored=place), ("key",)
            yield Cipher(name="chacha", key_size=size, iv_size=8, stored=place), ("key",)
            yield Cipher(name="salsa", key_size=size, iv_size=8, stored=place), ("key",)


def _hashed(name: str) -> Iterator[Recipe]:
    """Yield the recipes in which a digest of what is drawn is the key."""
    for derived, size in HASHES.items():
        ciphers = (
            Cipher(name="aes-cbc", key_size=size, iv=bytes(BLOCK)),
            Cipher(name="aes-cbc", key_size=size, iv_size=BLOCK, stored="tail"),
            Cipher(name="aes-ecb", key_size=size),
            Cipher(name="aes-ctr", key_size=size, iv=bytes(BLOCK)),
            Cipher(name="aes-ctr", key_size=size, iv_size=BLOCK, stored="head"),
            Cipher(name="rc4", key_size=size),
            Cipher(name="chacha", key_size=size, iv=bytes(12)),
            Cipher(name="salsa", key_size=size, iv=bytes(8)),
        )
        ways = [way for way in _ways(name, rare=False) if _step(way.draw) == 1]
        for count, way, cipher in product(PASSWORDS, ways, ciphers):
            part = Part("key", count, way.draw, way.letters)
            yield Recipe(generator=name, parts=(part,), cipher=cipher, derive=Derive(derived))


def _recipe(name: str, way: _Way, cipher: Cipher, order: tuple[str, ...]) -> Recipe:
    """Return a recipe; more is drawn of a key than it has bytes where outputs give several."""
    step = _step(way.draw)
    sizes = {"key": cipher.key_size, "iv": cipher.iv_size}
    parts = tuple(
        Part("key" if role == "key" else "iv", -(-sizes[role] // step), way.draw, way.letters)
        for role in order
    )
    return Recipe(generator=name, parts=parts, cipher=cipher)
