"""Small films and sounds, put together in memory from their formats' own pieces."""

from __future__ import annotations

import random
import struct
import zlib

from tests.catalog.formats.media_samples import picture, random_bytes, saved

FRAMES = 24


def chunk(name: bytes, data: bytes) -> bytes:
    """Return a RIFF chunk."""
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def wave(seconds: float = 0.6, rate: int = 22050) -> bytes:
    """Return a WAV sound of 16 bits."""
    source = random.Random(4)
    level, samples = 0.0, []
    for _ in range(int(seconds * rate)):
        level = 0.98 * level + source.uniform(-300, 300)
        samples.append(int(level))
    layout = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)
    body = chunk(b"fmt ", layout) + chunk(b"data", struct.pack(f"<{len(samples)}h", *samples))
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def avi(codec: bytes = b"MJPG") -> bytes:
    """Return a film of Motion JPEG with an index."""
    frames = [saved("JPEG", picture(90, 70, seed=number), quality=80) for number in range(6)]
    movie, index = b"movi", b""
    for frame in frames:
        index += struct.pack("<4sIII", b"00dc", 16, len(movie), len(frame))
        movie += chunk(b"00dc", frame)
    header = chunk(b"avih", struct.pack("<14I", 40000, 0, 0, 16, len(frames), 0, 1, 0, 90, 70, 0, 0, 0, 0))
    stream = chunk(b"strh", b"vids" + codec + bytes(48)) + chunk(
        b"strf", struct.pack("<IiiHH", 40, 90, 70, 1, 24) + bytes(24)
    )
    lists = chunk(b"LIST", b"hdrl" + header + chunk(b"LIST", b"strl" + stream))
    body = b"AVI " + lists + chunk(b"LIST", movie) + chunk(b"idx1", index)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def box(name: bytes, *parts: bytes) -> bytes:
    """Return an ISO box."""
    data = b"".join(parts)
    return struct.pack(">I", 8 + len(data)) + name + data


def coded_pictures() -> list[bytes]:
    """Return pictures as they are in MP4 and Matroska: NAL units of H.264 with their lengths before them."""
    source = random.Random(6)
    pictures = []
    for _ in range(FRAMES):
        units = [
            bytes([source.choice([1, 5, 6])]) + source.randbytes(source.randrange(200, 500)) for _ in range(3)
        ]
        pictures.append(b"".join(struct.pack(">I", len(unit)) + unit for unit in units))
    return pictures


AVC = b"\x01\x64\x00\x1f\xff\xe0\x00"


def _table(name: bytes, *numbers: int) -> bytes:
    return box(name, bytes(4), struct.pack(f">{len(numbers)}I", *numbers))


def film_boxes(offset: int, sizes: list[int]) -> bytes:
    """Return a moov box for samples of ``sizes`` that lie at ``offset``, four to a chunk."""
    starts = [offset + sum(sizes[:first]) for first in range(0, len(sizes), 4)]
    entry = box(b"avc1", bytes(78), box(b"avcC", AVC))
    table = box(
        b"stbl",
        box(b"stsd", bytes(4), struct.pack(">I", 1), entry),
        _table(b"stsc", 1, 1, 4, 1),
        _table(b"stsz", 0, len(sizes), *sizes),
        _table(b"stco", len(starts), *starts),
    )
    return box(
        b"moov",
        box(b"mvhd", bytes(100)),
        box(b"trak", box(b"tkhd", bytes(84)), box(b"mdia", box(b"minf", table))),
    )


def mp4(*, tables_first: bool = False) -> bytes:
    """Return a film of made-up H.264 pictures."""
    pictures = coded_pictures()
    sizes = [len(each) for each in pictures]
    kind = box(b"ftyp", b"isom", bytes(4), b"isomavc1")
    data = box(b"mdat", *pictures)
    if not tables_first:
        return kind + data + film_boxes(len(kind) + 8, sizes)
    return kind + film_boxes(len(kind) + len(film_boxes(0, sizes)) + 8, sizes) + data


