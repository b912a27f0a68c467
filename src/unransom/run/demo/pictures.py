"""Product pictures: a lamp on a wall with the grain of a camera, as PNG or JPEG."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # height, width, red green blue

# JPEG's order of the 64 coefficients of a block: along the diagonals, in turn up and down.
ZIGZAG = sorted(range(64), key=lambda at: (at // 8 + at % 8, (at // 8 if (at // 8 + at % 8) % 2 else at % 8)))
KEPT = 16  # coefficients of a block; with so few no run of zeros needs more than one symbol
STEP = 6.0  # quantisation, the same for all coefficients
SYMBOLS = bytes([0, *(run << 4 | size for run in range(15) for size in range(1, 11))])  # 0 ends a block
CODE_OF = np.zeros(256, np.int64)
CODE_OF[list(SYMBOLS)] = np.arange(len(SYMBOLS))
DC_BITS, AC_BITS = 4, 8  # all codes are of one length: simple, and legal
COSINES = np.array(
    [
        [np.cos((2 * place + 1) * wave * np.pi / 16) * (0.5 if wave else 0.125**0.5) for place in range(8)]
        for wave in range(8)
    ]
)
YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])


def lamp(number: int, width: int, height: int) -> Pixels:
    """Return picture ``number``: the same one whenever it is made."""
    draw = np.random.default_rng(number)
    wall, shade = draw.integers(90, 200, 3), draw.integers(60, 255, 3)
    rows, columns = np.mgrid[0:height, 0:width] / height
    light = 1.1 - 0.5 * np.hypot(rows - 0.4, columns - draw.uniform(0.4, 0.9))
    picture = wall * light[..., None]
    centre = draw.uniform(0.5, 0.8)
    half = 0.08 + 0.25 * (rows - 0.2)  # of the shade, wider below
    inside = (rows > 0.2) & (rows < 0.55) & (abs(columns - centre) < half)
    picture[inside] = shade * light[inside][:, None] * 1.3
    picture[(rows >= 0.55) & (rows < 0.9) & (abs(columns - centre) < 0.02)] = 40
    grain = draw.normal(0, 4, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def png(pixels: Pixels) -> bytes:
    """Return ``pixels`` as a PNG file."""
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + width * 3), np.uint8)  # the first byte of a row is its filter: none
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(rows.tobytes())
    parts = [_chunk(b"IHDR", header)]
    parts += [_chunk(b"IDAT", packed[at : at + 65536]) for at in range(0, len(packed), 65536)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jpeg(pixels: Pixels) -> bytes:
    """Return ``pixels`` as a baseline JPEG file; width and height must be multiples of 8."""
    height, width, _ = pixels.shape
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0])
    segments = (
        (0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
        (0xDB, b"\0" + bytes([int(STEP)] * 64)),
        (0xC0, frame),
        (0xC4, b"\x00" + _lengths(DC_BITS, 12) + bytes(range(12))),
        (0xC4, b"\x10" + _lengths(AC_BITS, len(SYMBOLS)) + SYMBOLS),
        (0xDA, bytes([3, 1, 0, 2, 0, 3, 0, 0, 63, 0])),
    )
    head = b"".join(struct.pack(">BBH", 0xFF, kind, len(data) + 2) + data for kind, data in segments)
    return b"\xff\xd8" + head + _scan(_coefficients(pixels)) + b"\xff\xd9"


def _lengths(bits: int, count: int) -> bytes:
    """Return how many codes of 1 to 16 bits a Huffman table has: ``count`` of ``bits``."""
    return bytes(count if length == bits else 0 for length in range(1, 17))


def _coefficients(pixels: Pixels) -> NDArray[np.int64]:
    """Return the first coefficients of every block, three colours in turn; DC as the difference."""
    height, width, _ = pixels.shape
    planes = (pixels.astype(np.float32) - [128, 128, 128]) @ YCC.T
    blocks = planes.reshape(height // 8, 8, width // 8, 8, 3).transpose(0, 2, 4, 1, 3)
    waves = np.rint(COSINES @ blocks @ COSINES.T / STEP).astype(np.int64)
    kept = waves.reshape(-1, 3, 64)[..., ZIGZAG[:KEPT]]
    kept[:, :, 0] = np.diff(kept[:, :, 0], axis=0, prepend=0)
    return kept.reshape(-1, KEPT)


def _scan(coefficients: NDArray[np.int64]) -> bytes:
    """Return the coded data: per block DC, then each coefficient that is not zero, then the end of block."""
    magnitude = abs(coefficients)
    sizes = np.frexp(magnitude)[1].astype(np.int64)
    tails = np.where(coefficients < 0, coefficients + (1 << sizes) - 1, coefficients)
    places = np.arange(KEPT)
    last = np.maximum.accumulate(np.where(magnitude > 0, places, 0), axis=1)
    runs = places[1:] - last[:, :-1] - 1
    codes = np.zeros((len(coefficients), KEPT + 1), np.int64)
    lengths = np.zeros_like(codes)
    codes[:, 0], lengths[:, 0] = sizes[:, 0] << sizes[:, 0] | tails[:, 0], DC_BITS + sizes[:, 0]
    symbols = CODE_OF[runs << 4 | sizes[:, 1:]]
    codes[:, 1:KEPT] = symbols << sizes[:, 1:] | tails[:, 1:]
    lengths[:, 1:KEPT] = np.where(magnitude[:, 1:] > 0, AC_BITS + sizes[:, 1:], 0)
    lengths[:, KEPT] = AC_BITS  # the end of a block is code 0
    return _bits(codes.ravel(), lengths.ravel()).replace(b"\xff", b"\xff\0")


def _bits(codes: NDArray[np.int64], lengths: NDArray[np.int64]) -> bytes:
    """Return ``codes`` one behind the other, each in its number of bits, filled up with ones."""
    owner = np.repeat(np.arange(len(codes)), lengths)
    ends = np.cumsum(lengths)
    bits = codes[owner] >> (ends[owner] - 1 - np.arange(len(owner))) & 1
    return np.packbits(np.concatenate([bits, np.ones(-len(bits) % 8, np.int64)]).astype(np.uint8)).tobytes()
