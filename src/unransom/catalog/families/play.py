"""Play: AES-256-CBC or GCM under CNG key blobs that RSA-8192 wraps; large files in steps, by two keys.

    marker 16   u16 padding   u16 step   u16 large   u16 cipher (1 CBC, 2 GCM)   u32 bytes of a block
    u32 xxHash32 of the marker   u64 locked blocks   RSA-8192 blob [second RSA-8192 blob]

A small file is locked from its start, block by block, in one CBC chain. Of a large one the first and the
last block are one chain; 16 bytes of padding end it. Where there is a second blob, its key locks every
``step``-th block between them, and the incomplete block before the last one; CBC rounds that up to whole
AES blocks, over the first bytes of the last block, which stand behind it therefore (``padding`` bytes).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

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
    Unlock,
)
from unransom.catalog.schemes.layout import Field, Number, Tail
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.crypto import rsa
from unransom.crypto.ciphers.aes import BLOCK, AesCbc, AesGcm
from unransom.crypto.ciphers.at_once import decrypted

PARTS = (
    Field("marker", 16),
    Number("padding", 2),
    Number("step", 2),
    Number("large", 2),
    Number("cipher", 2),
    Number("block", 4),
    Number("hash", 4),
    Number("blocks", 8),
    Field("blob", 1024),
)
TAILS = (Tail(PARTS, wrapped="blob"), Tail((*PARTS, Field("second", 1024)), wrapped="blob"))
HASH_BITS, SMALL_NUMBER_BITS = 32, 11 + 15 + 14 + 4  # padding, large, cipher, and blocks that AES divides
CBC, GCM = 1, 2
LARGEST = 1 << 30  # bytes of a block

KEY_BLOB = 0x230  # bytes of the CNG key object that the message begins with; the IV follows it
KEY_SIZE_AT = 0x18
BLOB_BITS = 16 + 32 + 32  # padding, magic, length of the key


def read(locked: Reader) -> Mark | None:
    """Return the mark: the hash of the marker must hold, and the numbers must fit the file."""
    for tail in TAILS:
        mark = tail(locked)
        if mark and mark.numbers["hash"] == _marker_hash(mark.fields["marker"]) and _plausible(mark.numbers):
            return _sized(mark)
    return None


def _plausible(numbers: dict[str, int]) -> bool:
    block = numbers["block"]
    return (
        numbers["padding"] <= BLOCK
        and numbers["large"] <= 1
        and numbers["cipher"] <= GCM
        and 2 * BLOCK <= block <= LARGEST
        and block % BLOCK == 0
    )


def _sized(mark: Mark) -> Mark | None:
    """Return the mark with the size of the original, None where the file has not so many blocks."""
    numbers, large = mark.numbers, mark.numbers["large"]
    sealed = mark.plain_size or 0
    size = sealed - numbers["padding"] - large * BLOCK
    most = -(-sealed // numbers["block"]) + 1
    if size < 0 or numbers["blocks"] > most or (large and size + BLOCK < 2 * numbers["block"]):
        return None
    return Mark(
        bits=HASH_BITS + SMALL_NUMBER_BITS + 64 - most.bit_length(),
        fields=mark.fields,
        numbers={**numbers, "sealed": sealed},
        plain_size=size,
        variant="large" if large else "small",
        wrapped=mark.wrapped,
    )


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open one blob, or both."""
    parts: dict[str, bytes] = {}
    for name in ("blob", "second"):
        if name not in mark.fields:
            continue
        message = rsa.decrypt_pkcs1(key.data, mark.fields[name])
        if message is None or not _holds_key(message):
            return None
        (size,) = struct.unpack_from("<I", message, KEY_SIZE_AT)
        parts[name] = message[KEY_SIZE_AT + 4 : KEY_SIZE_AT + 4 + size]
        parts[name + " iv"] = message[KEY_BLOB : KEY_BLOB + BLOCK]
    return FileKey(parts, BLOB_BITS, say("padding of the RSA message and structure of the key in it"))


