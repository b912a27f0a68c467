"""BlackCat's last generation, Sphynx (ALPHV 3): AES-128-CTR by a map of areas, RSA-2048.

Tail: RSA-2048 block with the AES key (PKCS #1 v1.5), then n blocks of 512 bytes, which begin with the u16
big-endian length of the encrypted metadata and the metadata, then u16 n, then a marker of 32 bytes.

The marker comes out of a generator that is seeded with the *sum* of the bytes of the public key, so that
few markers exist and each is recognised without the key. Counters of AES-CTR are little-endian numbers of
16-byte blocks of the locked file: where a byte lies is where it is in the keystream, metadata included.

Metadata: u16 at 4 CRC-16 of what follows; at 18 the map: u32 block, u64 each: end of the locked part,
first area, later areas, gap, size, size; at 70 a number of 12 bytes or, where it is not 0, 16; then u8 1,
u64 length and UTF-8 path of the original, or u8 0.
"""

from __future__ import annotations

import functools
import struct

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.extents import Repeat
from unransom.catalog.schemes.family import Family, FileKey, Mark, Plan
from unransom.catalog.schemes.layout import Field, Number, Tail
from unransom.catalog.schemes.plans import EachSpan
from unransom.catalog.schemes.wraps import Rsa
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.paths import base_name
from unransom.core.streams import Reader
from unransom.crypto import rsa
from unransom.crypto.ciphers.at_once import decrypted

RSA_SIZE = 256
USUAL_EXPONENT = 65537
TAIL = Tail((Number("blocks", 2), Field("marker", 32)))
BLOCK = 512
MOST_BLOCKS = 256  # 128 KiB: the longest path there is, in UTF-8
MAP_AT = 18
MAP = struct.Struct("<LQQQQQQ")
UNWRAP = Rsa("blob", {"key": (0, 16)}, length=16)
CIPHER = Cipher("aes-ctr", fixed_iv=bytes(16).hex(), order="little")

# A public key of 2048 bits with the usual exponent, as it is seeded from: all but its modulus is known.
SEEDED = b"ENCODER" + bytes.fromhex(
    "30820122300d06092a864886f70d01010105000382010f003082010a0282010100 0203010001"
)
MODULUS_SUMS = range(23_000, 42_500)  # of its 256 bytes: eight deviations around the mean
BEGINNING = 6  # bytes of a marker that tell it from all others
STEP_32, ADD_32 = 0x5851F42D4C957F2D, 0xA17654E46FBE17F3
STEP_128 = 0x2360ED051FC65DA44385DF649FCCF645
MASK_32, MASK_64, MASK_128 = (1 << 32) - 1, (1 << 64) - 1, (1 << 128) - 1


def read(locked: Reader) -> Mark | None:
    """Return the mark; the marker must be one that exists."""
    mark = TAIL(locked)
    if mark is None or not 1 <= mark.numbers["blocks"] <= MOST_BLOCKS:
        return None
    room = mark.numbers["blocks"] * BLOCK
    start = locked.size - TAIL.size - room - RSA_SIZE
    if start < 0:
        return None
    head = locked.read_at(start, RSA_SIZE + 2)
    length = int.from_bytes(head[RSA_SIZE:], "big")
    if len(head) != RSA_SIZE + 2 or length + 2 > room or not _exists(mark.fields["marker"]):
        return None
    sealed = locked.read_at(start + RSA_SIZE + 2, length)
    return Mark(
        bits=240,
        fields={**mark.fields, "blob": head[:RSA_SIZE], "sealed": sealed},
        numbers={**mark.numbers, "start": start},
        wrapped=head[:RSA_SIZE],
        campaign=mark.fields["marker"].hex(),
    )


def _exists(found: bytes) -> bool:
    """Return whether ``found`` is the marker of a public key of 2048 bits."""
    total = _beginnings().get(found[:BEGINNING])
    return total is not None and marker(total) == found


@functools.cache
def _beginnings() -> dict[bytes, int]:
    """Return the total for the first bytes of every marker; no two begin with the same ones."""
    known = sum(byte or 1 for byte in SEEDED)
    return {marker(known + modulus, BEGINNING): known + modulus for modulus in MODULUS_SUMS}


