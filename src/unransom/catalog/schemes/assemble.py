"""Puts an original together by its plan, piece by piece, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from unransom.catalog.formats.format import HEAD
from unransom.catalog.schemes.family import Decryptor, Insert, Keep, Lost, Plan, Unlock
from unransom.core.openfile import Stored
from unransom.core.spans import ByteMap, Origin, Span, merge
from unransom.core.streams import CHUNK, Salvage, file_of, stretches

ALIGNMENT = 16  # bytes that every decryptor takes whole: an AES block
APART = CHUNK  # bytes of a plain piece from which on it is not put into a buffer with its neighbours


class Assembly:
    """Iterates over the bytes of an original; ``map`` then tells where each came from.

    What is yielded are views of two buffers in turn: a view stays valid until the one after the next
    is asked for, so that hashing one can overlap with decrypting the next.

    Attributes:
        map: Where all bytes come from that were yielded until now.
        stored: Where the bytes that were yielded last stand as they are, None where they do not.
    """

    def __init__(self, locked: Salvage, plan: Plan, beneath: ByteMap | None = None) -> None:
        """Follow ``plan`` on ``locked``.

        Args:
            locked: The locked file.
            plan: How the original is put together.
            beneath: Where the bytes of ``locked`` come from, when it was unlocked itself.
        """
        self._locked = locked
        self._plan = plan
        self._beneath = beneath
        self._apart = file_of(locked) is not None
        self.map = ByteMap()
        self.stored: Stored | None = None

    def __iter__(self) -> Iterator[memoryview]:
        left = self._plan.size
        for view in self._views():
            if left <= 0:
                return
            yield view[:left]
            left -= min(left, len(view))

    def _views(self) -> Iterator[memoryview]:
        """Yield full buffers, the last one as far as it is filled, and long plain pieces between them."""
        size = self._plan.size
        buffers = _Buffers(min(CHUNK, max(size + -size % ALIGNMENT, ALIGNMENT)))
        for part in self._parts():
            if self._apart and part.plain and APART <= part.left <= self._locked.size - part.offset:
                yield from buffers.rest()
                yield from self._kept(part)
            while part.left:
                room = part.fitting(buffers.room)
                if room:
                    self._fill(part, buffers.take(room))
                if not buffers.room or not room:
                    yield from buffers.rest()
        yield from buffers.rest()

    def _kept(self, part: _Part) -> Iterator[memoryview]:
        """Yield a plain piece that lies within the file; its holes are not read."""
        start, length = part.take(part.left)
        known = len(self._locked.lost)
        for piece, stored in stretches(self._locked, start, start + length):
            lost = [Span(span.start - start, span.end - start) for span in self._locked.lost[known:]]
            known += len(lost)
            self._describe_kept(start, lost, min(len(piece), self._plan.size - self.map.size))
            self.stored = None if lost else stored
            start += len(piece)
            yield piece
        self.stored = None

    def _parts(self) -> Iterator[_Part]:
        for piece in self._plan.pieces:
            match piece:
                case Keep(offset, length):
                    yield _Part(offset, length)
                case Unlock(offset, length, cipher):
                    yield _Part(offset, length, cipher=cipher)
                case Insert(data):
                    yield _Part(0, len(data), data=data)
                case Lost(length):
                    yield _Part(self._locked.size, length)  # behind the end, where nothing can be read

    def _fill(self, part: _Part, out: memoryview) -> None:
        """Fill ``out`` with the next bytes of ``part`` and describe them in the map."""
        offset, length = part.take(len(out))
        room = self._plan.size - self.map.size  # what lies behind the original's end is padding
        if part.data is not None:
            out[:] = part.data[offset : offset + length]
            self.map.append(min(length, room), Origin.UNLOCKED)
            return
        known = len(self._locked.lost)
        data = self._locked.read_at(offset, length)
        if part.cipher is None:
            out[: len(data)] = data
        else:
            part.cipher.decrypt_into(memoryview(data), out[: len(data)])
        lost = [Span(span.start - offset, span.end - offset) for span in self._locked.lost[known:]]
        if len(data) < length:  # the file is shorter than its metadata says
            lost.append(Span(len(data), length))
        lost = part.spread(lost)
        for span in lost:
            out[span.start : span.end] = bytes(len(out[span.start : span.end]))
        if part.plain:
            self._describe_kept(offset, lost, min(length, room))
        else:
            self._describe(lost, Origin.UNLOCKED, min(length, room))

    def _describe_kept(self, offset: int, lost: list[Span], length: int) -> None:
        """Append the next bytes to the map, which stand at ``offset`` of the locked file as they are."""
        if lost or not self._beneath:
            self._describe(lost, Origin.PLAIN, length)
            return
        for run in self._beneath.between(offset, offset + length):
            self.map.append(run.end - run.start, run.origin)

    def _describe(self, lost: list[Span], origin: Origin, length: int) -> None:
        """Append the next ``length`` bytes to the map, with what is lost of them."""
        position = 0
        for span in lost:
            self.map.append(min(span.start, length) - position, origin)
            self.map.append(min(span.end, length) - min(span.start, length), Origin.LOST)
            position = min(span.end, length)
        self.map.append(length - position, origin)


class _Buffers:
    """Two buffers that are filled in turn."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._buffers = [memoryview(bytearray(size)) for _ in range(2)]
        self._used = 0

    @property
    def room(self) -> int:
        """Bytes that the present buffer still takes."""
        return self._size - self._used

    def take(self, length: int) -> memoryview:
        """Return the next ``length`` bytes of the present buffer, to be filled."""
        start = self._used
        self._used += length
        return self._buffers[0][start : self._used]

    def rest(self) -> Iterator[memoryview]:
        """Yield what the present buffer is filled with, if anything, and go on with the other."""
        if self._used:
            filled, self._used = self._used, 0
            self._buffers.reverse()
            yield self._buffers[1][:filled]


