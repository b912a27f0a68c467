"""RCRU64: AES-GCM in blocks of 512,000 bytes, in chunks, or at both ends of a file.

Behind the locked bytes: ``wenf=``, the RSA-2048 blob (OAEP with SHA-1), and for a file in chunks
``P7A1s<length>:<gap>$f1;``, both in units of 1,024,000 bytes, and ``Fs1z3<bytes>``. ``&4r*3d`` may follow.
The blob holds ``d7j3``, key, ``y9a0``, nonces, ``m5ha``. The first block takes its nonce from there, all
others from a generator that always starts with the same eight bytes. One byte ends every original.

Of files above 2,048,000 bytes that are in no chunks the ends are locked. The nonce of the last area is a
constant of the program; its counter is found where the area has two blocks of zeros in a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from unransom.catalog.schemes.extents import each_piece
from unransom.catalog.schemes.family import (
    BadMarkError,
    Decryptor,
    Family,
    FileKey,
    Keep,
    Lost,
    Mark,
    Piece,
    Plan,
    Unlock,
)
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.crypto import rsa
from unransom.crypto.ciphers.aes import BLOCK, AesCtr, AesEcb, AesGcm

TAIL = re.compile(
    rb"wenf=(.{256})(?:P7A1s(\d{1,6}(?:\.\d{1,9})?):(\d{1,6}(?:\.\d{1,9})?)\$f1;.{0,8}?Fs1z3(\d{1,18}))?(&4r\*3d)?",
    re.DOTALL,
)
LONGEST = 5 + 256 + 5 + 16 + 1 + 16 + 4 + 8 + 5 + 18 + 6  # bytes
WORD_BITS, CHUNKS_BITS, LAST_BITS = 40, 40 + 8 + 32 + 40, 48
SECRETS = re.compile(rb"d7j3(.{16}|.{24}|.{32})y9a0(.{12,64})m5ha", re.DOTALL)
OAEP_BITS = 128
UNIT = 1_024_000
PART = 0x7D000
LARGE = 0x1F4000
FIRST = 0x2D2A8 - BLOCK  # bytes locked at the start of a large file
ENDS = (b"nqpso5938fh71jfu", b"qpso5938fh71jf")  # what ends a small original; the second in one block only
END = 16
COUNTER_PERIOD = 1 << 32


def read(locked: Reader) -> Mark | None:
    """Return the mark."""
    data = locked.read_at(max(locked.size - LONGEST, 0), LONGEST)
    for start in [found.start() for found in re.finditer(b"wenf=", data)]:
        if (tail := TAIL.fullmatch(data, start)) is None:
            continue
        sealed = max(locked.size - LONGEST, 0) + start
        numbers, bits = {"sealed": sealed}, WORD_BITS + (LAST_BITS if tail[5] else 0)
        if tail[2]:
            length, gap = (round(float(tail[group]) * UNIT) for group in (2, 3))
            numbers |= {"length": length, "gap": gap, "end": int(tail[4])}
            bits += CHUNKS_BITS
        return Mark(bits, {"blob": tail[1]}, numbers, variant=_variant(numbers), wrapped=tail[1])
    return None


def _variant(numbers: dict[str, int]) -> str:
    if "length" in numbers:
        return "chunks"
    if numbers["sealed"] >= LARGE:
        return "ends"
    return "parts" if numbers["sealed"] > PART else "whole"


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open the blob."""
    message = rsa.decrypt_oaep(key.data, mark.fields["blob"], "sha1")
    secrets = SECRETS.search(message) if message else None
    if secrets is None:
        return None
    return FileKey(
        {"key": secrets[1], "nonces": secrets[2]}, OAEP_BITS, say("the padding of the wrapped key")
    )


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the blocks, and leave off what ends the original."""
    sealed = mark.numbers["sealed"]
    if sealed < 1 + (END if mark.variant == "whole" else 0):
        raise BadMarkError(say("the file is too short for what ends it"))
    if mark.variant == "ends":
        return Plan(sealed - 1, _ends(locked, sealed, key))
    spans, nonce = _blocks(mark), 32 if mark.variant == "whole" else 12
    added = 1 + (_added(locked, mark, key) if mark.variant != "chunks" else 0)
    starts = (AesGcm(key.parts["key"], each) for each in _nonces(key.parts["nonces"][:nonce]))
    if added > sealed:
        raise BadMarkError(say("the file is too short for what ends it"))
    return Plan(sealed - added, each_piece(sealed, spans, lambda _: next(starts)))


def _blocks(mark: Mark) -> Iterator[Span]:
    """Yield the locked spans of a file that is not locked at its ends."""
    sealed = mark.numbers["sealed"]
    length, gap, end = PART, 0, sealed - 2
    if mark.variant == "chunks":
        length, gap, end = (mark.numbers[name] for name in ("length", "gap", "end"))
        if not length or end > sealed:
            raise BadMarkError(say("the sizes in the metadata do not fit the file"))
    elif mark.variant == "whole":
        end = sealed - END
    for start in range(0, end, length + gap):
        yield Span(start, min(start + length, end))


def _nonces(first: bytes) -> Iterator[bytes]:
    yield first
    state = b"sxuojgdg"
    while True:
        state = _stirred(int.from_bytes(state, "little")).to_bytes(8)
        yield state + state[4:]


MASK = 0xFFFFFFFFFFFFFFFF
ROTATIONS = (15, 52, 26, 51, 28, 9, 47, 54)  # to the left
LAST_ROTATIONS = (32, 25, 63)
NUMBERS = (0xE6ADBEEFDEADBEEF, 4815, 4815)


def _stirred(state: int) -> int:
    """Return what the generator makes of a state: its last rotated word."""
    value = state + 0xDEADBEEFDEADBEEF & MASK
    turned = [_rotated(value, ROTATIONS[0])]
    for place, count in enumerate((*ROTATIONS[1:], *LAST_ROTATIONS)):
        other = NUMBERS[place] if place < 3 else turned[place - 3]
        value = ((other ^ value) + turned[-1]) & MASK
        turned.append(_rotated(value, count))
    return turned[-1]


def _rotated(value: int, count: int) -> int:
    return (value << count | value >> (64 - count)) & MASK


def _added(locked: Reader, mark: Mark, key: FileKey) -> int:
    """Return how many bytes of a small original the locker has put to its end, besides the last one."""
    sealed = mark.numbers["sealed"]
    start = sealed - END
    data = bytearray(locked.read_at(start, END))
    if mark.variant == "parts":
        nonces = _nonces(key.parts["nonces"][:12])
        for span in _blocks(mark):
            nonce, low = next(nonces), max(span.start, start)
            if low < span.end:
                cipher = AesGcm(key.parts["key"], nonce).at(low - span.start)
                view = memoryview(data)[low - start : span.end - start]
                cipher.decrypt_into(memoryview(bytes(view)), view)
    places = [data.find(end) for end in (ENDS if mark.variant == "whole" else ENDS[:1])]
    return next((END - place for place in places if place >= 0), 0)


def _ends(locked: Reader, sealed: int, key: FileKey) -> Iterator[Piece]:
    yield Unlock(0, FIRST, AesGcm(key.parts["key"], key.parts["nonces"][:32]))
    start = sealed - PART
    yield Keep(FIRST, start - FIRST)
    cipher = _found(locked.read_at(start, PART - BLOCK), key.parts["key"])
    if cipher is None:
        yield Lost(PART - BLOCK)
    else:
        yield Unlock(start, PART - BLOCK, cipher)
    yield Keep(sealed - BLOCK, BLOCK)


def _found(data: bytes, key: bytes) -> Decryptor | None:
    """Return the cipher of ``data`` if two blocks of zeros in a row give the counter away.

    A block of zeros is locked to the encrypted counter; decrypted, two of them are two counters.
    """
    out = bytearray(len(data) // BLOCK * BLOCK)
    AesEcb(key).decrypt_into(memoryview(data)[: len(out)], memoryview(out))
    words = np.frombuffer(out, ">u4").reshape(-1, 4)
    follows = (words[1:, :3] == words[:-1, :3]).all(axis=1)
    follows &= words[1:, 3].astype(np.uint32) - words[:-1, 3].astype(np.uint32) == 1
    places = np.flatnonzero(follows)
    if not len(places):
        return None
    index = int(places[0])
    first = (int(words[index, 3]) - index) % COUNTER_PERIOD
    return AesCtr(key, words[index, :3].tobytes() + first.to_bytes(4), period=COUNTER_PERIOD)


FAMILY = Family(
    name="rcru64",
    title="RCRU64",
    extensions=(r"_\[ID-[^\]/]*\]\.\w+",),
    notes=(r"(?i)restore_your_files\.txt", r"(?i)read_?me\.hta"),
    read=read,
    takes=(KeyKind.RSA,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the RSA-2048 private key of the campaign"),
    references=("https://github.com/rivitna/Malware/tree/main/RCRU64",),
    limitations=(
        "No real file was at hand: held to vectors after the public decryptor's layout.",
        "The last 512,000 bytes of a file locked at its ends are lost unless 32 zero bytes are among them.",
    ),
)
