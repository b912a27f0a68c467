"""Yarrow-256 of Nettle, seeded with a time in decimal digits as Akira's second generation does.

An output is a little-endian word of what one request gives; Akira makes a new generator for each. A time
is seeded through 1,500 hashes, so a table of them is made once and used for all files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from unransom.crypto.generators.generator import Fill, Generator, Rows, Seeds

TURNS = 1500
BLOCK = 16  # bytes


def _key(seed: int) -> bytes:
    """Return the AES key that the digits of ``seed`` give."""
    first = digest = hashlib.sha256(str(seed).encode()).digest()
    for turn in range(1, TURNS):
        digest = hashlib.sha256(digest + first + turn.to_bytes(4)).digest()
    return digest


def _stream(key: bytes, blocks: int) -> bytes:
    """Return ``blocks`` blocks of 16 bytes; the counter begins where zero is encrypted to."""
    cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 what Yarrow does
    counter = int.from_bytes(cipher.update(bytes(BLOCK)))
    numbers = (counter + index for index in range(blocks))
    return cipher.update(b"".join((number % (1 << 128)).to_bytes(BLOCK) for number in numbers))


def _outputs(seed: int) -> Iterator[int]:
    stream = _stream(_key(seed), 4096)
    for place in range(0, len(stream), 4):
        yield int.from_bytes(stream[place : place + 4], "little")


def _rows(first: int, count: int) -> Fill:
    from unransom.crypto.generators.kernels import sha256  # noqa: PLC0415 numba is slow to load

    blocks = -(-4 * (first + count) // BLOCK)

    def filled(seeds: Seeds, out: Rows) -> None:
        digests, keys = (np.empty((8, len(seeds)), np.uint32) for _ in range(2))
        sha256.digest(_digits(seeds), digests)
        sha256.iterate(digests, TURNS - 1, keys)
        packed = keys.T.astype(">u4").tobytes()
        streams = b"".join(_stream(packed[at : at + 32], blocks) for at in range(0, len(packed), 32))
        words = np.frombuffer(streams, "<u4").reshape(len(seeds), -1)
        out[:] = words[:, first : first + count].T

    return filled


def _digits(seeds: Seeds) -> NDArray[np.uint32]:
    """Return the padded messages: the digits of each seed, a one bit, and the length in bits."""
    texts = [str(seed).encode() for seed in seeds.tolist()]
    padded = b"".join((text + b"\x80").ljust(56, b"\0") + (8 * len(text)).to_bytes(8) for text in texts)
    return np.ascontiguousarray(np.frombuffer(padded, ">u4").astype(np.uint32).reshape(-1, 16).T)


GENERATOR = Generator(
    name="yarrow256",
    title="Yarrow-256 of Nettle, seeded with a time",
    seed_bits=64,
    bits=32,
    outputs=_outputs,
    rows=_rows,
    source="yarrow256.c of Nettle",
    per_second=5e3,
    limitations=("Only the first request of a generator.",),
)