class _Part:
    """A piece of the plan, of which some bytes have been taken."""

    def __init__(
        self, offset: int, length: int, *, cipher: Decryptor | None = None, data: bytes | None = None
    ) -> None:
        self.cipher = cipher
        self.data = data
        self.left = length
        self.offset = offset
        self._spill = 0  # bytes at the next take that damage before them makes wrong

    @property
    def plain(self) -> bool:
        """Whether these are bytes of the locked file as they stand there."""
        return self.cipher is None and self.data is None

    def fitting(self, room: int) -> int:
        """Return how many bytes to take into ``room``: all, or as many whole cipher blocks as fit."""
        if self.left <= room:
            return self.left
        return room - room % ALIGNMENT if self.cipher else room

    def take(self, length: int) -> tuple[int, int]:
        """Take ``length`` bytes; return where they are."""
        offset = self.offset
        self.offset += length
        self.left -= length
        return offset, length

    def spread(self, lost: list[Span]) -> list[Span]:
        """Return ``lost`` with what the cipher's chaining spoils behind it."""
        spill = self.cipher.spill if self.cipher else 0
        if not spill:
            return lost
        spoiled = [Span(0, self._spill)] if self._spill else []
        spoiled += [Span(span.start, span.end + spill) for span in lost]
        self._spill = spill if lost and self.left else 0
        return merge(spoiled)


def beginning(locked: Salvage, plan: Plan) -> bytes:
    """Return as many of the original's first bytes as its format is recognised by; it uses the plan up."""
    start = msgspec.structs.replace(plan, size=min(plan.size, HEAD))
    return b"".join(bytes(view) for view in Assembly(locked, start))


def assembled(locked: Salvage, plan: Plan) -> tuple[bytes, ByteMap]:
    """Return the whole original, which must fit into memory, and where its bytes come from."""
    assembly = Assembly(locked, plan)
    return b"".join(bytes(view) for view in assembly), assembly.map


def assemble_in_memory(locked: Salvage, plan: Plan, limit: int) -> bytes | None:
    """Return the whole original, None where it is larger than ``limit`` or a part of it is lost."""
    if plan.size > limit:
        return None
    data, origins = assembled(locked, plan)
    return None if origins.totals()[Origin.LOST] else data