def fragmented_mp4() -> bytes:
    """Return a film whose samples are in fragments."""
    out = box(b"ftyp", b"iso5", bytes(4), b"iso5") + film_boxes(0, [])
    pictures = coded_pictures()
    for first in range(0, len(pictures), 6):
        part = pictures[first : first + 6]
        sizes = [len(each) for each in part]

        def moof(offset: int, sizes: list[int] = sizes) -> bytes:
            run = box(b"trun", b"\0\0\2\1", struct.pack(f">II{len(sizes)}I", len(sizes), offset, *sizes))
            return box(
                b"moof",
                box(b"mfhd", bytes(8)),
                box(b"traf", box(b"tfhd", b"\0\2\0\0", struct.pack(">I", 1)), run),
            )

        out += moof(len(moof(0)) + 8) + box(b"mdat", *part)
    return out


def heif() -> bytes:
    """Return a file of one made-up HEVC picture as an item."""
    units = [b"\x26\x01" + random_bytes(6000), b"\x28\x01" + random_bytes(7000)]
    data = b"".join(struct.pack(">I", len(unit)) + unit for unit in units)
    kind = box(b"ftyp", b"heic", bytes(4), b"mif1heic")

    def meta(offset: int) -> bytes:
        items = box(b"iinf", bytes(4), b"\0\1", box(b"infe", b"\2\0\0\0", b"\0\1\0\0hvc1\0"))
        places = box(b"iloc", bytes(4), b"\x44\0", b"\0\1", struct.pack(">HHHII", 1, 0, 1, offset, len(data)))
        return box(b"meta", bytes(4), box(b"hdlr", bytes(24)), items, places)

    return kind + meta(len(kind) + len(meta(0)) + 8) + box(b"mdat", data)


def element(name: bytes, *parts: bytes, width: int = 4) -> bytes:
    """Return an EBML element whose size has ``width`` bytes."""
    data = b"".join(parts)
    return name + ((1 << 7 * width) | len(data)).to_bytes(width) + data


def matroska(*, live: bool = False) -> bytes:
    """Return a film of made-up H.264 pictures with a checksum and cues; ``live`` leaves sizes unknown."""
    head = element(b"\x1a\x45\xdf\xa3", element(b"\x42\x82", b"matroska", width=1))
    tracks = element(
        b"\x16\x54\xae\x6b",
        element(
            b"\xae", element(b"\xd7", b"\1"), element(b"\x86", b"V_MPEG4/ISO/AVC"), element(b"\x63\xa2", AVC)
        ),
    )
    tracks = element(
        b"\x16\x54\xae\x6b", element(b"\xbf", struct.pack("<I", zlib.crc32(tracks[8:]))), tracks[8:]
    )
    body, cues = tracks, b""
    pictures = coded_pictures()
    for first in range(0, len(pictures), 6):
        cues += element(
            b"\xbb",
            element(b"\xb3", bytes([first])),
            element(b"\xb7", element(b"\xf1", len(body).to_bytes(4))),
        )
        blocks = [element(b"\xa3", b"\x81\0\0\x80", each) for each in pictures[first : first + 5]]
        group = element(b"\xa0", element(b"\xa1", b"\x81\0\0\0", pictures[first + 5]))
        cluster = element(b"\x1f\x43\xb6\x75", element(b"\xe7", bytes([first])), *blocks, group)
        body += cluster[:4] + b"\xff" + cluster[8:] if live else cluster
    if live:
        return head + b"\x18\x53\x80\x67\xff" + body
    return head + element(b"\x18\x53\x80\x67", body, element(b"\x1c\x53\xbb\x6b", cues), width=8)


def remainder(data: bytes, polynomial: int, width: int) -> int:
    """Return a CRC that takes the highest bit first, bit by bit."""
    crc = 0
    for byte in data:
        crc ^= byte << (width - 8)
        for _ in range(8):
            crc = crc << 1 ^ (polynomial if crc >> (width - 1) & 1 else 0)
            crc &= (1 << width) - 1
    return crc


