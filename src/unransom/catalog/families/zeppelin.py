"""Zeppelin: AES-256-CBC over blocks gathered from the file, keys under a session's RSA of 512 bits.

A box with the word ZEPPELIN, 36 bytes, stands over the start of the file. The gathered blocks follow it
in the places that they were taken from, and what does not fit there stands behind the original's size:

    u64 encrypted bytes   u64 bytes before   AES-CBC of "666" and the blocks

Then, each under RC4 with a key of 32 bytes before it and a u32 length before that: offsets of the blocks
(u64 each), key and IV under textbook RSA as a decimal number, the session's RSA key. At the end stand
u32 bytes of a block, u64 bytes of the original, and u32 bytes of all of this.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import pairwise

from unransom.catalog.schemes.family import (
    BadMarkError,
    Decryptor,
    Family,
    FileKey,
    Insert,
    Keep,
    Mark,
    Piece,
    Plan,
)
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import CHUNK, Reader
from unransom.crypto import rsa
from unransom.crypto.ciphers.aes import BLOCK, AesCbc
from unransom.crypto.ciphers.at_once import decrypted

BOX = b"\xda" + b"\xc4" * 8 + b"\xbf\r\n\xb3ZEPPELIN\xb3\r\n\xc0" + b"\xc4" * 8 + b"\xd9\r\n"
LARGEST = 1 << 20  # bytes of the metadata
FIELDS = ("offsets", "key", "session")
RC4_KEY = 32
NUMBERS = struct.Struct("<IQ")
SIZES = struct.Struct("<QQ")
PREFIX = b"666"
AES_KEY, SECRETS = 32, 48
DIGITS = 1300  # of RSA-4096


def read(locked: Reader) -> Mark | None:
    """Return the mark of a file with the box at its head and metadata that can be followed."""
    if ends(locked) is None:
        return None
    size = int.from_bytes(locked.read_at(locked.size - 4, 4), "little")
    if not 4 * len(FIELDS) + NUMBERS.size <= size <= min(LARGEST, locked.size - len(BOX)):
        return None
    return _parsed(locked.read_at(locked.size - size, size), locked.size - size)


def ends(locked: Reader) -> int | None:
    """Return where the gathered blocks begin if the box is there, whatever became of the end of the file."""
    return len(BOX) + SIZES.size if locked.read_at(0, len(BOX)) == BOX else None


def _parsed(data: bytes, start: int) -> Mark | None:
    """Return what the metadata, which begins at ``start``, says."""
    fields, position = {}, 0
    for name in FIELDS:
        end = position + 4 + int.from_bytes(data[position : position + 4], "little")
        if end + NUMBERS.size > len(data):
            return None
        fields[name], position = data[position + 4 : end], end
    block, size = NUMBERS.unpack_from(data, position)
    if not len(BOX) + SIZES.size <= block or not len(BOX) + SIZES.size <= size <= start:
        return None
    return Mark(
        bits=8 * len(BOX),
        fields=fields,
        numbers={"block": block, "start": start},
        plain_size=size,
        wrapped=fields["key"],
    )


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open the number; that it is small enough for key and IV is the proof."""
    digits, size = _clear(mark.fields["key"]), rsa.size(key.data)
    if not digits.isdigit() or len(digits) > DIGITS or size <= SECRETS:
        return None
    number = int(digits)
    opened = rsa.decrypt_raw(key.data, number.to_bytes(size)) if number < 1 << 8 * size else None
    if opened is None or any(opened[:-SECRETS]):
        return None
    secrets = opened[-SECRETS:]
    parts = {"key": secrets[:AES_KEY], "iv": secrets[AES_KEY:], "offsets": _clear(mark.fields["offsets"])}
    return FileKey(parts, 8 * (size - SECRETS) - 8, say("the unwrapped number is as small as key and IV"))


