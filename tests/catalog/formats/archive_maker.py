"""Make small archives for tests, of formats that Python cannot write."""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
import zlib

import numpy as np

# 40 lines "order {i}: {i * i % 97}", compressed by zstd 1.5.4 at level 19 with a checksum.
ZSTD = bytes.fromhex(
    "28b52ffd64f700950400c28c1b11d0a531c0070fe2a4bdb7dc72cb393cae11c09d9f336e88bc90e147e7e418b72a1f46"
    "bc8c712ae5c120e7c7b80988173b7ec39cd07133f371c76b10a7220f2a287ec670438e973a3f1a4ecaad8a8f625e564e"
    "c30322e3c7cecd312f37fc483939723b3ecc8b9c80c0038b41288827a810a6f03503b0191b1014ea03782333261d4e42"
    "24115ae5f09f105f80814c01e117997e"
)


def text(seed: int, size: int) -> bytes:
    """Return ``size`` bytes of lines with numbers."""
    lines = [b"%d;%d\n" % (number, number * seed % 99991) for number in range(size // 6)]
    return b"".join(lines)[:size]


def make_tar(members: int = 6, size: int = 3000, form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return a tar archive of text files, one with a long name."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=form) as archive:
        for number in range(members):
            info = tarfile.TarInfo("folder/" * (30 * (number == 1)) + f"file{number}.txt")
            info.size = size + number
            archive.addfile(info, io.BytesIO(text(number + 3, size + number)))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "file0.txt"
        archive.addfile(link)
    return target.getvalue()


def make_ar(members: dict[bytes, bytes]) -> bytes:
    """Return an ar archive."""
    out = b"!<arch>\n"
    for name, data in members.items():
        out += b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (name, 1700000000, 0, 0, 0o100644, len(data))
        out += data + b"\n" * (len(data) % 2)
    return out


def make_deb(size: int = 20000) -> bytes:
    """Return what looks like a Debian package."""
    members = {b"debian-binary": b"2.0\n", b"control.tar.xz": lzma.compress(text(3, 900))}
    return make_ar({**members, b"data.tar.xz": lzma.compress(text(5, size))})


def zstd_frame(blocks: list[bytes], *, check: bool = False) -> bytes:
    """Return a frame of raw blocks; its checksum, if any, is not right."""
    out = b"\x28\xb5\x2f\xfd" + bytes([4 if check else 0, 0x58])
    for index, block in enumerate(blocks):
        last = index + 1 == len(blocks)
        out += (len(block) << 3 | last).to_bytes(3, "little") + block
    return out + b"1234" * check


def _seven_number(value: int) -> bytes:
    return b"\xff" + value.to_bytes(8, "little")


def make_7z(files: list[bytes], *, method: str = "lzma2", pack_header: bool = True) -> bytes:
    """Return a 7z archive with all files in one folder. ``method`` is lzma, lzma2 or copy."""
    content = b"".join(files)
    coder, packed = _seven_coder(method, content)
    streams = _seven_streams(0, [len(packed)], coder, len(content), None)
    substreams = b"\x08\x0d" + _seven_number(len(files))
    substreams += b"\x09" + b"".join(_seven_number(len(file)) for file in files[:-1])
    substreams += b"\x0a\x01" + b"".join(struct.pack("<I", zlib.crc32(file)) for file in files) + b"\0"
    header = b"\x01\x04" + streams + substreams + b"\0" + b"\x05" + _seven_number(len(files)) + b"\0\0"
    if pack_header:
        coder, small = _seven_coder("lzma", header)
        outer = (
            b"\x17"
            + _seven_streams(len(packed), [len(small)], coder, len(header), zlib.crc32(header))
            + b"\0"
        )
        packed, header = packed + small, outer
    place = struct.pack("<QQI", len(packed), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(place)) + place + packed + header


def _seven_coder(method: str, content: bytes) -> tuple[bytes, bytes]:
    """Return the coder's description and the packed content."""
    if method == "copy":
        return b"\x01\x00", content
    if method == "lzma2":
        filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}]
        return b"\x21\x21\x01\x08", lzma.compress(content, lzma.FORMAT_RAW, filters=filters)
    # The legacy format ends with a mark, which 7-Zip does not write; a reader must stop at the size.
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 16}]
    properties = b"\x5d" + struct.pack("<I", 1 << 16)
    return b"\x23\x03\x01\x01\x05" + properties, lzma.compress(content, lzma.FORMAT_RAW, filters=filters)


