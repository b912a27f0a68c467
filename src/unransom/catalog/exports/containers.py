"""What an export comes wrapped in: zip and gzip, opened within limits and without writing anything."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, cast

import msgspec

from unransom.catalog.exports import locked_zip
from unransom.catalog.exports.channel import Source, UnreadableExportError
from unransom.core.errors import UnreadableError
from unransom.core.messages import say
from unransom.core.streams import CHUNK, BytesReader, Reader, chunks

LARGEST = 2 << 30  # bytes of an unpacked export
RATIO = 500  # of a real export's unpacked size to its packed: text packs to a tenth or so
MEMBERS = 1000  # of a zip
# What a damaged zip is met with, depending on where the damage is; encrypted ones are RuntimeError.
DAMAGES = (
    *(zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError),
    *(OSError, EOFError, ValueError, OverflowError),
)
NAME_UTF8 = 0x800  # flag of a zip member whose name is UTF-8


class ReaderFile(io.RawIOBase):
    """A reader as a file that is read from ``start`` on."""

    def __init__(self, reader: Reader, start: int = 0) -> None:
        self._reader = reader
        self._at = self._start = start

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position from ``start``."""
        return self._at - self._start

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; return the position from ``start``."""
        base = {io.SEEK_SET: self._start, io.SEEK_CUR: self._at, io.SEEK_END: self._reader.size}[whence]
        self._at = max(base + offset, self._start)
        return self.tell()

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes, all of them where it is negative."""
        left = max(self._reader.size - self._at, 0)
        try:
            data = self._reader.read_at(self._at, left if size < 0 else min(size, left))
        except UnreadableError as error:
            raise OSError(str(error)) from error
        self._at += len(data)
        return data

    def readinto(self, buffer: object) -> int:
        """Fill ``buffer``; return how many bytes it got."""
        view = memoryview(cast("bytearray", buffer)).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)


def unwrap(source: Source) -> Iterator[Source]:
    """Yield the exports in ``source``: itself, what a gzip file holds, or the members of a zip.

    Names of members serve as labels only; nothing is written anywhere.

    Raises:
        UnreadableExportError: A container is damaged or unpacks to more than an export can be.
    """
    head = source.reader.read_at(0, 4)
    if head[:2] == b"\x1f\x8b":
        data = b"".join(_gunzipped(source.reader))
        yield msgspec.structs.replace(source, reader=BytesReader(data))
    elif head == b"PK\x03\x04":
        yield from _members(source)
    else:
        yield source


def _gunzipped(reader: Reader) -> Iterator[bytes]:
    unpack = zlib.decompressobj(wbits=31)
    size = 0
    try:
        for packed in chunks(reader):
            rest = packed
            while rest:
                piece = unpack.decompress(rest, CHUNK)
                rest = unpack.unconsumed_tail
                size += len(piece)
                _check_size(size, reader.size)
                yield piece
    except zlib.error as error:
        raise UnreadableExportError(say("the packed export is damaged"), detail=str(error)) from error
    if not unpack.eof:
        raise UnreadableExportError(say("the packed export is cut off"))


def _members(source: Source) -> Iterator[Source]:
    try:
        with zipfile.ZipFile(cast("IO[bytes]", ReaderFile(source.reader))) as archive:
            members = [each for each in archive.infolist() if not each.is_dir()]
            if len(members) > MEMBERS:
                raise UnreadableExportError(say("the archive has more members than an export can have"))
            for member in members:
                data = _member(archive, member, source)
                label = f"{source.name}:{_name(member)}"
                yield msgspec.structs.replace(source, name=label, reader=BytesReader(data))
    except DAMAGES as error:
        raise UnreadableExportError(say("the packed export is damaged"), detail=str(error)[:200]) from error


def is_locked(reader: Reader) -> bool:
    """Return whether a file is a zip with a member that needs a password."""
    if reader.read_at(0, 4) != b"PK\x03\x04":
        return False
    try:
        with zipfile.ZipFile(cast("IO[bytes]", ReaderFile(reader))) as archive:
            return any(each.flag_bits & locked_zip.LOCKED for each in archive.infolist())
    except DAMAGES:
        return False


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, source: Source) -> bytes:
    _check_size(member.file_size, member.compress_size)
    parts, size = [], 0
    for piece in _pieces(archive, member, source):
        size += len(piece)  # what the directory says may be a lie
        _check_size(size, member.compress_size)
        parts.append(piece)
    return b"".join(parts)


def _pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo, source: Source) -> Iterator[bytes]:
    password = source.reading.password
    if not member.flag_bits & locked_zip.LOCKED:
        with archive.open(member) as file:
            yield from iter(lambda: file.read(CHUNK), b"")
    elif not password:
        raise locked_zip.locked()
    elif member.compress_type == locked_zip.AES_METHOD:
        yield from locked_zip.open_aes(source.reader, member, password)
    else:
        with _opened(archive, member, password) as file:
            yield from iter(lambda: file.read(CHUNK), b"")


def _opened(archive: zipfile.ZipFile, member: zipfile.ZipInfo, password: str) -> IO[bytes]:
    """Open a member under zip's old cipher, of which one byte shows whether a password is wrong."""
    for each in locked_zip.passwords(password):
        try:
            return archive.open(member, pwd=each)
        except RuntimeError:
            continue
    raise locked_zip.wrong()


def _name(member: zipfile.ZipInfo) -> str:
    """Return the last part of the member's name; Chinese Windows writes it in GBK without saying so."""
    name = member.filename
    if not member.flag_bits & NAME_UTF8:
        raw = name.encode("cp437", "replace")
        try:
            name = raw.decode("utf-8")
        except UnicodeDecodeError:
            name = raw.decode("gb18030", "replace")
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(character if character.isprintable() else "_" for character in last)


def _check_size(size: int, packed: int) -> None:
    if size > LARGEST or size > max(packed, 4096) * RATIO:
        raise UnreadableExportError(
            say("the packed export unpacks to more than an export can be"),
            detail=f"{size:,} bytes and more from {packed:,}",
            hint=say("if it is genuine, unpack it yourself and name the unpacked file"),
        )
