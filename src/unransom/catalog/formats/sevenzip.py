"""7z archives."""

from __future__ import annotations

import bz2
import lzma
import zlib

from unransom.catalog.formats._deflate import MARGIN, RAW, Budget, Decoder, End, Exactly, Inflater, expand
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._sevenzip_header import (
    Folder,
    HeaderError,
    Streams,
    encoded_streams,
    main_streams,
)
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats._zip_members import lzma_options
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader, chunks

MAGIC = b"7z\xbc\xaf\x27\x1c"
START = 32
HEADER_CAP = 1 << 26  # bytes of a header; one of a million files has 30 MB
COPY, LZMA1, LZMA2, DELTA = b"\0", b"\3\1\1", b"\x21", b"\3"
DEFLATE, BZIP2 = b"\4\1\x08", b"\4\2\2"
BRANCHES = {  # filters for programs, by their old and their short method number
    b"\3\3\1\3": lzma.FILTER_X86,
    b"\3\3\2\5": lzma.FILTER_POWERPC,
    b"\3\3\4\1": lzma.FILTER_IA64,
    b"\3\3\5\1": lzma.FILTER_ARM,
    b"\3\3\7\1": lzma.FILTER_ARMTHUMB,
    b"\3\3\x08\5": lzma.FILTER_SPARC,
    b"\4": lzma.FILTER_X86,
    b"\7": lzma.FILTER_ARM,
    b"\x08": lzma.FILTER_ARMTHUMB,
}
HELD_BACK = 16  # bytes that a branch filter keeps where LZMA has no end mark


def recognise(head: bytes) -> int:
    """Return the bits of the start header that hold: the magic and its CRC-32."""
    if len(head) < START or not head.startswith(MAGIC) or head[6]:
        return 0
    return 48 + 8 + 32 if zlib.crc32(head[12:START]) == int.from_bytes(head[8:12], "little") else 0


def header_place(head: bytes) -> tuple[int, int, int]:
    """Return where the header starts, its bytes and its CRC-32, by the start header."""
    offset, size = int.from_bytes(head[12:20], "little"), int.from_bytes(head[20:28], "little")
    return START + offset, size, int.from_bytes(head[28:32], "little")


class _Crcs:
    """Sums the files of a folder while it is decompressed."""

    def __init__(self, files: list[tuple[int, int | None]]) -> None:
        self._files = [file for file in files if file[0]]
        self._left = self._files[0][0] if self._files else 0
        self._crc = 0
        self.done = 0
        self.right = 0
        self.wrong = 0

    def take(self, data: bytes) -> None:
        """Sum the next bytes of the folder."""
        view = memoryview(data)
        while view and self.done < len(self._files):
            piece, view = view[: self._left], view[self._left :]
            self._crc = zlib.crc32(piece, self._crc)
            self._left -= len(piece)
            if not self._left:
                expected = self._files[self.done][1]
                self.right += expected == self._crc
                self.wrong += expected is not None and expected != self._crc
                self.done += 1
                self._crc = 0
                self._left = self._files[self.done][0] if self.done < len(self._files) else 0

    @property
    def complete(self) -> bool:
        """All files were summed."""
        return self.done == len(self._files)


