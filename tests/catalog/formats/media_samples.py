"""Small pictures, films and sounds, made in memory."""

from __future__ import annotations

import io
import random
import struct
import zlib

from PIL import Image


def picture(width: int = 200, height: int = 160, mode: str = "RGB", seed: int = 3) -> Image.Image:
    """Return a picture with smooth and with noisy parts, so that its files are not too small."""
    source = random.Random(seed)
    small = Image.frombytes("RGB", (16, 12), source.randbytes(16 * 12 * 3)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    grain = Image.frombytes("RGB", (width, height), source.randbytes(width * height * 3))
    return Image.blend(small, grain, 0.25).convert(mode)


def saved(kind: str, image: Image.Image | None = None, **options: object) -> bytes:
    """Return a picture as a file of Pillow's format ``kind``."""
    out = io.BytesIO()
    (image or picture()).save(out, kind, **options)
    return out.getvalue()


def jpeg(**options: object) -> bytes:
    return saved("JPEG", **{"quality": 88, **options})


def png(**options: object) -> bytes:
    return saved("PNG", **options)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Return a PNG chunk with its CRC."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def raw_png(header: bytes, pixels: bytes, *, step: int = 8192) -> bytes:
    """Return a PNG file of an IHDR's 13 bytes and raw rows, packed into chunks of ``step`` bytes."""
    packed = zlib.compress(pixels)
    parts = [png_chunk(b"IDAT", packed[at : at + step]) for at in range(0, len(packed), step)]
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + b"".join(parts) + png_chunk(b"IEND", b"")


def apng() -> bytes:
    """Return an animation of three frames."""
    frames = [picture(90, 70, seed=number) for number in range(3)]
    return saved("PNG", frames[0], save_all=True, append_images=frames[1:])


def random_bytes(length: int) -> bytes:
    return random.Random(11).randbytes(length)


def gif() -> bytes:
    """Return an animation."""
    frames = [picture(120, 90, "P", seed=number) for number in range(3)]
    return saved("GIF", frames[0], save_all=True, append_images=frames[1:], duration=50)


def tiff(compression: str = "tiff_lzw", **options: object) -> bytes:
    return saved("TIFF", compression=compression, **options)


def animated_webp() -> bytes:
    frames = [picture(100, 80, seed=number) for number in range(5)]
    return saved("WEBP", frames[0], save_all=True, append_images=frames[1:], quality=90)
