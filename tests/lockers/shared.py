"""Seals files like lockers that use one key and nonce for all of them, or a short XOR key again and again."""

import io
import struct
import zipfile
import zlib

import numpy as np
from Cryptodome.Cipher import ChaCha20

from tests.lockers import drawn

WORDS = (
    "order",
    "lamp",
    "invoice",
    "customer",
    "shipped",
    "total",
    "net",
    "the",
    "of",
    "and",
    "with",
    "for",
    "city",
)


def xored(plain: bytes, stream: bytes) -> bytes:
    """Return ``plain`` under ``stream``, which begins again at its end."""
    data = np.frombuffer(plain, np.uint8)
    return (data ^ np.resize(np.frombuffer(stream, np.uint8), len(data))).tobytes()


def chacha(seed: str, size: int) -> bytes:
    """Return the keystream of a key and nonce."""
    return ChaCha20.new(key=drawn(seed + " key", 32), nonce=drawn(seed + " nonce", 12)).encrypt(bytes(size))


def letter(seed: str, size: int) -> bytes:
    """Return a text that does not repeat itself."""
    choice = np.frombuffer(drawn(seed + " words", size // 3), np.uint8)
    words = [WORDS[value % len(WORDS)] + (str(value) if value > 200 else "") for value in choice.tolist()]
    lines = [" ".join(words[start : start + 9]) for start in range(0, len(words), 9)]
    return ("\n".join(lines) + "\n").encode()[:size]


def bitmap(seed: str, width: int, height: int) -> bytes:
    """Return a bitmap in true colour: a white page with coloured bars and a little noise."""
    page = np.full((height, width, 3), 255, np.uint8)
    for index, value in enumerate(drawn(seed + " bars", 24)):
        top, left = index * height // 24, value * width // 300
        page[top : top + height // 40 + 1, left : left + width // 6] = np.frombuffer(
            drawn(f"{seed}{index}", 3), np.uint8
        )
    pixels = page.tobytes()
    stride = -(-width * 3 // 4) * 4
    rows = b"".join(pixels[y * width * 3 : (y + 1) * width * 3].ljust(stride, b"\0") for y in range(height))
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(rows), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(rows), 0, 0, 54) + header + rows


def compound(seed: str, size: int) -> bytes:
    """Return an OLE2 file of sectors of 512 bytes: a header, a FAT, a directory and one stream."""
    text = letter(seed, size).decode().encode("utf-16-le")[:size]
    sectors = -(-len(text) // 512)
    count = sectors + 2
    if count > 128:
        raise ValueError("one FAT sector has room for 128 sectors")
    fat = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, sectors + 2), 0xFFFFFFFE]
    table = b"".join(struct.pack("<I", entry) for entry in fat).ljust(512, b"\xff")

    def entry(name: str, kind: int, child: int, start: int, length: int) -> bytes:
        raw = (name + "\0").encode("utf-16-le") if name else b""
        return (
            raw.ljust(64, b"\0")
            + struct.pack("<HBBIII", len(raw), kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
            + bytes(36)
            + struct.pack("<IQ", start, length)
        )

    none = 0xFFFFFFFF
    directory = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry("WordDocument", 2, none, 2, len(text))
    directory += (entry("", 0, none, 0, 0)) * 2
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<I", 0).ljust(436, b"\xff")
    return header + table + directory + text.ljust(sectors * 512, b"\0")


def office(seed: str, size: int) -> bytes:
    """Return a document as office programs write them: a ZIP archive of XML."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as writer:
        types = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<Types xmlns="http://schemas.'
        types += b'openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType='
        types += b'"application/xml"/></Types>'
        writer.writestr(zipfile.ZipInfo("[Content_Types].xml"), types, zipfile.ZIP_DEFLATED)
        body = b"<w:document><w:t>" + letter(seed, size) + b"</w:t></w:document>"
        writer.writestr(zipfile.ZipInfo("word/document.xml"), body, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def grey(seed: str, side: int) -> bytes:
    """Return a PNG of noise."""
    noise = drawn(seed, side * side)
    rows = b"".join(b"\0" + noise[start : start + side] for start in range(0, side * side, side))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", side.to_bytes(4) * 2 + b"\x08\0\0\0\0")
    return head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def company(count: int, scale: int = 1) -> dict[str, bytes]:
    """Return ``count`` office files and pictures by name, of five kinds in turn."""
    files = {}
    for number in range(count):
        seed = f"file {number}"
        size = (3 + drawn(seed, 1)[0] % 12) * 1000 * scale
        match number % 5:
            case 0:
                files[f"letter {number}.doc"] = compound(seed, min(size, 50_000))
            case 1:
                files[f"scan {number}.bmp"] = bitmap(seed, 40 + number, 30 * scale + number)
            case 2:
                files[f"photo {number}.png"] = grey(seed, 40 + 4 * number % 60)
            case 3:
                files[f"sheet {number}.docx"] = office(seed, size * 2)
            case _:
                files[f"notes {number}.txt"] = letter(seed, size)
    return files