def _holds_key(message: bytes) -> bool:
    if len(message) < KEY_BLOB + BLOCK or message[4:8] != b"KSSM":
        return False
    return struct.unpack_from("<I", message, KEY_SIZE_AT)[0] in {16, 24, 32}


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the blocks."""
    numbers, size = mark.numbers, mark.plain_size or 0
    chain = AesCbc(key.parts["blob"], key.parts["blob iv"])
    if numbers["large"]:
        if numbers["blocks"] < 2:
            raise BadMarkError(say("a large file has its first and its last block locked"))
        return Plan(size, _large(locked, mark, key, chain))
    sealed = min(numbers["sealed"], numbers["blocks"] * numbers["block"])
    if sealed % BLOCK:
        raise BadMarkError(say("the locked part is no whole number of AES blocks"))
    return Plan(size, _small(numbers["sealed"], sealed, chain))


def _small(end: int, sealed: int, chain: Decryptor) -> Iterator[Piece]:
    yield Unlock(0, sealed, chain)
    if sealed < end:
        yield Keep(sealed, end - sealed)


def _large(locked: Reader, mark: Mark, key: FileKey, chain: Decryptor) -> Iterator[Piece]:
    block, padding = mark.numbers["block"], mark.numbers["padding"]
    end = mark.numbers["sealed"] - padding  # of the last block
    yield Unlock(0, block, chain)
    if "second" in mark.fields and mark.numbers["cipher"] in {CBC, GCM}:
        yield from _between(locked, mark.numbers, end - block, _second(mark.numbers["cipher"], key))
    else:
        yield Keep(block, end - 2 * block)
    first = locked.read_at(end, padding) + locked.read_at(end - block + padding, BLOCK - padding)
    yield Insert(decrypted(chain, first.ljust(BLOCK, b"\0")))
    yield Unlock(end - block + BLOCK, block - 2 * BLOCK, chain)  # without the padding that ends it


def _second(cipher: int, key: FileKey) -> Decryptor:
    if cipher == GCM:
        return AesGcm(key.parts["second"], key.parts["second iv"][:12])
    return AesCbc(key.parts["second"], key.parts["second iv"])


def _between(locked: Reader, numbers: dict[str, int], end: int, cipher: Decryptor) -> Iterator[Piece]:
    """Yield the pieces between the first block and the last, which begins at ``end``."""
    block, step, budget = numbers["block"], max(numbers["step"], 1), numbers["blocks"] - 2
    position = block
    whole, rest = divmod(end - position, block)
    for _ in range(min(whole // step, budget)):
        if step > 1:
            yield Keep(position, (step - 1) * block)
        yield Unlock(position + (step - 1) * block, block, cipher)
        position += step * block
    budget -= whole // step
    kept = end - rest if rest and budget > 0 else end
    if kept > position:
        yield Keep(position, kept - position)
    if kept < end:
        yield Unlock(kept, rest - rest % BLOCK, cipher)
        yield Insert(decrypted(cipher, locked.read_at(end - rest % BLOCK, BLOCK))[: rest % BLOCK])


# xxHash32 (Y. Collet) of exactly one stripe.
PRIMES = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1)
MASK = 0xFFFFFFFF


def _marker_hash(marker: bytes) -> int:
    """Return the xxHash32 of the marker; the seed is the sum of its bytes and their places."""
    one, two, three, _, _ = PRIMES
    seed = sum(marker) + sum(range(len(marker)))
    value = len(marker)
    lanes = (seed + one + two, seed + two, seed, seed - one)
    for lane, word, turn in zip(lanes, struct.unpack("<4I", marker), (1, 7, 12, 18), strict=True):
        value += _rotated(_rotated(lane + word * two, 13) * one, turn)
    value &= MASK
    value = (value ^ value >> 15) * two & MASK
    value = (value ^ value >> 13) * three & MASK
    return value ^ value >> 16


def _rotated(value: int, count: int) -> int:
    value &= MASK
    return (value << count | value >> (32 - count)) & MASK


FAMILY = Family(
    name="play",
    title="Play",
    extensions=(r"\.(?i:play)",),
    notes=(r"(?i)readme\.txt",),
    read=read,
    takes=(KeyKind.RSA,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the RSA-8192 private key of the campaign"),
    references=("https://github.com/rivitna/Malware/tree/main/Play",),
    limitations=("Large files are held to vectors only: no real one was at hand.",),
)
