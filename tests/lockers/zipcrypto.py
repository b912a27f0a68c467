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