def ogg_page(number: int, data: bytes, flags: int = 0, serial: int = 77) -> bytes:
    """Return an Ogg page."""
    lacing = bytes([255] * (len(data) // 255) + [len(data) % 255])
    page = bytearray(
        struct.pack("<4sBBQIIIB", b"OggS", 0, flags, number, serial, number, 0, len(lacing)) + lacing + data
    )
    page[22:26] = struct.pack("<I", remainder(bytes(page), 0x04C11DB7, 32))
    return bytes(page)


def ogg() -> bytes:
    """Return a stream of ten pages."""
    source = random.Random(9)
    sizes = [30, *(source.randrange(1000, 3000) for _ in range(9))]
    return b"".join(
        ogg_page(number, source.randbytes(size), {0: 2, 9: 4}.get(number, 0))
        for number, size in enumerate(sizes)
    )


def flac_frame(number: int, samples: bytes) -> bytes:
    """Return a FLAC frame of one channel of 8 bits, not compressed."""
    head = b"\xff\xf8\x69\x02" + (
        bytes([number]) if number < 128 else bytes([0xC0 | number >> 6, 0x80 | number & 63])
    )
    head += bytes([len(samples) - 1])
    frame = head + bytes([remainder(head, 0x07, 8)]) + b"\2" + samples
    return frame + struct.pack(">H", remainder(frame, 0x8005, 16))


def flac(frames: int = 80) -> bytes:
    """Return a sound of blocks of 192 samples."""
    source = random.Random(10)
    info = struct.pack(
        ">HH6sQ16s", 192, 192, bytes(6), 44100 << 44 | 0 << 41 | 7 << 36 | frames * 192, bytes(16)
    )
    body = b"".join(flac_frame(number, source.randbytes(192)) for number in range(frames))
    return b"fLaC\0\0\0\x22" + info + b"\x81\0\0\x20" + bytes(32) + body


def mp3(*, tag: bool = True, frames: int = 60) -> bytes:
    """Return a sound of 128 kbit/s whose frames hold no music."""
    source = random.Random(12)
    parts = [b"ID3\3\0\0\0\0\1\0" + bytes(128)] if tag else []
    for number in range(frames):
        padded = number % 3 == 0
        parts.append(b"\xff\xfb" + bytes([0x90 | padded << 1, 0]) + source.randbytes(413 + padded))
    return b"".join(parts)


def psd() -> bytes:
    """Return a picture of run-length coded rows with one layer."""
    source = random.Random(13)
    rows = []
    for _ in range(3 * 100):
        row = b""
        for _ in range(10):
            row += bytes([9]) + source.randbytes(10) + bytes([257 - 10, source.randrange(256)])
        rows.append(row)
    runs = b"".join(struct.pack(">H", len(row)) for row in rows) + b"".join(rows)
    channel = b"\0\1" + b"".join(struct.pack(">H", len(row)) for row in rows[:20]) + b"".join(rows[:20])
    record = (
        struct.pack(">iiiiHhI", 0, 0, 20, 200, 1, 0, len(channel))
        + b"8BIMnorm"
        + bytes(4)
        + struct.pack(">I", 0)
    )
    info = struct.pack(">h", 1) + record + channel
    layers = struct.pack(">I", len(info)) + info + bytes(4) + b"8BIMluni" + struct.pack(">I", 8) + bytes(8)
    resources = b"8BIM\x03\xed\0\0" + struct.pack(">I", 16) + bytes(16)
    head = struct.pack(">4sH6sHIIHH", b"8BPS", 1, bytes(6), 3, 100, 200, 8, 3)
    sections = b"".join(struct.pack(">I", len(part)) + part for part in (b"", resources, layers))
    return head + sections + b"\0\1" + runs
