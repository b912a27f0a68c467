"""The header of a 7z archive: packed streams, folders of coders, sizes and checksums."""

from __future__ import annotations

import msgspec

END, HEADER, ARCHIVE_PROPERTIES, ADDITIONAL, MAIN_STREAMS = 0, 1, 2, 3, 4
PACK_INFO, UNPACK_INFO, SUBSTREAMS, SIZE, CRC, FOLDER, UNPACK_SIZES, COUNTS, ENCODED = (
    *(6, 7, 8, 9, 10, 11),
    *(12, 13, 23),
)


class HeaderError(Exception):
    """The bytes are no 7z header."""


class Coder(msgspec.Struct):
    """A coder of a folder: its method and properties, and how many streams go in and out."""

    method: bytes
    properties: bytes
    inputs: int = 1
    outputs: int = 1


class Folder(msgspec.Struct):
    """Coders that make one or more files out of packed streams.

    Attributes:
        coders: In the order of the header.
        bonds: (input, output) pairs that join coders.
        packed: How many packed streams it takes.
        sizes: Of every output.
        crc: CRC-32 of the folder's content, None where it is not given.
        files: (size, CRC-32 or None) of the files inside, in order.
    """

    coders: list[Coder]
    bonds: list[tuple[int, int]]
    packed: int
    sizes: list[int] = []
    crc: int | None = None
    files: list[tuple[int, int | None]] = []

    @property
    def size(self) -> int:
        """Bytes that the folder decompresses to: the output that is no other coder's input."""
        bound = {output for _, output in self.bonds}
        free = [size for output, size in enumerate(self.sizes) if output not in bound]
        return free[0] if free else 0


class Streams(msgspec.Struct):
    """Where the packed streams are, and the folders that take them in order."""

    position: int = 0
    packed: list[int] = []
    folders: list[Folder] = []


class Parser:
    """Reads a header's bytes from the front; never further than they go."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes."""
        if count < 0 or self._at + count > len(self._data):
            raise HeaderError
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self) -> int:
        """Return the next number: the first byte's leading ones say how many bytes follow it."""
        first = self.take(1)[0]
        for extra in range(8):
            if not first & 0x80 >> extra:
                high = first & (0x80 >> extra) - 1
                return int.from_bytes(self.take(extra), "little") | high << 8 * extra
        return int.from_bytes(self.take(8), "little")

    def count(self) -> int:
        """Return the next number, which counts things that take at least a bit of the header each."""
        value = self.number()
        if value > 8 * len(self._data):
            raise HeaderError
        return value

    def expect(self, kind: int) -> None:
        """Take the next number, which must be ``kind``."""
        if self.number() != kind:
            raise HeaderError

    def digests(self, count: int) -> list[int | None]:
        """Return CRC-32s of ``count`` things, None for those that have none."""
        if self.take(1)[0]:
            defined = [True] * count
        else:
            bits = self.take(-(-count // 8))
            defined = [bool(bits[index // 8] & 0x80 >> index % 8) for index in range(count)]
        return [int.from_bytes(self.take(4), "little") if known else None for known in defined]

    def streams(self) -> Streams:
        """Return the streams' description, up to and with its end mark."""
        found = Streams()
        kind = self.number()
        if kind == PACK_INFO:
            self._pack_info(found)
            kind = self.number()
        if kind == UNPACK_INFO:
            self._unpack_info(found)
            kind = self.number()
        for folder in found.folders:
            folder.files = [(folder.size, folder.crc)]
        if kind == SUBSTREAMS:
            self._substreams(found.folders)
            kind = self.number()
        if kind != END:
            raise HeaderError
        return found

    def _pack_info(self, found: Streams) -> None:
        found.position = self.number()
        count = self.count()
        kind = self.number()
        if kind == SIZE:
            found.packed = [self.number() for _ in range(count)]
            kind = self.number()
        if kind == CRC:
            self.digests(count)
            kind = self.number()
        if kind != END:
            raise HeaderError

    def _unpack_info(self, found: Streams) -> None:
        self.expect(FOLDER)
        count = self.count()
        if self.take(1)[0]:
            raise HeaderError  # kept in another place: no program writes that
        found.folders = [self._folder() for _ in range(count)]
        self.expect(UNPACK_SIZES)
        for folder in found.folders:
            folder.sizes = [self.number() for coder in folder.coders for _ in range(coder.outputs)]
        kind = self.number()
        if kind == CRC:
            for folder, crc in zip(found.folders, self.digests(count), strict=True):
                folder.crc = crc
            kind = self.number()
        if kind != END:
            raise HeaderError

    def _folder(self) -> Folder:
        coders = [self._coder() for _ in range(min(self.count(), 32))]
        inputs, outputs = sum(coder.inputs for coder in coders), sum(coder.outputs for coder in coders)
        bonds = [(self.number(), self.number()) for _ in range(outputs - 1)]
        packed = inputs - len(bonds)
        if packed > 1:
            for _ in range(packed):
                self.number()
        return Folder(coders, bonds, packed)

    def _coder(self) -> Coder:
        flags = self.take(1)[0]
        coder = Coder(self.take(flags & 15), b"")
        if flags & 0x10:
            coder.inputs, coder.outputs = min(self.count(), 32), min(self.count(), 32)
        if flags & 0x20:
            coder.properties = self.take(self.count())
        return coder

    def _substreams(self, folders: list[Folder]) -> None:
        kind = self.number()
        counts = [1] * len(folders)
        if kind == COUNTS:
            counts = [self.count() for _ in folders]
            kind = self.number()
        sizes = [
            self._file_sizes(folder, count, kind == SIZE)
            for folder, count in zip(folders, counts, strict=True)
        ]
        if kind == SIZE:
            kind = self.number()
        known = [
            len(size) == 1 and folder.crc is not None for folder, size in zip(folders, sizes, strict=True)
        ]
        wanted = sum(len(size) for size, have in zip(sizes, known, strict=True) if not have)
        digests = iter(self.digests(wanted) if kind == CRC else [None] * wanted)
        if kind == CRC:
            kind = self.number()
        for folder, size, have in zip(folders, sizes, known, strict=True):
            folder.files = [(each, folder.crc if have else next(digests)) for each in size]
        if kind != END:
            raise HeaderError

    def _file_sizes(self, folder: Folder, count: int, given: bool) -> list[int]:
        """Return the sizes of the files of a folder; the last one's is what is left."""
        if not count:
            return []
        sizes = [self.number() for _ in range(count - 1)] if given else []
        if not given and count > 1:
            raise HeaderError
        left = folder.size - sum(sizes)
        if left < 0:
            raise HeaderError
        return [*sizes, left]


def main_streams(data: bytes) -> Streams:
    """Return the streams of a plain header; none for an archive without files' content.

    Raises:
        HeaderError: It is no such header.
    """
    parser = Parser(data)
    parser.expect(HEADER)
    kind = parser.number()
    if kind == ARCHIVE_PROPERTIES:
        while parser.number():
            parser.take(parser.number())
        kind = parser.number()
    if kind == ADDITIONAL:
        parser.streams()
        kind = parser.number()
    return parser.streams() if kind == MAIN_STREAMS else Streams()


def encoded_streams(data: bytes) -> Streams | None:
    """Return the streams that hold the header packed; None where the header is plain.

    Raises:
        HeaderError: It is no header.
    """
    parser = Parser(data)
    return parser.streams() if parser.number() == ENCODED else None
