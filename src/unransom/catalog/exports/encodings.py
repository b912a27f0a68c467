"""The encoding of an export: proven by all of its bytes, never fallen back on."""

from __future__ import annotations

import codecs
import hashlib
import re
import threading
from typing import NamedTuple

import numpy as np

from unransom.catalog.exports.channel import HEAD, Source, UnreadableExportError
from unransom.catalog.exports.containers import ReaderFile
from unransom.core.messages import say
from unransom.core.streams import chunks

BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
UTF8 = "utf-8"
RARE = 32  # characters of which one is Latin, at least, in any export of two bytes a character
SURE = 3  # times as many zeros in one half of the characters as in the other: U+4E00 has one there, too
EXPONENT = b"E+"
LAST_READ = 0.3  # seconds in which a reader that was told to stop asks once more, if it ever does
CERTAIN = 2  # characters of several bytes in a line that is valid UTF-8: by chance that hardly happens
_ODD_LINE = re.compile(rb"(?<=\n)[^\n]*[\x80-\xff][^\n]*(?=\n)")


class Encoded(NamedTuple):
    """An export's bytes, understood.

    Attributes:
        encoding: Codec.
        mark: Bytes of its mark.
        sha256: Digest of all of it.
        alternatives: Further codecs that fit.
        exponents: Whether a number may be in it that a spreadsheet wrote with an exponent.
    """

    encoding: str
    mark: int
    sha256: str
    alternatives: tuple[str, ...] = ()
    exponents: bool = True


def mark_of(head: bytes) -> tuple[str, int]:
    """Return the codec that a byte order mark names and its length; ("", 0) without one.

    Text of two bytes a character shows without a mark, too: of each Latin letter, digit, delimiter and line's
    end one byte is zero, always the same of both, and no other encoding has zeros.
    """
    for mark, codec in BOMS:
        if head.startswith(mark):
            return codec, len(mark)
    if b"\0" in head:
        first, second = (head[start::2].count(0) for start in (0, 1))
        for codec, zeros, others in (("utf-16-le", second, first), ("utf-16-be", first, second)):
            if zeros * RARE >= len(head) // 2 and others * SURE <= zeros:
                return codec, 0
    return "", 0


def text_of(head: bytes, encodings: tuple[str, ...] = (UTF8, "gb18030")) -> str:
    """Return the beginning of a file as text for recognising it; wrong characters do not matter here."""
    codec, mark = mark_of(head)
    for encoding in (codec,) if codec else encodings:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            return decoder.decode(head[mark:])
        except UnicodeDecodeError:
            continue
    return head.decode("latin-1")


def detect(source: Source, encodings: tuple[str, ...], longest_line: int = 0) -> Encoded:
    """Return the first of ``encodings`` that all bytes of an export are valid in.

    Args:
        source: The export.
        encodings: Names of codecs.
        longest_line: Bytes of a line beyond which nothing more is read, 0 for any number.

    Raises:
        UnreadableExportError: None is, as with mixed encodings and cut characters; or a line is too long.
    """
    codec, mark = mark_of(source.reader.read_at(0, HEAD))
    wanted = source.reading.encoding
    candidates = {
        name: _decoder(name) for name in ((wanted,) if wanted else (codec,) if codec else encodings)
    }
    hasher, offset, plain = hashlib.sha256(), 0, True
    failed: dict[str, int] = {}
    line = 0  # bytes since the last line's end
    exponents, end = codec.startswith("utf-16"), b""
    for piece in chunks(source.reader):
        last = piece.rfind(b"\n")
        line = len(piece) - last - 1 if last >= 0 else line + len(piece)
        if longest_line and line > longest_line:
            raise _endless(offset + len(piece) - line)
        hasher.update(piece)
        exponents = exponents or _has_exponent(piece) or EXPONENT in end + piece[:1]
        end = piece[-1:]
        # Plain ASCII is the same in each: decoding waits for the first byte that is not.
        plain = plain and piece.isascii() and not codec.startswith("utf-16")
        if not plain:
            _try(candidates, piece, offset, failed)
        offset += len(piece)
    if not plain:
        _try(candidates, b"", offset, failed, final=True)
    fits = [name for name in candidates if name not in failed]
    if fits and UTF8 in failed and not wanted:
        # Nearly any bytes are valid GB 18030 or cp1252: lines of UTF-8 among others show two files in one.
        _refuse_mixture(source, failed)
    if not fits:
        raise UnreadableExportError(
            say("its text is in no single encoding of {names}", names=", ".join(failed)),
            detail=", ".join(f"{name}: byte {at:,}" for name, at in failed.items()),
            hint=say("say which with --encoding, or export the file again"),
        )
    return Encoded(fits[0], mark, hasher.hexdigest(), tuple(fits[1:]) if not plain else (), exponents)


