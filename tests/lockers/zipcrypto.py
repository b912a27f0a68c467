"""Seals archives by the old encryption of ZIP, a byte at a time; Python's zipfile opens what comes out."""

import io
import struct
import zipfile
import zlib

from tests.lockers import Made, content, drawn

TABLE = [zlib.crc32(bytes([byte ^ 0xFF])) ^ 0xFF000000 for byte in range(256)]
HEADER = 12


class Stream:
    """The three words, fed with plain bytes."""

    def __init__(self, password: bytes) -> None:
        self.words = [0x12345678, 0x23456789, 0x34567890]
        for byte in password:
            self._feed(byte)

    def _feed(self, byte: int) -> None:
        x, y, z = self.words
        x = self._crc(x, byte)
        y = ((y + (x & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        self.words = [x, y, self._crc(z, y >> 24)]

    @staticmethod
    def _crc(value: int, byte: int) -> int:
        return value >> 8 ^ TABLE[(value ^ byte) & 0xFF]

    def seal(self, plain: bytes) -> bytes:
        out = bytearray()
        for byte in plain:
            low = self.words[2] & 0xFFFF | 2
            out.append(byte ^ (low * (low ^ 1) >> 8 & 0xFF))
            self._feed(byte)
        return bytes(out)


def archive(files: dict[str, bytes], level: int, *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an archive without a password."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method, compresslevel=level) as writer:
        for name, data in files.items():
            writer.writestr(zipfile.ZipInfo(name, (2026, 11, 20, 9, 30, 0)), data, method, level)
    return out.getvalue()


def seal(plain: bytes, password: bytes, *, streamed: bool = False) -> bytes:
    """Return the archive ``plain`` with every member under ``password``.

    Args:
        plain: An archive.
        password: Any bytes.
        streamed: The CRC-32 and sizes follow the data of each member, and the header ends with its time.
    """
    entries = zipfile.ZipFile(io.BytesIO(plain)).infolist()
    locked, directory = bytearray(), bytearray()
    for entry in entries:
        start = entry.header_offset
        names = sum(struct.unpack_from("<HH", plain, start + 26))
        header = bytearray(plain[start : start + 30 + names])
        data = plain[start + len(header) :][: entry.compress_size]
        time = struct.unpack_from("<H", header, 10)[0]
        last = time >> 8 if streamed else entry.CRC >> 24
        sealed = Stream(password).seal(drawn(entry.filename, HEADER - 1) + bytes([last]) + data)
        struct.pack_into("<H", header, 6, 9 if streamed else 1)
        sizes = (0, 0, 0) if streamed else (entry.CRC, len(sealed), entry.file_size)
        struct.pack_into("<III", header, 14, *sizes)
        offset = len(locked)
        locked += header + sealed
        if streamed:
            locked += b"PK\x07\x08" + struct.pack("<III", entry.CRC, len(sealed), entry.file_size)
        directory += _central(entry, header, len(sealed), offset)
    end = struct.pack(
        "<4s4H2IH", b"PK\x05\x06", 0, 0, len(entries), len(entries), len(directory), len(locked), 0
    )
    return bytes(locked + directory + end)


def _central(entry: zipfile.ZipInfo, header: bytearray, packed: int, offset: int) -> bytes:
    fixed = struct.pack(
        "<4s6H3I5H2I",
        b"PK\x01\x02",
        entry.create_version | entry.create_system << 8,
        *struct.unpack_from("<5H", header, 4),
        entry.CRC,
        packed,
        entry.file_size,
        *struct.unpack_from("<HH", header, 26),
        0,
        0,
        entry.internal_attr,
        entry.external_attr,
        offset,
    )
    return fixed + header[30:]


def widen(archive: bytes) -> bytes:
    """Return ``archive``, whose members have no extra fields, with all sizes and places as 64 bits."""
    wide, directory, full = bytearray(), bytearray(), b"\xff" * 4
    entries = zipfile.ZipFile(io.BytesIO(archive)).infolist()
    for entry in entries:
        at, name, sizes = entry.header_offset, entry.filename.encode(), (entry.file_size, entry.compress_size)
        extra = struct.pack("<2H3Q", 1, 24, *sizes, len(wide))
        fixed = struct.pack("<5HI", 45, entry.flag_bits, entry.compress_type, *_time(archive, at), entry.CRC)
        directory += b"PK\x01\x02-\0" + fixed + full * 2 + struct.pack("<5HI", len(name), 28, 0, 0, 0, 0)
        directory += full + name + extra
        sizes = (0, 0) if entry.flag_bits & 8 else sizes
        wide += b"PK\x03\x04" + fixed[:10] + archive[at + 14 :][:4] + full * 2
        wide += struct.pack("<2H", len(name), 20) + name + struct.pack("<2H2Q", 1, 16, *sizes)
        start = at + 30 + len(name)
        wide += archive[start : start + entry.compress_size]
        if entry.flag_bits & 8:
            wide += b"PK\x07\x08" + struct.pack("<I2Q", entry.CRC, entry.compress_size, entry.file_size)
    start, count = len(wide), len(entries)
    end = len(wide + directory)
    last = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(directory), start)
    last += b"PK\x06\x07" + struct.pack("<IQI", 0, end, 1)
    return bytes(wide + directory + last) + b"PK\x05\x06" + bytes(4) + b"\xff" * 12 + bytes(2)


def _time(archive: bytes, at: int) -> tuple[int, ...]:
    return struct.unpack_from("<2H", archive, at + 10)


def make(vector: dict) -> Made:
    """Return the locked archive of a vector; its key file is the password."""
    seed, password = vector["seed"], vector["password"].encode()
    files = {name: content(seed + name, vector["size"]) for name in vector["names"]}
    method = zipfile.ZIP_STORED if vector.get("stored") else zipfile.ZIP_DEFLATED
    plain = archive(files, vector.get("level", 6), method=method)
    locked = seal(plain, password)
    with zipfile.ZipFile(io.BytesIO(locked)) as reader:  # the independent opinion
        for name, data in files.items():
            if reader.read(name, password) != data:
                raise AssertionError(name)
    return Made(plain, locked, password)
