"""Ways in which lockers lock, on bytes in memory: what the accuracy benchmark locks real files with."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KIB, MIB = 1 << 10, 1 << 20
FOOTERS = (0, 0, 0, 32, 40, 256, 512, 534, 768)  # bytes; none on every third file
EXTENSIONS = (
    ".locked",
    ".akira",
    ".lockbit",
    ".encrypted",
    ".crypt",
    ".{word}",
    ".id-{hex}.[{word}@{word}.com].{word}",
)
PERCENTS = (10, 20, 50)

Extents = Iterator[tuple[int, int]]


class Locked(NamedTuple):
    """A file as a locker leaves it."""

    name: bytes
    data: bytes
    scheme: str


def _head(length: int) -> Callable[[int, random.Random], Extents]:
    return lambda size, _: iter([(0, min(length, size))])


def _every(on: int, off: int) -> Callable[[int, random.Random], Extents]:
    return lambda size, _: ((at, min(at + on, size)) for at in range(0, size, on + off))


def _percent(size: int, chance: random.Random) -> Extents:
    """Yield three to five pieces that are spread evenly, together a share of the file; a small one whole."""
    if size < 4 * KIB:
        return iter([(0, size)])
    count = chance.choice((3, 5))
    length = max(1, size * chance.choice(PERCENTS) // 100 // count)
    step = max(length, (size - length) // (count - 1))
    return ((at, min(at + length, size)) for at in range(0, size, step))


SCHEMES: dict[str, tuple[int, Callable[[int, random.Random], Extents]]] = {  # weight, extents
    "full": (36, lambda size, _: iter([(0, size)])),
    "head 4 KiB": (8, _head(4 * KIB)),
    "head 64 KiB": (8, _head(64 * KIB)),
    "head 1 MiB": (8, _head(MIB)),
    "every second 4 KiB": (6, _every(4 * KIB, 4 * KIB)),
    "every second 16 KiB": (6, _every(16 * KIB, 16 * KIB)),
    "every second 64 KiB": (5, _every(64 * KIB, 64 * KIB)),
    "every second 1 MiB": (5, _every(MIB, MIB)),
    "64 of 192 bytes": (6, _every(64, 128)),
    "1 MB of 3 MB": (6, _every(1_000_000, 2_000_000)),
    "percent": (6, _percent),
}


def lock(name: bytes, plain: bytes, chance: random.Random) -> Locked:
    """Return ``plain`` locked with a scheme, cipher, footer and name that ``chance`` draws."""
    scheme = chance.choices(list(SCHEMES), [weight for weight, _ in SCHEMES.values()])[0]
    key, nonce = chance.randbytes(32), chance.randbytes(16)
    cipher = chance.choice(("aes-ctr", "chacha20"))
    algorithm = (
        Cipher(algorithms.AES(key), modes.CTR(nonce))
        if cipher == "aes-ctr"
        else Cipher(algorithms.ChaCha20(key, nonce), None)
    )
    stream = algorithm.encryptor()
    data = bytearray(plain)
    for start, end in SCHEMES[scheme][1](len(plain), chance):
        data[start:end] = stream.update(bytes(data[start:end]))
    data += chance.randbytes(chance.choice(FOOTERS))
    if scheme == "full":
        scheme += " " + cipher
    return Locked(_renamed(name, chance), bytes(data), scheme)


def _renamed(name: bytes, chance: random.Random) -> bytes:
    """Return ``name`` as it is, or with a locker's extension."""
    if chance.random() < 0.5:
        return name
    word = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=6))
    return name + chance.choice(EXTENSIONS).format(word=word, hex=f"{chance.getrandbits(32):08X}").encode()