def marker(total: int, length: int = TAIL.parts[1].size) -> bytes:
    """Return the marker for a ``total`` of the bytes that it is seeded from, zeros counted as ones.

    Args:
        total: That sum.
        length: How many of its first bytes are wanted: each costs a step of the generator.
    """
    small, seed = 1 + total, b""
    for _ in range(8):  # PCG XSH RR 64/32
        small = (small * STEP_32 + ADD_32) & MASK_64
        word, turn = (small >> 45 ^ small >> 27) & MASK_32, small >> 59
        seed += ((word >> turn | word << (32 - turn)) & MASK_32).to_bytes(4, "little")
    add = int.from_bytes(seed[16:], "little") | 1
    state = ((int.from_bytes(seed[:16], "little") + add) * STEP_128 + add) & MASK_128
    out = bytearray()
    for _ in range(length):  # PCG XSL RR 128/64, of which the lowest byte is taken
        state = (state * STEP_128 + add) & MASK_128
        word, turn = state >> 64 ^ state & MASK_64, state >> 122
        out.append((word >> turn | word << (64 - turn)) & 0xFF)
    return bytes(out)


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open the AES key, and with it the metadata, whose checksum must hold."""
    if key.kind is not KeyKind.RSA or marker(_total(key.data)) != mark.fields["marker"]:
        return None
    opened = UNWRAP(mark, key)
    if opened is None:
        return None
    metadata = _opened(opened, mark.numbers["start"] + RSA_SIZE, mark.fields["sealed"])
    if len(metadata) < MAP_AT + MAP.size or crc16(metadata[6:]) != metadata[4:6]:
        return None
    _, end, first, area, gap, size, _ = MAP.unpack_from(metadata, MAP_AT)
    if size > mark.numbers["start"]:
        return None
    numbers = {"end": end, "first": first, "area": area or first or 1, "gap": gap, "size": size}
    parts = {name: number.to_bytes(8, "little") for name, number in numbers.items()}
    why = say("marker of the public key, RSA padding, checksum and size in the metadata")
    return FileKey({**opened.parts, **parts, "name": _name(metadata)}, 72, why)


@functools.lru_cache(maxsize=256)
def _total(der: bytes) -> int:
    """Return the sum that the marker of a private key's public key is seeded with."""
    public = rsa.numbers(der).public_numbers
    known = RSAPublicNumbers(public.e or USUAL_EXPONENT, public.n).public_key()
    encoded = known.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return sum(byte or 1 for byte in b"ENCODER" + encoded)


def _opened(key: FileKey, at: int, sealed: bytes) -> bytes:
    """Return the metadata; its keystream is the one of the place of its length."""
    return decrypted(CIPHER.start(key, at), sealed)


def crc16(data: bytes) -> bytes:
    """Return CRC-16/ARC of ``data``, two bytes little-endian."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value.to_bytes(2, "little")


def _name(metadata: bytes) -> bytes:
    """Return the original name, empty where there is none to be read."""
    at = MAP_AT + MAP.size
    at += 16 if metadata[at : at + 1].strip(b"\0") else 12
    if metadata[at : at + 1] in {b"", b"\0"} or len(metadata) < at + 9:
        return b""
    (length,) = struct.unpack_from("<Q", metadata, at + 1)
    path = metadata[at + 9 :][:length]
    return base_name(path.decode("utf-8", "replace").encode())


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the areas, each with the keystream of its place."""
    made = EachSpan(CIPHER, Repeat("area", "gap", "first", stop="end"), start="position", size="size")
    return msgspec.structs.replace(made(locked, mark, key), name=key.parts["name"] or None)


FAMILY = Family(
    name="blackcat",
    title="BlackCat (Sphynx)",
    aliases=("alphv", "noberus"),
    notes=(r"(?i)recover-[a-z0-9]{6,8}-(files|notes)\.txt",),
    read=read,
    takes=(KeyKind.RSA,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the RSA-2048 private key of the access, as DER or PEM"),
    references=("https://github.com/rivitna/Malware/tree/main/BlackCat/ALPHV3",),
    limitations=(
        "Earlier generations, with JSON metadata and ChaCha20 or AES, are not covered.",
        "The marker is recognised for public keys of 2048 bits with the exponent 65537.",
    ),
)
