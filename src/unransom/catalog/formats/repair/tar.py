"""tar archives: every whole member as it stands, and what is left of the others."""

from __future__ import annotations

import re
import tarfile
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats.repair._letters import NARROW
from unransom.catalog.formats.repair.repair import LISTED, Count, Damaged, Piece, Repair, Repaired, copied
from unransom.catalog.formats.tar import BLOCK, FORMAT, LINKS, RECORD, Member, read_header
from unransom.core.messages import Message, say
from unransom.core.spans import Origin, Span, gaps, merge
from unransom.core.streams import CHUNK, Reader, chunks

PARTIAL = "partial/"  # folder of what is left of damaged members
REGULAR = (b"0", b"\0", b"7")
EXTENDED = (b"x", b"X", b"L", b"K")  # headers that tell of the member behind them
FEW = 4  # bytes that no text has in a block of one: fewer are a slip
DIFFERENT = 200  # values in a random block at least; 221 are to be expected
LONGEST = 1 << 20  # bytes of an extended header
SIZE = re.compile(rb"(?:^|\n)\d+ size=(\d{1,20})\n")
GLOBAL = b"g"
UNPROVEN = say("the headers of members hold, but their contents have no checksums and may be locked in part")
NAME_FIELD = 100  # bytes of a name; a longer one, or one of other letters, is in an extended header


class Left(NamedTuple):
    """A member, or a stretch of members whose headers are lost.

    Attributes:
        start: Where the first of its headers begins.
        data: Where its content does.
        size: Bytes of content that it has in the file.
        end: Behind what fills its last block.
        header: Its own header, b"" where that is lost.
        kind: Its type.
        name: Its name.
        lost: What of the content is lost.
        declared: Bytes of content that its header says.
        whole: All of it is left.
        unsure: Some of it may be lost: what follows is no header, or there is noise in its content.
    """

    start: int
    data: int
    size: int
    end: int
    header: bytes
    kind: bytes
    name: bytes
    lost: list[Span]
    declared: int
    whole: bool
    unsure: bool

    @property
    def left(self) -> int:
        """Bytes of content that are left."""
        return self.size - sum(map(len, self.lost))


def longer_name(kind: bytes, data: bytes) -> bytes:
    """Return the name that an extended header gives the next member, b"" for none."""
    if kind in {b"x", b"X"}:
        found = re.search(rb"(?:^|\n)\d+ path=([^\n]*)\n", data)
        return found[1] if found else b""
    return data.rstrip(b"\0") if kind == b"L" else b""


def info_of(block: bytes) -> tarfile.TarInfo | None:
    """Return what a header says as tarfile has it, None where that cannot read it."""
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return None


