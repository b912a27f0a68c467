"""Device-independent bitmaps: the header and size of what BMP and ICO files hold."""

from __future__ import annotations

import struct

import msgspec

HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
DEPTHS = (1, 2, 4, 8, 16, 24, 32)
RGB, RLE8, RLE4, FIELDS, JPEG, PNG, ALPHA_FIELDS = range(7)
PLAIN = (RGB, FIELDS, ALPHA_FIELDS)


class Bitmap(msgspec.Struct, frozen=True):
    """A bitmap's header.

    Attributes:
        header: Its size in bytes.
        width, height: In pixels; height is never negative.
        depth: Bits per pixel.
        compression: 0 for none.
        palette: Bytes of colour table and masks between header and pixels.
        stated: Bytes of pixels that the header states, 0 where it does not.
        profile: Where the colour profile ends, from the start of the header; 0 where there is none.
    """

    header: int
    width: int
    height: int
    depth: int
    compression: int
    palette: int
    stated: int
    profile: int

    @property
    def pixels(self) -> int:
        """Bytes of uncompressed pixels: rows fill up to four bytes."""
        return (self.width * self.depth + 31) // 32 * 4 * self.height


def bitmap_of(data: bytes) -> Bitmap | None:
    """Return the bitmap whose header ``data`` begins with; None where it is none."""
    size = int.from_bytes(data[:4], "little")
    if size not in HEADERS or len(data) < min(size, 40):
        return None
    if size == 12:
        width, height, planes, depth = struct.unpack_from("<HHHH", data, 4)
        compression, stated, colours = RGB, 0, 0
    else:
        width, height, planes, depth = struct.unpack_from("<iiHH", data, 4)
        compression, stated = struct.unpack_from("<II", data, 16) if size >= 40 else (RGB, 0)
        colours = int.from_bytes(data[32:36], "little") if size >= 40 else 0
    legal = planes == 1 and (depth in DEPTHS or compression in {JPEG, PNG})
    if not legal or not 0 < width < 1 << 24 or not 0 < abs(height) < 1 << 24 or compression > ALPHA_FIELDS:
        return None
    if colours > 1 << 16:
        return None
    entries = colours or (1 << depth if depth <= 8 else 0)
    masks = {FIELDS: 12, ALPHA_FIELDS: 16}.get(compression, 0) if size == 40 else 0
    palette = entries * (3 if size == 12 else 4) + masks
    profile = sum(struct.unpack_from("<II", data, 112)) if size == 124 and len(data) >= 124 else 0
    return Bitmap(size, width, abs(height), depth, compression, palette, stated, profile)
