"""Small healthy programs, logs, hives and fonts, made here from the public descriptions of their layouts."""

from __future__ import annotations

import random
import struct
import zlib


def code(size: int) -> bytes:
    """Return bytes that are spread like machine code: a few values are frequent."""
    source = random.Random(3)
    common = bytes.fromhex("488b45f8c300008b0fe89055e5ff4889")
    return bytes(
        source.choice(common) if source.random() < 0.7 else source.randrange(256) for _ in range(size)
    )


CODE = code(24_000)


def elf() -> bytes:
    names = b"\0" + b"".join(b"function_%d\0" % number for number in range(1000))
    rows = (struct.pack("<IBBHQQ", 1 + number, 0x12, 0, 1, 64 * number, 64) for number in range(900))
    symbols = bytes(24) + b"".join(rows)
    debug = zlib.compress(b"".join(b"line %d\n" % (number * 7919) for number in range(3000)))
    packed = struct.pack("<IIQQ", 1, 0, 99, 1) + debug
    titles = b"\0.text\0.symtab\0.strtab\0.debug_line\0.shstrtab\0.rodata\0"
    bodies = [(1, 1, 6, CODE, 0), (47, 1, 2, b"constant text " * 800, 0), (7, 2, 0, symbols, 4)]
    bodies += [(15, 3, 0, names, 0), (23, 1, 0x800, packed, 0), (35, 3, 0, titles, 0)]
    offset, table, data = 64, bytes(64), b""
    for title, kind, flags, body, link in bodies:
        entry = 24 if kind == 2 else 0
        table += struct.pack("<IIQQQQIIQQ", title, kind, flags, 0, offset, len(body), link, 0, 1, entry)
        data += body + bytes(-len(body) % 8)
        offset += len(body) + -len(body) % 8
    fields = struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 0, offset, 0, 64, 56, 0, 64, 7, 6)
    return b"\x7fELF\2\1\1" + bytes(9) + fields + data + table


def relocations() -> bytes:
    blocks = (struct.pack("<II", 4096 * page, 8 + 2 * 200) + bytes(400) for page in range(1, 20))
    return b"".join(blocks).ljust(8192, b"\0")


def pe(*, checksum: bool = False) -> bytes:
    unwind = b"".join(struct.pack("<III", 4096 + 16 * row, 4104 + 16 * row, 70_000) for row in range(600))
    bodies = [(b".text", CODE, 0x60000020), (b".rdata", b"constant text " * 900, 0x40000040)]
    bodies += [(b".pdata", unwind, 0x40000040), (b".reloc", relocations(), 0x42000040)]
    head = bytearray(b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0".ljust(60, b"\0") + struct.pack("<I", 128))
    head += b"This program cannot be run in DOS mode.\r\n".ljust(64, b"\0")
    directories = [(0, 0)] * 16
    directories[3], directories[5] = (3 << 16, len(unwind)), (4 << 16, len(relocations()))
    head += b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, len(bodies), 0, 0, 0, 240, 0x22)
    head += struct.pack("<H", 0x20B).ljust(60, b"\0") + struct.pack("<III", 1024, 0, 0)
    head = head.ljust(128 + 24 + 108, b"\0") + struct.pack("<I", 16)
    head += b"".join(struct.pack("<II", *row) for row in directories)
    offset, data = 1024, b""
    for index, (name, body, flags) in enumerate(bodies):
        size = -(-len(body) // 512) * 512
        head += struct.pack("<8sIIII12xI", name, len(body), (index + 1) << 16, size, offset, flags)
        data += body.ljust(size, b"\0")
        offset += size
    out = head.ljust(1024, b"\0") + data
    if checksum:
        total = sum(struct.unpack(f"<{len(out) // 2}H", out))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        struct.pack_into("<I", out, 128 + 24 + 64, total + len(out))
    return bytes(out)


def evtx_chunk(first: int) -> bytes:
    rows = (struct.pack("<IQQ", 300, first + number, 133_000_000_000 + number) for number in range(200))
    body = b"".join(b"**\0\0" + row + b"<Event/>".ljust(272, b".") + struct.pack("<I", 300) for row in rows)
    head = bytearray(b"ElfChnk\0".ljust(512, b"\0"))
    struct.pack_into("<IIII", head, 40, 128, 512 + len(body) - 300, 512 + len(body), zlib.crc32(body))
    struct.pack_into("<I", head, 124, zlib.crc32(head[128:], zlib.crc32(head[:120])))
    return bytes(head + body).ljust(65536, b"\0")


def evtx(chunks: int = 2, *, flags: int = 0) -> bytes:
    head = bytearray(b"ElfFile\0".ljust(4096, b"\0"))
    struct.pack_into("<IHHHH", head, 32, 128, 1, 3, 4096, chunks)
    struct.pack_into("<II", head, 120, flags, zlib.crc32(head[:120]))
    return bytes(head) + b"".join(evtx_chunk(1 + 200 * number) for number in range(chunks))


def registry(bins: int = 6) -> bytes:
    data = b""
    for _ in range(bins):
        cells = b"".join(
            struct.pack("<i", -48) + b"vk" + b"value of a key".ljust(42, b"\0") for _ in range(80)
        )
        cells += struct.pack("<i", 4096 - 32 - len(cells)).ljust(4096 - 32 - len(cells), b"\0")
        data += (b"hbin" + struct.pack("<II", len(data), 4096)).ljust(32, b"\0") + cells
    head = bytearray(
        struct.pack("<4sIIQIIIIIII", b"regf", 7, 7, 1, 1, 5, 0, 1, 32, len(data), 1).ljust(4096, b"\0")
    )
    total = 0
    for word in struct.unpack_from("<127I", head):
        total ^= word
    struct.pack_into("<I", head, 508, total)
    return bytes(head) + data


def tables() -> list[tuple[bytes, bytes]]:
    glyphs = b"".join(
        struct.pack(">hhhh", number % 7, -number % 11, number % 300, 5) for number in range(4000)
    )
    return [
        (b"cmap", bytes(range(200)) * 3),
        (b"glyf", glyphs),
        (b"head", bytes(54)),
        (b"name", b"A font " * 30),
    ]


def total(data: bytes) -> int:
    padded = data + bytes(-len(data) % 4)
    return sum(struct.unpack(f">{len(padded) // 4}I", padded)) & 0xFFFFFFFF


def font() -> bytes:
    rows, body, offset = b"", b"", 12 + 16 * len(tables())
    for tag, data in tables():
        rows += struct.pack(">4sIII", tag, total(data), offset + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    return b"\0\1\0\0" + struct.pack(">4H", len(tables()), 64, 2, 0) + rows + body


def woff() -> bytes:
    rows, body, offset = b"", b"", 44 + 20 * len(tables())
    for tag, data in tables():
        packed = min(zlib.compress(data), data, key=len)
        rows += struct.pack(">4sIIII", tag, offset + len(body), len(packed), len(data), total(data))
        body += packed + bytes(-len(packed) % 4)
    head = b"wOFF\0\1\0\0" + struct.pack(
        ">IHHIHHIIIII", offset + len(body), len(tables()), 0, 0, 1, 0, 0, 0, 0, 0, 0
    )
    return head + rows + body
