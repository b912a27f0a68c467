"""Phobos and 8Base: AES-256-CBC with one key per run.

Small files are locked whole. Of large ones three pieces of 256 KiB are moved into an encrypted block
at the end and zeroed where they stood. The end of every locked file:

    end block (AES-CBC, the key and IV of the file)
        +0x04 u32 mode (1 pieces, 2 whole)   +0x08 u32 magic of the mode   +0x0C u32 number of pieces
        +0x10 u32 bytes of a piece           +0x14 u32 CRC-32 of the pieces   +0x18 u32 offset of the name
        +0x20 u64 offset of each piece, then the pieces; the name is UTF-16 and ends with a zero
    178 bytes: 20 zeros, IV 16, u32 padding, RSA-1024 blob 128, u32 bytes of all of this, attacker's id 6
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from unransom.catalog.schemes.family import (
    BadMarkError,
    Family,
    FileKey,
    Insert,
    Keep,
    Mark,
    Piece,
    Plan,
    Unlock,
)
from unransom.catalog.schemes.layout import Field, Magic, Number, Tail
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.paths import base_name
from unransom.core.streams import Reader
from unransom.crypto import rsa
from unransom.crypto.ciphers.aes import BLOCK, AesCbc
from unransom.crypto.ciphers.at_once import decrypted

TAIL = Tail(
    (
        Magic(bytes(20).hex()),
        Field("iv", 16),
        Number("padding", 4),
        Field("blob", 128),
        Number("footer", 4),
        Field("attacker", 6),
    ),
    wrapped="blob",
    campaign="attacker",
)
PIECES, WHOLE = 1, 2
MAGIC = {PIECES: 0xAF77BC0F, WHOLE: 0xF0A75E12}
MAX_END_BLOCK = 64 << 20  # bytes; three pieces of 256 KiB and a name have under one million
KEY_SIZE = 32


def read(locked: Reader) -> Mark | None:
    """Return the mark; the lengths in it must agree with each other and with the file."""
    mark = TAIL(locked)
    if mark is None:
        return None
    block = mark.numbers["footer"] - TAIL.size
    whole = locked.size - mark.numbers["footer"]
    if not 0x20 <= block <= MAX_END_BLOCK or block % BLOCK or mark.numbers["padding"] > BLOCK or whole < 0:
        return None
    return Mark(
        bits=mark.bits + 40,  # the two numbers
        fields={**mark.fields, "block": locked.read_at(whole, block)},
        numbers={**mark.numbers, "whole": whole},
        wrapped=mark.wrapped,
        campaign=mark.campaign,
    )


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open the RSA blob, or take the key as the run's AES key; the end block's magic is the proof."""
    if key.kind is KeyKind.RSA:
        message = rsa.decrypt_pkcs1(key.data, mark.fields["blob"])
        if message is None or message[KEY_SIZE : KEY_SIZE + 6] != mark.fields["attacker"]:
            return None
        aes_key = message[:KEY_SIZE]
    else:
        aes_key = key.data
    if len(aes_key) != KEY_SIZE:
        return None
    block = decrypted(AesCbc(aes_key, mark.fields["iv"]), mark.fields["block"])
    mode, magic = struct.unpack_from("<II", block, 4)
    (name,) = struct.unpack_from("<I", block, 0x18)
    if mode not in MAGIC or MAGIC[mode] != magic or name >= len(block):
        return None
    return FileKey(
        {"key": aes_key, "block": block}, 72, say("mode, magic and offset of the name in the end block")
    )


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Put the pieces back, or decrypt the whole file."""
    block = key.parts["block"]
    name = _name(block)
    if struct.unpack_from("<I", block, 4)[0] == PIECES:
        moved = _moved(block, mark.numbers["whole"])
        return Plan(
            mark.numbers["whole"],
            _put_back(moved, mark.numbers["whole"]),
            name,
            lambda: (32, say("CRC-32 of the moved pieces")),
        )
    size = mark.numbers["whole"] - mark.numbers["padding"]
    if mark.numbers["whole"] % BLOCK or size < 0:
        raise BadMarkError(say("the locked part is no whole number of AES blocks"))
    return Plan(
        size, iter([Unlock(0, mark.numbers["whole"], AesCbc(key.parts["key"], mark.fields["iv"]))]), name
    )


class _Moved(NamedTuple):
    offset: int
    data: bytes


def _moved(block: bytes, size: int) -> list[_Moved]:
    """Return the pieces in the end block, sorted by where they belong."""
    count, length, checksum = struct.unpack_from("<III", block, 0x0C)
    start = 0x20 + 8 * count
    data = block[start : start + count * length]
    if count > 64 or len(data) != count * length or zlib.crc32(data) != checksum:
        raise BadMarkError(say("the CRC-32 of the moved pieces does not hold"))
    offsets = struct.unpack_from(f"<{count}Q", block, 0x20)
    moved = sorted(
        _Moved(offset, data[index * length : (index + 1) * length]) for index, offset in enumerate(offsets)
    )
    ends = [piece.offset + length for piece in moved]
    if any(end > after.offset for end, after in zip(ends, moved[1:], strict=False)) or (
        ends and ends[-1] > size
    ):
        raise BadMarkError(say("the moved pieces overlap or lie outside of the file"))
    return moved


def _put_back(moved: list[_Moved], size: int) -> Iterator[Piece]:
    position = 0
    for piece in moved:
        if piece.offset > position:
            yield Keep(position, piece.offset - position)
        yield Insert(piece.data)
        position = piece.offset + len(piece.data)
    if position < size:
        yield Keep(position, size - position)


def _name(block: bytes) -> bytes | None:
    """Return the original name in UTF-8, None where there is none to be read."""
    (offset,) = struct.unpack_from("<I", block, 0x18)
    units = [block[at : at + 2] for at in range(offset, min(offset + 2048, len(block) - 1), 2)]
    if offset < 0x20 or b"\x00\x00" not in units:
        return None
    text = b"".join(units[: units.index(b"\x00\x00")]).decode("utf-16-le", "replace")
    return base_name(text.encode()) or None


FAMILY = Family(
    name="phobos",
    title="Phobos",
    aliases=("8base", "eking", "faust", "devos", "elbie"),
    extensions=(r"\.id\[[0-9A-Fa-f]{8}-\d{4}\]\.\[[^\]]+\]\.[A-Za-z0-9]{2,12}",),
    notes=(r"(?i)info\.(txt|hta)",),
    read=read,
    takes=(KeyKind.RSA, KeyKind.RAW),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the AES-256 key of the run, 32 bytes, or the RSA-1024 private key of the attacker"),
    references=(
        "https://github.com/rivitna/Malware/tree/main/Phobos",
        "https://blog.malwarebytes.com/threat-analysis/2019/07/a-deep-dive-into-phobos-ransomware/",
    ),
)