class _Check:
    """The check of one archive."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.findings = Findings(reader.size)
        self.budget = Budget(reader.size)
        self.files = 0
        self.unchecked = 0
        self.findings.hold(88)
        head = reader.read_at(0, START)
        self._start, size, crc = header_place(head)
        self.end = self._start + size
        if self.end > reader.size:
            why = say("the 7z archive is cut off: its header would end at byte {end}", end=self.end)
            self.findings.fault(reader.size, reader.size, why)
            return
        header = reader.read_at(self._start, min(size, HEADER_CAP))
        if size and zlib.crc32(header) != crc:
            self.findings.fault(self._start, self.end, say("the header of the 7z archive has a wrong CRC-32"))
        elif size:
            self.findings.hold(32)
            self._walk(header)

    def _walk(self, header: bytes) -> None:
        try:
            packed = encoded_streams(header)
            if packed is not None:
                header = self._decode_header(packed)
            if not header:
                return
            self._check_folders(main_streams(header))
        except HeaderError:
            self.findings.fault(self._start, self.end, say("the header of the 7z archive does not hold"))

    def _decode_header(self, packed: Streams) -> bytes:
        """Return the header that is itself packed; nothing where it is encrypted or does not hold."""
        pieces: list[bytes] = []
        folder = packed.folders[0] if packed.folders else None
        if folder is None or folder.size > HEADER_CAP:
            raise HeaderError
        decoder = _decoder(folder)
        start = START + packed.position
        end = start + sum(packed.packed)
        if decoder is None:
            self.unchecked += 1
            return b""
        expand(decoder, self._reader, start, min(end, self._start), self.budget, folder.size, pieces.append)
        header = b"".join(pieces)
        if folder.crc is not None and zlib.crc32(header) != folder.crc:
            self.findings.fault(start, end, say("the packed header of the 7z archive is damaged"))
            return b""
        self.findings.hold(32)
        return header

    def _check_folders(self, streams: Streams) -> None:
        """Every folder's packed streams must lie inside; decompress it where that is supported."""
        position = START + streams.position
        packed = iter(streams.packed)
        for folder in streams.folders:
            sizes = [next(packed, 0) for _ in range(folder.packed)]
            end = position + sum(sizes)
            if end > self._start:
                why = say("a packed stream of the 7z archive reaches into its header")
                self.findings.fault(position, end, why)
                return
            if not self.budget.exceeded:
                self._check_folder(folder, position, end)
            position = end

    def _check_folder(self, folder: Folder, start: int, end: int) -> None:
        crcs = _Crcs(folder.files)
        self.files += len(folder.files)
        if [coder.method for coder in folder.coders] == [COPY]:
            for piece in chunks(self._reader, start, end):
                crcs.take(piece)
            position = start
        else:
            decoder = _decoder(folder)
            if decoder is None:
                self.unchecked += len(folder.files)
                return
            result = expand(decoder, self._reader, start, end, self.budget, folder.size, crcs.take)
            position = max(start, result.position - MARGIN)
            if result.end is End.CAPPED or self._held_back(folder, result.length):
                self.findings.hold(32 * crcs.right)
                return
        self.findings.hold(32 * crcs.right)
        if crcs.wrong or not crcs.complete:
            why = say(
                "{right} files of the block at byte {offset} hold, the others do not",
                right=crcs.right,
                offset=start,
            )
            self.findings.fault(start if crcs.wrong else position, end, why)

    def _held_back(self, folder: Folder, length: int) -> bool:
        """Return whether only the bytes are missing that a filter keeps for more input that never comes."""
        methods = {coder.method for coder in folder.coders}
        return LZMA1 in methods and bool(methods & BRANCHES.keys()) and 0 < folder.size - length <= HELD_BACK


def _decoder(folder: Folder) -> Decoder | None:
    """Return a decoder for the folder's chain of coders; None where it is not supported."""
    if any((coder.inputs, coder.outputs) != (1, 1) for coder in folder.coders) or folder.packed != 1:
        return None
    methods = [coder.method for coder in folder.coders]
    if methods == [DEFLATE]:
        return Inflater(RAW)
    if methods == [BZIP2]:
        return bz2.BZ2Decompressor()
    # The header lists the coders from the files' side, as liblzma wants its filters.
    filters = [_filter(coder.method, coder.properties) for coder in folder.coders]
    if not filters or None in filters or methods[-1] not in {LZMA1, LZMA2}:
        return None
    try:
        decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[each for each in filters if each])
        return Exactly(decoder, folder.size)
    except (lzma.LZMAError, ValueError):
        return None


def _filter(method: bytes, properties: bytes) -> dict[str, int] | None:
    """Return the filter for liblzma; None where it has none such."""
    if method == LZMA1 and len(properties) == 5:
        options = lzma_options(properties)
        return {"id": lzma.FILTER_LZMA1, **options} if options else None
    if method == LZMA2 and len(properties) == 1 and properties[0] <= 32:  # dictionaries of up to 256 MiB
        return {"id": lzma.FILTER_LZMA2, "dict_size": (2 | properties[0] & 1) << (properties[0] // 2 + 11)}
    if method == DELTA and len(properties) == 1:
        return {"id": lzma.FILTER_DELTA, "dist": properties[0] + 1}
    return {"id": BRANCHES[method]} if method in BRANCHES else None


def measure(reader: Reader) -> Measure:
    """Return the end of the header, which stands at the archive's end."""
    head = reader.read_at(0, START)
    if not recognise(head):
        return Measure(None, say("no 7z header"))
    start, size, crc = header_place(head)
    if start + size > reader.size or size > HEADER_CAP or zlib.crc32(reader.read_at(start, size)) != crc:
        return Measure(None, say("the header of the 7z archive has a wrong CRC-32"))
    return Measure(start + size, say("the header at the end of the 7z archive holds"))


def validate(reader: Reader) -> Validation:
    """Check start header and header by their CRC-32s, then decompress what is supported."""
    if not recognise(reader.read_at(0, START)):
        return bad(say("no 7z header"), reader.size)
    check = _Check(reader)
    findings = check.findings
    if check.end <= reader.size:
        check_trailer(reader, check.end, findings)
    whole = say("{count} files have the right CRC-32", count=check.files)
    if check.budget.exceeded or check.unchecked:
        whole = say("the headers hold; not all of {count} files could be decompressed", count=check.files)
    return findings.verdict(whole, min(check.end, reader.size))


FORMAT = Format(
    name="sevenzip",
    title="7z archive",
    extensions=("7z",),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC + b"\0\4"),),
    compressed=True,
    references=("https://www.7-zip.org/sdk.html (7zFormat.txt)",),
    limitations=(
        "Encrypted blocks and headers, PPMd, BCJ2, ARM64 and Zstandard: checked by the headers only.",
        "At most 64 times the file's size plus 256 MiB is decompressed.",
    ),
)
