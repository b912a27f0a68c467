"""What Conti's leaked source handed down: the tail, the key in it and the counting of ChaCha8's blocks.

    512 bytes RSA-4096, PKCS #1 v1.5, byte-reversed: key 32, nonce 8
    12 bytes, zeros in what was seen; u8 mode; u8 percent; u64 bytes of the original

Every chunk starts at a fresh block of the keystream: the one after the last that the chunks before it,
each rounded up to whole blocks, have used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from unransom.catalog.schemes.chunks import chunk_pieces
from unransom.catalog.schemes.family import FileKey, Mark, Piece
from unransom.catalog.schemes.layout import Field, Number, Tail
from unransom.catalog.schemes.noise import is_noise
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.crypto import rsa

TAIL = Tail(
    (Field("blob", 512), Field("unused", 12), Number("mode", 1), Number("percent", 1), Number("size", 8)),
    wrapped="blob",
)
SIZE_BITS, MODE_BITS = 64, 7  # mode and percent together: three of 256 values, 101 of 256
KEY, NONCE, BLOCK = 32, 8, 64  # bytes
ROUNDS = 8
PKCS1_BITS = 24  # two bytes of padding and a zero at the place that the length demands


def read_tail(locked: Reader, modes: Mapping[int, str]) -> Mark | None:
    """Return the mark of a file whose tail gives its size and one of ``modes``, number to name."""
    mark = TAIL(locked)
    if mark is None or mark.numbers["size"] != mark.plain_size or mark.numbers["percent"] > 100:
        return None
    if mark.numbers["mode"] not in modes or not is_noise(mark.fields["blob"]):
        return None
    unused = 0 if any(mark.fields["unused"]) else 8 * len(mark.fields["unused"])
    return Mark(
        bits=SIZE_BITS + MODE_BITS + unused,
        fields=mark.fields,
        numbers=mark.numbers,
        plain_size=mark.plain_size,
        variant=modes[mark.numbers["mode"]],
        wrapped=mark.wrapped,
    )


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Return key and nonce, None where ``key`` does not open the blob to as many bytes as they have."""
    if key.kind is not KeyKind.RSA:
        return None
    message = rsa.decrypt_pkcs1(key.data, mark.fields["blob"], "little")
    if message is None or len(message) != KEY + NONCE:
        return None
    parts = {"key": message[:KEY], "nonce": message[KEY:]}
    return FileKey(parts, PKCS1_BITS, say("padding and length of the RSA message"))


def unlocked(size: int, starts: Sequence[int], length: int, key: FileKey) -> Iterator[Piece]:
    """Return the pieces of a file of ``size`` bytes locked in chunks of ``length`` bytes at ``starts``."""
    from unransom.crypto.ciphers.chacha import ChaCha  # noqa: PLC0415 numba takes half a second to import

    cipher = ChaCha.from_key(key.parts["key"], key.parts["nonce"], ROUNDS)
    used = -(-length // BLOCK) * BLOCK
    return chunk_pieces(
        size, [(Span(start, start + length), cipher.at(index * used)) for index, start in enumerate(starts)]
    )
