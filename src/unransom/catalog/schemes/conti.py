"""What Conti's leaked source handed down: the tail, the key in it and the counting of ChaCha8's blocks.

    512 bytes RSA-4096, PKCS #1 v1.5, byte-reversed: key 32, nonce 8
    12 bytes, zeros in what was seen; u8 mode; u8 percent; u64 bytes of the original

Every chunk starts at a fresh block of the keystream: the one after the last that the chunks before it,
each rounded up to whole blocks, have used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from unransom.catalog.schemes.chunks import chunk_pieces
from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.family import FileKey, Mark, Piece, Plan
from unransom.catalog.schemes.layout import Field, Number, Tail
from unransom.catalog.schemes.wraps import Rsa
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.crypto.noise import is_noise

TAIL = Tail(
    (Field("blob", 512), Field("unused", 12), Number("mode", 1), Number("percent", 1), Number("size", 8)),
    wrapped="blob",
)
SIZE_BITS, MODE_BITS = 64, 7  # mode and percent together: three of 256 values, 101 of 256
BLOCK = 64  # bytes of keystream that are numbered
CIPHER = Cipher("chacha", iv="nonce", rounds=8)
UNWRAP = Rsa("blob", {"key": (0, 32), "nonce": (32, 40)}, order="little", length=40)


class Chunked(NamedTuple):
    """A generation that locks chunks by a mode and a percentage.

    Attributes:
        modes: Number in the tail to name.
        chunks: Takes mode, size and percent; returns where the chunks start and the bytes of each.
    """

    modes: Mapping[int, str]
    chunks: Callable[[int, int, int], tuple[list[int], int]]

    def read(self, locked: Reader) -> Mark | None:
        """Return the mark of a file whose tail gives its size and one of the modes."""
        mark = TAIL(locked)
        if mark is None or mark.numbers["size"] != mark.plain_size or mark.numbers["percent"] > 100:
            return None
        if mark.numbers["mode"] not in self.modes or not is_noise(mark.fields["blob"]):
            return None
        unused = 0 if any(mark.fields["unused"]) else 8 * len(mark.fields["unused"])
        return Mark(
            bits=SIZE_BITS + MODE_BITS + unused,
            fields=mark.fields,
            numbers=mark.numbers,
            plain_size=mark.plain_size,
            variant=self.modes[mark.numbers["mode"]],
            wrapped=mark.wrapped,
        )

    def plan(self, locked: Reader, mark: Mark, key: FileKey) -> Plan:
        """Decrypt what the mode says."""
        del locked
        size = mark.numbers["size"]
        starts, length = self.chunks(mark.numbers["mode"], size, mark.numbers["percent"])
        return Plan(size, unlocked(size, starts, length, key))


def unlocked(size: int, starts: Sequence[int], length: int, key: FileKey) -> Iterator[Piece]:
    """Return the pieces of a file of ``size`` bytes locked in chunks of ``length`` bytes at ``starts``."""
    used = -(-length // BLOCK) * BLOCK
    chunks = [
        (Span(start, start + length), CIPHER.start(key, index * used)) for index, start in enumerate(starts)
    ]
    return chunk_pieces(size, chunks)