class _Walk:
    """The walk from header to header, and over holes to the next one.

    Attributes:
        breaks: Places without a header that no known hole explains.
        unfollowed: Extended headers whose member is lost, and known holes where a header was.
    """

    def __init__(self, damaged: Damaged) -> None:
        self._reader = Cached(damaged.reader)
        self._lost = merge(damaged.lost)
        self._ends = [span.end for span in self._lost]
        self.breaks = self.unfollowed = 0

    def has_header(self) -> bool:
        """Return whether there is any header."""
        return self._header(0) is not None or self._next(0) < self._reader.size

    def _lost_in(self, start: int, end: int) -> list[Span]:
        """Return the known holes in a range, cut off at its ends."""
        found = []
        for index in range(bisect_right(self._ends, start), len(self._lost)):
            span = self._lost[index]
            if span.start >= end:
                break
            found.append(Span(max(span.start, start), min(span.end, end)))
        return found

    def _header(self, at: int) -> tuple[bytes, Member] | None:
        block = self._reader.read_at(at, BLOCK)
        member = read_header(block) if block[:1] != b"\0" and not self._lost_in(at, at + BLOCK) else None
        return (block, member) if member else None

    def __iter__(self) -> Iterator[Left]:
        at, named = 0, True
        while at < self._reader.size:
            if self._header(at):
                left = self._member(at, named)
                at, named = left.end, bool(left.header)
                yield left
                continue
            following = self._next(at)
            if self._lost_in(at, at + BLOCK):
                self.unfollowed += 1
                yield from self._nameless(at, following)
                named = False
            elif self._is_noise(at):
                self.breaks += 1
                named = False
            at = following

    def _is_noise(self, at: int) -> bool:
        """Return whether something else than a header or zeros is there, and no known hole."""
        block = self._reader.read_at(at, BLOCK)
        return any(block) and not self._lost_in(at, at + BLOCK) and self._header(at) is None

    def _is_emptied(self, data: int, end: int) -> bool:
        """Return whether content that ends in zeros is followed by zeros, and those by a header.

        Zeros end an archive; where it goes on behind them they may be a hole that begins in the content.
        """
        tail = self._reader.read_at(max(end - BLOCK, data), min(BLOCK, end - data))
        following = self._reader.read_at(-(-end // BLOCK) * BLOCK, BLOCK)
        if not following or any(following) or any(tail[-16:]):
            return False
        return self._next(-(-end // BLOCK) * BLOCK) < self._reader.size

    def _is_mixed(self, data: int, end: int) -> bool:
        """Return whether most blocks of content are text and others are not, or few are random."""
        strange = NARROW.strange()
        texts = others = random = blocks = 0
        for piece in chunks(self._reader, data, end):
            values = np.frombuffer(piece, np.uint8)
            counts = np.add.reduceat(strange[values], np.arange(0, len(values), BLOCK), dtype=np.int64)
            texts += int((counts == 0).sum())
            others += int((counts >= FEW).sum())
            ordered = np.sort(values[: len(values) // BLOCK * BLOCK].reshape(-1, BLOCK), axis=1)
            random += int(((ordered[:, 1:] != ordered[:, :-1]).sum(axis=1) >= DIFFERENT).sum())
            blocks += len(counts)
        return 0 < others < texts or 0 < random <= blocks - random

    def _next(self, at: int) -> int:
        """Return where the next header is, the size where none is."""
        position = at + BLOCK
        while position < self._reader.size:
            data = self._reader.read_at(position, CHUNK)
            blocks = np.frombuffer(data[: len(data) // BLOCK * BLOCK], np.uint8).reshape(-1, BLOCK)
            likely = (blocks[:, 257:262] == np.frombuffer(b"ustar", np.uint8)).all(axis=1)
            old = ~blocks[:, 257:329].any(axis=1) & ~blocks[:, 345:].any(axis=1)  # device numbers between
            likely |= old & (blocks[:, 0] != 0)
            for index in np.flatnonzero(likely).tolist():
                if self._header(position + int(index) * BLOCK):
                    return position + int(index) * BLOCK
            position += max(len(data) // BLOCK * BLOCK, BLOCK)
        return self._reader.size

    def _member(self, start: int, named: bool) -> Left:
        """Take the member whose first header is at ``start``; ``named``: no header of its can be lost."""
        at, name, size = start, b"", None
        while (found := self._header(at)) and found[1].kind in EXTENDED:
            end = at + BLOCK + found[1].size
            if found[1].size > LONGEST or end > self._reader.size or self._lost_in(at, end):
                return self._taken(Left(start, end, 0, end, b"", b"", b"", [], 0, False, False))
            data = self._reader.read_at(at + BLOCK, found[1].size)
            name = longer_name(found[1].kind, data) or name
            declared = SIZE.search(data) if found[1].kind in {b"x", b"X"} else None
            size = int(declared[1]) if declared else size
            at = -(-end // BLOCK) * BLOCK
        if found is None:
            return self._taken(Left(start, at, 0, at, b"", b"", b"", [], 0, False, False))
        block, member = found
        info = info_of(block)
        own = info.name.encode("utf-8", "surrogateescape") if info else block[:NAME_FIELD].split(b"\0")[0]
        data_at = at + BLOCK
        length = 0 if member.kind in LINKS else member.size if size is None else size
        end = min(data_at + length, self._reader.size)
        lost = self._lost_in(data_at, end)
        filled = -(-end // BLOCK) * BLOCK
        unsure = (
            (any(self._reader.read_at(end, filled - end)) and not self._lost_in(end, filled))
            or self._is_noise(filled)
            or self._is_emptied(data_at, end)
            or (not self._lost and self._is_mixed(data_at, end))
            or (not named and not name and (len(own) >= NAME_FIELD or b"?" in own))
        )
        whole = not lost and not unsure and end == data_at + length and not member.sparse
        return Left(
            start,
            data_at,
            end - data_at,
            filled,
            block,
            member.kind,
            name or own,
            lost,
            length,
            whole,
            unsure,
        )

    def _taken(self, left: Left) -> Left:
        """Return extended headers whose member is lost, to the end of their last block."""
        self.unfollowed += 1
        return left._replace(end=min(-(-left.end // BLOCK) * BLOCK, self._reader.size))

    def _nameless(self, at: int, end: int) -> Iterator[Left]:
        """Yield what known holes leave of members without a header."""
        holes = [Span(span.start - at, span.end - at) for span in self._lost_in(at, end)]
        for gap in gaps(holes, end - at):
            start, stop = at + gap.start, at + gap.end
            if end == self._reader.size and stop == end:
                stop = self._filled_from(start, stop)
            if stop - start >= BLOCK and any(any(piece) for piece in chunks(self._reader, start, stop)):
                name = b"left-at-%d.bin" % start
                yield Left(start, start, stop - start, end, b"", b"0", name, [], 0, False, False)

    def _filled_from(self, start: int, end: int) -> int:
        """Return where the zeros begin that end an archive."""
        low = max(start, end - RECORD - 2 * BLOCK)
        return low + len(self._reader.read_at(low, end - low).rstrip(b"\0"))


def repair(damaged: Damaged) -> Repaired | None:
    """Write a new archive of what is left; None where no member has a byte."""
    walk = _Walk(damaged)
    whole = total = rest = 0
    broken: list[tuple[str, Message]] = []
    nameless = 0
    for each in walk:
        if not each.header:
            nameless += bool(each.name)
            rest += each.left if each.name else 0
            continue
        total += each.kind != GLOBAL
        whole += each.whole and each.kind != GLOBAL
        rest += each.left
        if not each.whole and len(broken) < LISTED:
            broken.append((_title(each), _told(each)))
    if not whole and not rest:
        return None
    headers_lost = nameless or walk.breaks or walk.unfollowed
    missing = [message for _, message in broken]
    if nameless:
        missing.append(
            say("of members whose headers are lost {count} stretches are left, without names", count=nameless)
        )
    elif headers_lost:
        missing.append(say("members whose headers are lost are lost with them"))
    return Repaired(
        _pieces(damaged),
        say("the members that are left were put into a new archive"),
        (Count("members", whole, None if headers_lost else total),),
        tuple(missing),
        tuple(title for title, _ in broken),
        unproven=None if damaged.lost and not walk.breaks else UNPROVEN,
    )


def _title(left: Left) -> str:
    return left.name.decode("utf-8", "replace")


def _told(left: Left) -> Message:
    if left.unsure:
        return say("some of member {name}, or of its name, may be lost", name=_title(left))
    return say(
        "of member {name} {left} of {total} bytes are left",
        name=_title(left),
        left=left.left,
        total=left.declared,
    )


def _pieces(damaged: Damaged) -> Iterator[Piece]:
    """Yield the new archive: whole members with their headers as they stand, others in a folder."""
    size = 0
    for each in _Walk(damaged):
        parts = (
            copied(damaged.reader, each.start, min(each.end, damaged.reader.size))
            if each.whole
            else _partial(damaged.reader, each)
            if each.name and each.left and each.kind in REGULAR
            else ()
        )
        for data, origin in parts:
            size += len(data)
            yield data, origin
        if -size % BLOCK:  # the file ends within the block
            yield bytes(-size % BLOCK), Origin.GUESSED
            size += -size % BLOCK
    yield bytes(2 * BLOCK + -(size + 2 * BLOCK) % RECORD), Origin.GUESSED


def _partial(reader: Reader, left: Left) -> Iterator[Piece]:
    """Yield a damaged member, zeros for lost bytes, under a name that says so."""
    info = (info_of(left.header) if left.header else None) or tarfile.TarInfo()
    info.name = PARTIAL + left.name.decode("utf-8", "surrogateescape").lstrip("/")
    info.size = left.size
    info.type = tarfile.REGTYPE
    try:
        yield info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"), Origin.GUESSED
    except (ValueError, OverflowError):
        return
    position = left.data
    for span in (*left.lost, Span(left.data + left.size, left.data + left.size)):
        for data, origin in copied(reader, position, span.start):
            yield data, Origin.GUESSED if left.unsure else origin
        for start in range(span.start, span.end, CHUNK):
            yield bytes(min(CHUNK, span.end - start)), Origin.LOST
        position = span.end
    yield bytes(-left.size % BLOCK), Origin.GUESSED


def finds(reader: Reader) -> bool:
    """Return whether a header is at the beginning of any block."""
    walk = _Walk(Damaged(reader))
    return walk.has_header()


REPAIR = Repair((FORMAT.name,), FORMAT.extensions, repair, finds)