def _clear(data: bytes) -> bytes:
    """Return what RC4 hides behind its key."""
    from unransom.crypto.ciphers.rc4 import Rc4  # noqa: PLC0415 numba takes half a second to import

    hidden = data[RC4_KEY:]
    return decrypted(Rc4(data[:RC4_KEY]), hidden) if hidden else b""


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the gathered blocks and put them back."""
    size, blocks = mark.plain_size or 0, _blocks(mark, key)
    sealed, before = SIZES.unpack(locked.read_at(len(BOX), SIZES.size))
    room = [Span(len(BOX) + SIZES.size, blocks[0].end), *blocks[1:]]
    rest = sealed - sum(len(span) for span in room)
    needed = len(PREFIX) + sum(len(span) for span in blocks)
    if not needed <= before <= sealed or sealed % BLOCK:
        raise BadMarkError(say("the sizes in the metadata do not fit the file"))
    if not 0 <= rest <= mark.numbers["start"] - size:
        raise BadMarkError(say("the gathered blocks do not fit behind the original"))
    gathered = _Gathered(locked, [*room, Span(size, size + rest)], AesCbc(key.parts["key"], key.parts["iv"]))
    if gathered.take(len(PREFIX)) != PREFIX:
        raise BadMarkError(say("the gathered blocks do not begin as they should"))
    return Plan(size, _put_back(size, blocks, gathered))


def _blocks(mark: Mark, key: FileKey) -> list[Span]:
    """Return where the blocks belong.

    Raises:
        BadMarkError: They overlap or lie outside of the file.
    """
    size, block, data = mark.plain_size or 0, mark.numbers["block"], key.parts["offsets"]
    offsets = struct.unpack(f"<{len(data) // 8}Q", data[: len(data) // 8 * 8])
    spans = [Span(offset, min(offset + block, size)) for offset in offsets if offset < size]
    ordered = all(one.end <= two.start for one, two in pairwise(spans))
    if not spans or spans[0].start or len(spans) != len(offsets) or not ordered:
        raise BadMarkError(say("the gathered blocks overlap or lie outside of the file"))
    return spans


class _Gathered:
    """What is encrypted in pieces here and there, decrypted from its beginning to its end."""

    def __init__(self, locked: Reader, spans: list[Span], cipher: Decryptor) -> None:
        self._locked = locked
        self._cipher = cipher
        self._encrypted = self._chunks(spans)
        self._waiting = bytearray()  # decrypted

    def take(self, length: int) -> bytes:
        """Return the next ``length`` bytes."""
        while len(self._waiting) < length:
            data = next(self._encrypted, b"").ljust(BLOCK, b"\0")
            out = bytearray(len(data))
            self._cipher.decrypt_into(memoryview(data), memoryview(out))
            self._waiting += out
        taken = bytes(self._waiting[:length])
        del self._waiting[:length]
        return taken

    def _chunks(self, spans: list[Span]) -> Iterator[bytes]:
        """Yield what the spans hold, as multiples of AES blocks; zeros for what is missing."""
        data = b""
        for span in spans:
            for start in range(span.start, span.end, CHUNK):
                length = min(CHUNK, span.end - start)
                data += self._locked.read_at(start, length).ljust(length, b"\0")
                whole = len(data) - len(data) % BLOCK
                if whole:
                    yield data[:whole]
                data = data[whole:]


def _put_back(size: int, blocks: list[Span], gathered: _Gathered) -> Iterator[Piece]:
    position = 0
    for span in blocks:
        if span.start > position:
            yield Keep(position, span.start - position)
        for start in range(span.start, span.end, CHUNK):
            yield Insert(gathered.take(min(CHUNK, span.end - start)))
        position = span.end
    if position < size:
        yield Keep(position, size - position)


FAMILY = Family(
    name="zeppelin",
    title="Zeppelin",
    aliases=("buran",),
    extensions=(r"\.[0-9A-F]{3}-[0-9A-F]{3}-[0-9A-F]{3}",),
    notes=(r"(?i)!!! all your files are encrypted !!!\.txt",),
    read=read,
    takes=(KeyKind.RSA,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the RSA-512 private key of the session, which the attacker's RSA-2048 key opens"),
    references=("https://github.com/rivitna/Malware/tree/main/Zeppelin",),
    limitations=(
        "No real file was at hand: held to vectors after the public decryptor's layout.",
        "What cannot be read of the gathered blocks becomes zeros before it is decrypted.",
    ),
)
