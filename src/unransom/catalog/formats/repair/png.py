"""PNG images: the rows in front of the first hole and behind the last, in an image of the same size."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from unransom.catalog.formats._png_rows import FILTERS, Shape
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats.png import END, FORMAT, recognise, shape_of
from unransom.catalog.formats.repair._png_behind import RowsBehind, filled, rows_behind
from unransom.catalog.formats.repair.repair import Count, Damaged, Piece, Repair, Repaired
from unransom.core.messages import say
from unransom.core.spans import Origin
from unransom.core.streams import Reader

HEADER = 33  # bytes of signature and IHDR
MOST = 1 << 29  # bytes of pixels
LONGEST = 1 << 31
KEPT = frozenset({b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"pHYs", b"sBIT"})
STEP = 1 << 16
FINE = 256  # compressed bytes of one step: how exactly a fault is found


def finds(reader: Reader) -> bool:
    """Return whether the head is that of an image."""
    return bool(recognise(reader.read_at(0, 4096)))


def repair(damaged: Damaged) -> Repaired | None:
    """Rebuild an image; None where its head or all rows are lost."""
    head = damaged.reader.read_at(0, 4096)
    shape = shape_of(head[16:29]) if recognise(head) else None
    if shape is None:
        return None
    total = sum(rows * stride for rows, stride in shape.passes())
    if not 0 < total <= MOST:
        return None
    kept, data, broken = _chunks(damaged)
    pixels = _sound(_inflated(data, total), shape)
    rows, left = _rows(shape, len(pixels))
    behind = rows_behind(damaged, shape, broken) if left < rows and broken else None
    if behind is not None and behind.first > left:
        return _with_both(head[:HEADER], kept, pixels, behind, shape)
    if not pixels:
        return None
    return Repaired(
        _written(head[:HEADER], kept, pixels, total),
        say("the rows in front of the hole were kept, the others left empty"),
        (Count("rows", left, rows),),
        (say("{lost} of {total} rows are lost", lost=rows - left, total=rows),),
        (f"rows {left}-{rows - 1}",) if left < rows else (),
    )


def _with_both(head: bytes, kept: list[bytes], front: bytes, behind: RowsBehind, shape: Shape) -> Repaired:
    """Return the image with the rows in front of the hole and those behind."""
    [(rows, stride)] = shape.passes()
    front = front[: len(front) // stride * stride]
    left = len(front) // stride
    whole = int(behind.whole.sum())
    return Repaired(
        _written(head, kept, filled(front, behind, stride), rows * stride),
        say("the rows in front of the hole and behind it were kept; between them the last one is repeated"),
        (Count("rows", left, rows), Count("rows behind", whole, len(behind.whole))),
        (
            say("{lost} of {total} rows are lost", lost=behind.first - left, total=rows),
            say(
                "{count} rows behind the hole are known in part; colours there may be off, as they go by rows"
                " above them",
                count=len(behind.whole) - whole,
            ),
        ),
        (f"rows {left}-{behind.first - 1}",),
    )


def _chunks(damaged: Damaged) -> tuple[list[bytes], bytes, int]:
    """Return the sound chunks in front of the pixels, their data up to the first hole, and the broken chunk.

    Its offset is 0 where no chunk is broken.
    """
    reader = Cached(damaged.reader)
    kept: list[bytes] = []
    data: list[bytes] = []
    position, broken = HEADER, 0
    while position + 8 <= reader.size:
        head = reader.read_at(position, 8)
        length, kind = int.from_bytes(head[:4]), head[4:]
        if length >= LONGEST or not kind.isalpha() or not kind.isascii() or kind == b"IEND":
            broken = 0 if kind == b"IEND" else position
            break
        body = reader.read_at(position + 8, min(length, MOST))
        sound = reader.read_at(position + 8 + length, 4) == zlib.crc32(kind + body).to_bytes(4)
        if kind == b"IDAT":
            stop = damaged.lost_from(position + 8, position + 8 + length) - position - 8
            data.append(body if sound else body[:stop])
        elif sound and kind in KEPT and not data:
            kept.append(head + body + zlib.crc32(kind + body).to_bytes(4))
        if not sound:
            broken = position
            break
        position += 12 + length
    return kept, b"".join(data), broken


def _inflated(data: bytes, total: int) -> bytes:
    """Return what the data holds up to its first fault."""
    decoder = zlib.decompressobj()
    out: list[bytes] = []
    size = 0
    for start in range(0, len(data), FINE):
        try:
            out.append(decoder.decompress(data[start : start + FINE], total - size + 1))
        except zlib.error:
            break
        size += len(out[-1])
        if decoder.eof or size > total:
            break
    return b"".join(out)[:total]


def _sound(pixels: bytes, shape: Shape) -> bytes:
    """Return the rows in front of the first that begins with what is no filter, and of the one before it."""
    position = 0
    for rows, stride in shape.passes():
        part = pixels[position : position + rows * stride]
        for index, kind in enumerate(part[::stride]):
            if kind >= FILTERS:
                return pixels[: position + max(index - 1, 0) * stride]
        position += len(part)
        if len(part) < rows * stride:
            return pixels[: position - len(part) % stride]
    return pixels


def _rows(shape: Shape, size: int) -> tuple[int, int]:
    """Return how many rows there are in all passes, and how many of them ``size`` bytes are."""
    total = left = 0
    for rows, stride in shape.passes():
        total += rows
        here = min(size // stride, rows)
        left += here
        size -= here * stride
    return total, left


def _written(head: bytes, kept: list[bytes], pixels: bytes, total: int) -> Iterator[Piece]:
    yield head + b"".join(kept), Origin.PLAIN
    packer = zlib.compressobj(6)
    for start in range(0, total, STEP):
        size = min(STEP, total - start)
        piece = pixels[start : start + size]
        packed = packer.compress(piece.ljust(size, b"\0"))
        if start + size >= total:
            packed += packer.flush()
        if packed:
            body = b"IDAT" + packed
            yield len(packed).to_bytes(4) + body + zlib.crc32(body).to_bytes(4), Origin.GUESSED
    yield END, Origin.GUESSED


REPAIR = Repair((FORMAT.name,), FORMAT.extensions, repair, finds)
