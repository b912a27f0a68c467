"""How the letters of a text are written: in bytes, or in UTF-16; and what no text has among them."""

from __future__ import annotations

import unicodedata
from functools import cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.core.streams import Reader, chunks

NEVER = (*range(9), 11, *range(14, 27), *range(28, 32), 127)  # control characters that no text has
STRANGE = frozenset({"Cn", "Co"})  # not assigned, or without a meaning of its own
COMMON = b'\n"'  # ends of lines and quotes: of these any text has some, a JSON document of one line too
SEARCHED = 1 << 28  # bytes in which they are counted
FEWEST = 4  # of them tell UTF-16
SHARE = 20  # at least one in so many bytes like them is one: locked ranges have such bytes too


class Letters(msgspec.Struct, frozen=True):
    """How letters are written.

    Attributes:
        unit: The type of one, for NumPy.
        width: Bytes of one.
        codec: What decodes them; of bytes UTF-8 is likeliest.
        newline: The end of a line.
        mark: What stands in front of such a text, "" for nothing.
    """

    unit: str
    width: int
    codec: str
    newline: bytes
    mark: bytes

    def strange(self) -> NDArray[np.bool_]:
        """Return for every unit whether no text has it."""
        return _strange(self.unit)

    def up(self, offset: int) -> int:
        """Return where the first letter behind ``offset`` begins."""
        return -(-offset // self.width) * self.width

    def line(self, piece: bytes) -> int:
        """Return where the second line of ``piece`` begins, -1 where none does."""
        found = piece.find(self.newline)
        while found % self.width and found >= 0:
            found = piece.find(self.newline, found + 1)
        return found + self.width if found >= 0 else -1

    def last_line(self, piece: bytes) -> int:
        """Return where the last whole line of ``piece`` ends, -1 where none does."""
        found = piece.rfind(self.newline)
        while found % self.width and found >= 0:
            found = piece.rfind(self.newline, 0, found + self.width - 1)
        return found + self.width if found >= 0 else -1

    def lines(self, piece: bytes) -> int:
        """Return how many lines end in ``piece``."""
        if self.width == 1:
            return piece.count(self.newline)
        return int((np.frombuffer(piece[: len(piece) // 2 * 2], self.unit) == ord("\n")).sum())


NARROW = Letters("u1", 1, "utf-8", b"\n", b"")
WIDE = (
    Letters("<u2", 2, "utf-16-le", b"\n\0", b"\xff\xfe"),
    Letters(">u2", 2, "utf-16-be", b"\0\n", b"\xfe\xff"),
)


@cache
def _strange(unit: str) -> NDArray[np.bool_]:
    if unit == "u1":
        return np.isin(np.arange(256), [*NEVER, 255])
    found = np.fromiter((unicodedata.category(chr(code)) in STRANGE for code in range(1 << 16)), np.bool_)
    found[[*NEVER]] = True
    return found


def letters_of(reader: Reader) -> Letters:
    """Return how the letters of a text are written, by its mark, else by its ends of lines and its quotes."""
    start = reader.read_at(0, 2)
    for each in WIDE:
        if start == each.mark:
            return each
    counts = dict.fromkeys(WIDE, 0)
    total = 0
    for piece in chunks(reader, 0, min(reader.size, SEARCHED)):
        total += sum(map(piece.count, COMMON))
        for each in WIDE:
            units = np.frombuffer(piece[: len(piece) // 2 * 2], each.unit)
            counts[each] += int(np.isin(units, np.frombuffer(COMMON, np.uint8)).sum())
    best = max(WIDE, key=counts.__getitem__)
    return best if counts[best] >= FEWEST and counts[best] * SHARE >= total else NARROW
