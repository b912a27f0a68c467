"""Puts an original together by its plan, piece by piece, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.schemes.family import Decryptor, Insert, Keep, Lost, Plan, Unlock
from unransom.core.spans import ByteMap, Origin, Span, merge
from unransom.core.streams import CHUNK, Salvage

ALIGNMENT = 16  # bytes that every decryptor takes whole: an AES block


class Assembly:
    """Iterates over the bytes of an original; ``map`` then tells where each came from.

    What is yielded are views of two buffers in turn: a view stays valid until the one after the next
    is asked for, so that hashing one can overlap with decrypting the next.
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
        self.map = ByteMap()

    def __iter__(self) -> Iterator[memoryview]:
        left = self._plan.size
        for view in self._filled():
            if left <= 0:
                return
            yield view[:left]
            left -= min(left, len(view))

    def _filled(self) -> Iterator[memoryview]:
        """Yield full buffers, and the last one as far as it is filled."""
        buffers = (memoryview(bytearray(CHUNK)), memoryview(bytearray(CHUNK)))
        turn = used = 0
        for part in self._parts():
            while part.left:
                room = part.fitting(CHUNK - used)
                if room:
                    self._fill(part, buffers[turn][used : used + room])
                    used += room
                if used == CHUNK or not room:
                    yield buffers[turn][:used]
                    turn, used = 1 - turn, 0
        if used:
            yield buffers[turn][:used]

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
        if part.cipher is None and self._beneath and not lost:
            for run in self._beneath.between(offset, offset + min(length, room)):
                self.map.append(run.end - run.start, run.origin)
            return
        origin = Origin.PLAIN if part.cipher is None else Origin.UNLOCKED
        self._describe(out, part.spread(lost), origin, min(length, room))

    def _describe(self, out: memoryview, lost: list[Span], origin: Origin, length: int) -> None:
        """Zero what is lost in ``out`` and append its first ``length`` bytes to the map."""
        position = 0
        for span in lost:
            end = min(span.end, len(out))
            out[span.start : end] = bytes(end - span.start)
            self.map.append(min(span.start, length) - position, origin)
            self.map.append(min(end, length) - min(span.start, length), Origin.LOST)
            position = min(end, length)
        self.map.append(length - position, origin)


class _Part:
    """A piece of the plan, of which some bytes have been taken."""

    def __init__(
        self, offset: int, length: int, *, cipher: Decryptor | None = None, data: bytes | None = None
    ) -> None:
        self.cipher = cipher
        self.data = data
        self.left = length
        self._offset = offset
        self._spill = 0  # bytes at the next take that damage before them makes wrong

    def fitting(self, room: int) -> int:
        """Return how many bytes to take into ``room``: all, or as many whole cipher blocks as fit."""
        if self.left <= room:
            return self.left
        return room - room % ALIGNMENT if self.cipher else room

    def take(self, length: int) -> tuple[int, int]:
        """Take ``length`` bytes; return where they are."""
        offset = self._offset
        self._offset += length
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


def assemble_in_memory(locked: Salvage, plan: Plan, limit: int) -> bytes | None:
    """Return the whole original, None where it is larger than ``limit`` or a part of it is lost."""
    if plan.size > limit:
        return None
    assembly = Assembly(locked, plan)
    data = b"".join(bytes(view) for view in assembly)
    return None if assembly.map.totals()[Origin.LOST] else data
