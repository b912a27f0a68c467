"""LockBit 3.0 (Black) and its leaked builder: Salsa20 whose state is 64 random bytes, raw RSA-1024.

Tail: [packed name L][u16 L][u64 skip][u32 first][u32 next][64-byte state of the file]  encrypted
      [u16 L + 82][u32 checksum][RSA-1024 blob, little-endian]                            in clear

The blob opens to 128 bytes: the first 64 are the Salsa20 state that the encrypted part is under; the
last four choose, by a step of the generator 0x8088405, the place where the first four bytes of the RSA
modulus are repeated. The checksum also starts from these four bytes. Locked are ``first + 1`` blocks of
128 KiB, then after ``skip`` bytes ``next + 1`` blocks again and again; the stream goes on over all.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from unransom.catalog.schemes.extents import pieces
from unransom.catalog.schemes.family import BadMarkError, Family, FileKey, Mark, Plan
from unransom.catalog.schemes.layout import Field, Number, Tail
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.paths import base_name
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.crypto import rsa
from unransom.crypto.aplib import AplibError, decompress
from unransom.crypto.ciphers.at_once import decrypted

TAIL = Tail((Number("variable", 2), Number("checksum", 4), Field("blob", 128)), wrapped="blob")
STATE = 64  # bytes of a Salsa20 state
FIXED = 2 + 8 + 4 + 4 + STATE  # bytes of the encrypted part besides the name
MAX_NAME = 520  # bytes of 260 UTF-16 units
MAX_PACKED = 600  # bytes; a name that does not shrink grows by an eighth
BLOCK = 128 * 1024
ADLER = 0x1000F  # modulus of the checksum
SKIP_BITS, BLOCKS_BITS = 40, 16  # that numbers in the metadata have at most; larger files nobody has


def read(locked: Reader) -> Mark | None:
    """Return the mark. Without a key only the length of the encrypted part can be checked."""
    mark = TAIL(locked)
    if mark is None or not FIXED < mark.numbers["variable"] <= FIXED + MAX_PACKED:
        return None
    size = locked.size - TAIL.size - mark.numbers["variable"]
    if size < 0:
        return None
    sealed = locked.read_at(size, mark.numbers["variable"])
    return Mark(
        bits=6,
        fields={**mark.fields, "sealed": sealed},
        numbers=mark.numbers,
        plain_size=size,
        wrapped=mark.wrapped,
    )


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open the blob. Both the repeated dword and the checksum must show the key's own modulus.

    Files with the same blob share the keystream that their metadata is under: 128 bytes of a blob and the
    keystream behind them, as much of it as is known, are a key too.
    """
    if key.kind is KeyKind.RAW:
        return _from_stream(mark, key.data)
    if key.kind is not KeyKind.RSA or rsa.size(key.data) != len(mark.fields["blob"]):
        return None
    modulus = rsa.numbers(key.data).public_numbers.n & 0xFFFFFFFF
    opened = rsa.decrypt_raw(key.data, mark.fields["blob"], "little")
    if opened is None or checksum(mark.fields["blob"], modulus) != mark.numbers["checksum"]:
        return None
    (choice,) = struct.unpack_from("<I", opened, 124)
    place = (choice * 0x8088405 + 1 & 0xFFFFFFFF) * 0x78 >> 32
    if struct.unpack_from("<I", opened, place)[0] != modulus:
        return None
    metadata = _salsa(opened[:STATE], mark.fields["sealed"])
    (packed,) = struct.unpack_from("<H", metadata, len(metadata) - FIXED)
    if packed != len(metadata) - FIXED:
        return None
    return FileKey(
        {"metadata": metadata}, 80, say("checksum, repeated modulus and length of the packed name")
    )


def _from_stream(mark: Mark, data: bytes) -> FileKey | None:
    """Return the metadata where ``data`` has the file's blob and enough keystream for it."""
    blob, sealed = mark.fields["blob"], mark.fields["sealed"]
    stream = data[len(blob) :]
    if not data.startswith(blob) or len(stream) < len(sealed):
        return None
    metadata = bytes(one ^ other for one, other in zip(sealed, stream, strict=False))
    packed, skip, first, later = struct.unpack_from("<HQII", metadata, len(metadata) - FIXED)
    if packed != len(metadata) - FIXED or skip >> SKIP_BITS or max(first, later) >> BLOCKS_BITS:
        return None
    bits = 16 + 64 - SKIP_BITS + 2 * (32 - BLOCKS_BITS)
    return FileKey({"metadata": metadata}, bits, say("length of the packed name and numbers of blocks"))


def checksum(blob: bytes, modulus: int) -> int:
    """Return LockBit's checksum of ``blob``: three rounds like Adler-32, each started from the last."""
    value = 0x0D6917A
    for _ in range(3):
        low, high = value & 0xFFFF, value >> 16
        for byte in blob:
            low += byte
            high += low
        value = ((low % ADLER + (high % ADLER << 16)) & 0xFFFFFFFF) ^ modulus
        value = int.from_bytes(value.to_bytes(4, "little"), "big")
    return value


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the blocks and take off the tail."""
    from unransom.crypto.ciphers.salsa import Salsa  # noqa: PLC0415 numba takes half a second to import

    metadata = key.parts["metadata"]
    skip, first, later = struct.unpack_from("<QII", metadata, len(metadata) - FIXED + 2)
    size = locked.size - TAIL.size - mark.numbers["variable"]
    if skip and skip < BLOCK:
        raise BadMarkError(say("the distance of the locked areas is smaller than a block"))
    spans = _spans(size, skip, first + 1, later + 1)
    return Plan(size, pieces(size, spans, Salsa(metadata[-STATE:])), _name(metadata[: len(metadata) - FIXED]))


def _spans(size: int, skip: int, first: int, later: int) -> Iterator[Span]:
    """Yield the locked areas; ``skip`` counts from the start of the last block of the area before."""
    start, blocks = 0, first
    while start < size:
        yield Span(start, min(start + blocks * BLOCK, size))
        if not skip:
            return
        start += (blocks - 1) * BLOCK + skip
        blocks = later


def _name(packed: bytes) -> bytes | None:
    try:
        text = decompress(packed, MAX_NAME + 2).decode("utf-16-le", "replace").partition("\0")[0]
    except AplibError:
        return None
    return base_name(text.encode()) or None


def _salsa(state: bytes, data: bytes) -> bytes:
    from unransom.crypto.ciphers.salsa import Salsa  # noqa: PLC0415 numba takes half a second to import

    return decrypted(Salsa(state), data)


FAMILY = Family(
    name="lockbit3",
    title="LockBit 3.0",
    aliases=("lockbit-black", "blackmatter-2"),
    # Nine letters drawn from the first five are Avaddon's: of these, chance makes one in ten million.
    extensions=(r"\.(?![A-Ea-e]{9})(?=[^.]*[A-Z])(?=[^.]*[a-z0-9])[A-Za-z0-9]{9}",),
    notes=(r"[A-Za-z0-9]{9}\.(?i:readme\.txt)",),
    read=read,
    takes=(KeyKind.RSA, KeyKind.RAW),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the RSA-1024 private key of the build"),
    references=(
        "https://github.com/rivitna/Malware/tree/main/LockBit3",
        "https://blog.calif.io/p/dissecting-lockbit-v3-ransomware",
    ),
    limitations=("Without the key the tail has too few fixed bytes to name the family by it alone.",),
)