def _has_exponent(piece: bytes) -> bool:
    """Return whether EXPONENT is in ``piece``; as numbers of two bytes, five times as quick as as a text."""
    wanted = int.from_bytes(EXPONENT, "little")
    return any(
        (np.frombuffer(piece, "<u2", (len(piece) - phase) // 2, phase) == wanted).any()
        for phase in range(min(2, len(piece)))
    )


def _endless(start: int) -> UnreadableExportError:
    return UnreadableExportError(
        say("it has a line that no export has"),
        detail=f"byte {start:,}",
        hint=say("a line or a cell may be cut off or far too long; export the file again"),
    )


def _refuse_mixture(source: Source, failed: dict[str, int]) -> None:
    """Raise where a text that is not UTF-8 has lines that can hardly be anything else."""
    for piece in chunks(source.reader):
        for line in _ODD_LINE.findall(piece) if not piece.isascii() else ():
            try:
                characters = sum(not character.isascii() for character in line.decode(UTF8))
            except UnicodeDecodeError:
                continue
            if characters >= CERTAIN:
                raise UnreadableExportError(
                    say("some of its lines are UTF-8 and some are not"),
                    detail=f"{UTF8}: byte {failed[UTF8]:,}",
                    hint=say("say which with --encoding, or export the file again"),
                )


def _decoder(name: str) -> codecs.IncrementalDecoder:
    try:
        return codecs.getincrementaldecoder(name)()
    except LookupError as error:
        raise UnreadableExportError(say("{name} is no encoding that is known", name=name)) from error


def _try(
    candidates: dict[str, codecs.IncrementalDecoder],
    piece: bytes,
    offset: int,
    failed: dict[str, int],
    *,
    final: bool = False,
) -> None:
    for name, decoder in candidates.items():
        if name not in failed:
            try:
                decoder.decode(piece, final)
            except UnicodeDecodeError as error:
                failed[name] = offset + error.start


class Utf8File(ReaderFile):
    """A reader in any encoding as a file in UTF-8."""

    def __init__(self, source: Source, start: int, encoding: str) -> None:
        """Read ``source`` from the byte ``start`` on, which is the beginning of a character."""
        super().__init__(source.reader, start)
        self._decoder = None if encoding == UTF8 else codecs.getincrementaldecoder(encoding)()
        self._kept = b""
        self._reading = threading.Lock()
        self._stopped = False
        self._ended = threading.Event()

    def stop(self) -> None:
        """Let whoever reads ahead in another thread come to an end: no thread may outlive the program."""
        with self._reading:
            self._stopped = True
        self._ended.wait(LAST_READ)

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes of UTF-8; fewer only at the end."""
        with self._reading:
            if self._stopped:
                self._ended.set()
                return b""
            return self._next(size)

    def _next(self, size: int) -> bytes:
        if self._decoder is None:
            return super().read(size)
        while size < 0 or len(self._kept) < size:
            packed = super().read(size)
            self._kept += self._decoder.decode(packed, final=not packed).encode()
            if not packed:
                break
        data = self._kept if size < 0 else self._kept[:size]
        self._kept = self._kept[len(data) :]
        return data