def _seven_streams(position: int, sizes: list[int], coder: bytes, size: int, crc: int | None) -> bytes:
    out = b"\x06" + _seven_number(position) + _seven_number(len(sizes)) + b"\x09"
    out += b"".join(_seven_number(each) for each in sizes) + b"\0"
    out += b"\x07\x0b\x01\x00\x01" + coder + b"\x0c" + _seven_number(size)
    return out + (b"" if crc is None else b"\x0a\x01" + struct.pack("<I", crc)) + b"\0"


def make_rar4(files: list[bytes]) -> bytes:
    """Return a version-4 archive of stored files."""

    def block(kind: int, flags: int, fields: bytes) -> bytes:
        header = struct.pack("<BHH", kind, flags, 7 + len(fields)) + fields
        return struct.pack("<H", zlib.crc32(header) & 0xFFFF) + header

    out = b"Rar!\x1a\x07\x00" + block(0x73, 0, bytes(6))
    for number, data in enumerate(files):
        name = b"file%d.txt" % number
        size = len(data)
        fields = struct.pack("<IIBIIBBHI", size, size, 3, zlib.crc32(data), 0, 29, 0x30, len(name), 32)
        out += block(0x74, 0x8000, fields + name) + data
    return out + block(0x7B, 0x4000, b"")


def _rar_number(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def make_rar5(files: list[bytes], method: int = 0) -> bytes:
    """Return a version-5 archive of stored files, or of files that claim another ``method``."""

    def block(fields: bytes) -> bytes:
        header = _rar_number(len(fields)) + fields
        return struct.pack("<I", zlib.crc32(header)) + header

    out = b"Rar!\x1a\x07\x01\x00" + block(b"\1\0\0")
    for number, data in enumerate(files):
        name = b"file%d.txt" % number
        fields = b"\2\2" + _rar_number(len(data)) + b"\4" + _rar_number(len(data)) + b"\x20"
        fields += struct.pack("<I", zlib.crc32(data)) + _rar_number(method << 7) + b"\1"
        out += block(fields + _rar_number(len(name)) + name) + data
    return out + block(b"\5\0\0")


def make_cab(files: list[bytes], *, packed: bool = True, summed: bool = True) -> bytes:
    """Return a cabinet of one folder, of MSZIP or stored blocks, with or without checksums."""
    content = b"".join(files)
    blocks, before = b"", b""
    pieces = [content[start : start + 32768] for start in range(0, len(content), 32768)]
    for piece in pieces:
        data = piece
        if packed:
            deflate = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=before)
            data = b"CK" + deflate.compress(piece) + deflate.flush()
            before = piece
        sizes = struct.pack("<HH", len(data), len(piece))
        blocks += struct.pack("<I", _cab_sum(data + b"", sizes) if summed else 0) + sizes + data
    names, offset = b"", 0
    for number, file in enumerate(files):
        names += struct.pack("<IIHHHH", len(file), offset, 0, 0x5000, 0, 32) + b"file%d.txt\0" % number
        offset += len(file)
    start = 36 + 8 + len(names)
    head = (b"MSCF", 0, start + len(blocks), 0, 44, 0, 3, 1, 1, len(files), 0, 1, 0)
    folder = struct.pack("<IHH", start, len(pieces), 1 if packed else 0)
    return struct.pack("<4sIIIIIBBHHHHH", *head) + folder + names + blocks


def _cab_sum(data: bytes, sizes: bytes) -> int:
    value = int.from_bytes(sizes, "little")
    whole = len(data) // 4 * 4
    for (word,) in struct.iter_unpack("<I", data[:whole]):
        value ^= word
    for place, byte in enumerate(reversed(data[whole:])):
        value ^= byte << 8 * place
    return value


def noise(size: int, seed: int = 1) -> bytes:
    """Return random bytes."""
    return np.random.default_rng(seed).integers(0, 256, size, np.uint8).tobytes()
