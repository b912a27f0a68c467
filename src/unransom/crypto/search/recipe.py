"""How a locker makes a key from a seed, as data, and what is known of what it locked.

``material`` says in plain Python what a recipe means; searches do the same for many seeds at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from typing import ClassVar, Literal, TypeAlias

import msgspec

from unransom.crypto.generators import generator

Kind: TypeAlias = Literal[
    "salsa", "chacha", "aes-ecb", "aes-cbc", "aes-cfb", "aes-ctr", "rc4", "kcipher-2", "xor"
]
Place: TypeAlias = Literal["", "head", "tail"]  # where in a locked file its IV stands
Derived: TypeAlias = Literal["md5", "sha1", "sha256", "sha512", "chacha-stream"]

DOTNET_UNIT = 1.0 / 0x7FFFFFFF  # that System.Random scales its samples with


class Bits(msgspec.Struct, frozen=True, tag="bits"):
    """Bytes of an output from bit ``shift`` on, the lowest first: ``rand() & 0xFF``, NextBytes, words."""

    shift: int = 0
    size: int = 1
    outputs: ClassVar[int] = 1

    def drawn(self, numbers: tuple[int, ...]) -> bytes:
        """Return the bytes."""
        return (numbers[0] >> self.shift & (1 << 8 * self.size) - 1).to_bytes(self.size, "little")


class Modulo(msgspec.Struct, frozen=True, tag="modulo"):
    """``base + (output >> shift & bits) % range``: ``rand() % n``, Go's Intn, Java's nextInt(n).

    Java and Go draw again for the few outputs at the very top; that is left out, once in millions.
    """

    range: int
    base: int = 0
    shift: int = 0
    bits: int = 31
    outputs: ClassVar[int] = 1

    def drawn(self, numbers: tuple[int, ...]) -> bytes:
        """Return the symbol, one byte."""
        return bytes([self.base + (numbers[0] >> self.shift & (1 << self.bits) - 1) % self.range])


class High(msgspec.Struct, frozen=True, tag="high"):
    """``base + ((output >> shift) * range >> bits)``: Random(n) of Delphi, nextInt(2**k) of Java."""

    range: int
    base: int = 0
    shift: int = 0
    bits: int = 32
    outputs: ClassVar[int] = 1

    def drawn(self, numbers: tuple[int, ...]) -> bytes:
        """Return the symbol, one byte."""
        return bytes([self.base + ((numbers[0] >> self.shift) * self.range >> self.bits)])


class Scaled(msgspec.Struct, frozen=True, tag="scaled"):
    """``base + int(output * unit * range)``: Next(a, b) of .NET; ``rand() / (double)RAND_MAX * n``."""

    range: int
    base: int = 0
    unit: float = DOTNET_UNIT
    outputs: ClassVar[int] = 1

    def drawn(self, numbers: tuple[int, ...]) -> bytes:
        """Return the symbol, one byte."""
        return bytes([self.base + int(numbers[0] * self.unit * self.range)])


class Double(msgspec.Struct, frozen=True, tag="double"):
    """``base + int(fraction * range)`` of 53 bits from two outputs: random() of Python, nextDouble() of Java.

    Attributes:
        range: How many symbols there are.
        base: The first of them.
        high: What the first output is shifted right by.
        low: What the second is.
        bits: Of the second.
    """

    range: int
    base: int = 0
    high: int = 5
    low: int = 6
    bits: int = 26
    outputs: ClassVar[int] = 2

    def drawn(self, numbers: tuple[int, ...]) -> bytes:
        """Return the symbol, one byte."""
        whole = (numbers[0] >> self.high) * (1 << self.bits) + (numbers[1] >> self.low)
        return bytes([self.base + int(whole * (1.0 / (1 << 53)) * self.range)])


Draw: TypeAlias = Bits | Modulo | High | Scaled | Double


class Part(msgspec.Struct, frozen=True):
    """Symbols that are drawn one after the other.

    Attributes:
        role: What their bytes belong to; "" for those that are of no interest, as a victim's id.
        count: How many there are.
        draw: How one is drawn.
        letters: What stands for each symbol; a symbol past their end is drawn again. Itself where empty.
        redraw: Letters that are drawn again.
    """

    role: Literal["key", "iv", ""]
    count: int
    draw: Draw
    letters: bytes = b""
    redraw: bytes = b""

    def table(self) -> tuple[bytes, bytes]:
        """Return for each of 256 symbols its letter, and 1 or 0 for whether it is kept."""
        letters = self.letters or bytes(range(256))
        kept = [at < len(letters) and letters[at] not in self.redraw for at in range(256)]
        return letters.ljust(256, b"\0"), bytes(kept)

    def redraws(self) -> bool:
        """Return whether a symbol may be drawn again."""
        return bool(self.redraw) or 0 < len(self.letters) < getattr(self.draw, "range", 256)

    def drawn(self, outputs: Iterator[int]) -> bytes:
        """Return the bytes."""
        letters, kept = self.table()
        found = bytearray()
        while len(found) < self.count * getattr(self.draw, "size", 1):
            symbols = self.draw.drawn(tuple(islice(outputs, self.draw.outputs)))
            found += bytes(letters[symbol] for symbol in symbols if kept[symbol])
        return bytes(found)


class Derive(msgspec.Struct, frozen=True):
    """What is done to the bytes of the key before they are used.

    Attributes:
        name: A hash: the key is the digest. ``chacha-stream``: 32 bytes are a ChaCha20 key and 8 a nonce
            (the random numbers of LibTomCrypt); key and IV are taken from its stream.
        offset: Where in the stream; Rhysida takes 48 bytes for each file.
    """

    name: Derived
    offset: int = 0


class Cipher(msgspec.Struct, frozen=True, kw_only=True):
    """The cipher that a file is locked with.

    Attributes:
        name: Which one.
        key_size: Bytes; a longer key is cut, a shorter one filled up with zeros.
        iv_size: Bytes of the IV or nonce where it is drawn.
        iv: The same for all seeds; empty where it is drawn. AES-CTR: the first counter.
        stored: Where in the locked file the IV stands that is not drawn; "" where none does.
        rounds: Of Salsa20 and ChaCha.
        order: Of the counter of AES-CTR, and of 64 bits of the keystream of KCipher-2.
    """

    name: Kind
    key_size: int = 32
    iv_size: int = 0
    iv: bytes = b""
    rounds: int = 20
    order: Literal["big", "little"] = "big"
    stored: Place = ""


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """From a seed to a key and what it locks.

    Attributes:
        generator: Name of the generator.
        parts: What is drawn, in its order.
        cipher: What the key is for.
        skip: Outputs before all that; of a stream that several files share, those of the files before.
        derive: What is done to the drawn key.
    """

    generator: str
    parts: tuple[Part, ...]
    cipher: Cipher
    skip: int = 0
    derive: Derive | None = None


class Crib(msgspec.Struct, frozen=True, kw_only=True):
    """Plain text that is known, or supposed, at a place of a locked stream.

    Attributes:
        locked: Bytes of the stream as the cipher takes them, from ``start`` on: whole blocks, with the one
            before for AES-CBC and AES-CFB, wherever ``plain`` lies.
        start: Where in the stream that is.
        offset: Where in the stream ``plain`` is.
        plain: What is known.
        mask: Which bits of it are; all where empty.
    """

    locked: bytes
    offset: int
    plain: bytes
    mask: bytes = b""
    start: int = 0

    def bits(self) -> int:
        """Return how many bits are known."""
        return int.from_bytes(self.mask).bit_count() if self.mask else 8 * len(self.plain)


def material(recipe: Recipe, seed: int) -> tuple[bytes, bytes]:
    """Return key and IV that ``seed`` gives."""
    outputs = islice(generator(recipe.generator).outputs(seed), recipe.skip, None)
    drawn = {"key": b"", "iv": b"", "": b""}
    for part in recipe.parts:
        drawn[part.role] += part.drawn(outputs)
    cipher, key, iv = recipe.cipher, drawn["key"], recipe.cipher.iv or drawn["iv"]
    if recipe.derive and recipe.derive.name == "chacha-stream":
        stream = _stream(key, recipe.derive.offset, cipher.key_size + cipher.iv_size)
        key, iv = stream[: cipher.key_size], iv or stream[cipher.key_size :]
    elif recipe.derive:
        key = hashlib.new(recipe.derive.name, key, usedforsecurity=False).digest()
    return key[: cipher.key_size].ljust(cipher.key_size, b"\0"), iv


def _stream(key: bytes, offset: int, size: int) -> bytes:
    from unransom.crypto.ciphers.at_once import decrypted  # noqa: PLC0415 numba is slow to load
    from unransom.crypto.ciphers.chacha import ChaCha  # noqa: PLC0415

    return decrypted(ChaCha.from_key(key[:32], key[32:40]).at(offset), bytes(size))
