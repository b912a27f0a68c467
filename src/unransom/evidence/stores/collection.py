"""A logical image as a source: the files of a folder, or the versions of a bucket, as they were acquired."""

from __future__ import annotations

import base64
import contextlib
import errno
import json
from collections.abc import Iterator
from typing import Any

from unransom.core.messages import say
from unransom.core.records import FileRef, Kind, Problem, Source
from unransom.core.streams import CHUNK, Reader
from unransom.core.text import shown
from unransom.evidence.containers import open_disk
from unransom.evidence.containers.collection import BEHIND, BLOCK, parse_index
from unransom.evidence.containers.mapped import Mapped, Missing, Piece
from unransom.evidence.descriptors import changed
from unransom.evidence.locations import path_of
from unransom.evidence.problems import problem
from unransom.evidence.store import Store

LONGEST_LINE = 1 << 24  # bytes of the manifest
KINDS = {"0": Kind.FILE, "1": Kind.FILE, "2": Kind.SYMLINK}
Line = dict[str, Any]


class StoredFile(Mapped):
    """The content of a file: stretches of the archive, holes between them, and what could not be read."""

    def __init__(self, archive: Reader, line: Line) -> None:
        """Read the file that a line of the manifest describes.

        Raises:
            ValueError: The line makes no sense.
        """
        self.size = int(line["size"])
        self._archive = archive
        self._lost = [(int(start), int(end)) for start, end in line.get("lost", ())]
        if line.get("problem"):
            self._lost = [(0, self.size)]
        self._stretches: list[tuple[int, int, int]] = []  # where in the file, bytes, where in the archive
        at, before = int(line["at"]), 0
        for start, length in line.get("segments") or ((0, self.size),):
            if not before <= int(start) <= int(start) + int(length) <= self.size or at < 0:
                raise ValueError("segments that do not fit")
            self._stretches.append((int(start), int(length), at))
            at, before = at + int(length), int(start) + int(length)

    def piece_at(self, offset: int) -> Piece:
        """Return where byte ``offset`` is."""
        for start, end in self._lost:
            if start <= offset < end:
                return Piece(end - offset, Missing(self.size, "it could not be read"), offset)
        limit = min((start for start, _ in self._lost if start > offset), default=self.size)
        for start, length, at in self._stretches:
            if offset < start:
                return Piece(min(start, limit) - offset)
            if offset < start + length:
                inside = offset - start
                return Piece(min(length - inside, limit - offset), self._archive, at + inside)
        return Piece(limit - offset)


class CollectionStore:
    """The files in a logical image."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._path = path_of(source)
        self._disk = open_disk(self._path)
        self._fingerprint = self._disk.fingerprint()
        block = self._disk.read_at(max(0, self._disk.size - BEHIND - BLOCK), BLOCK)
        self._manifest = parse_index(block, self._disk.size) or range(0)

    def fingerprint(self) -> str:
        """Return size and modification time of the image."""
        return self._fingerprint

    def files(self) -> Iterator[FileRef | Problem]:
        """Yield every entry that is no folder; what could not be acquired is a problem."""
        for position, text in self._lines():
            try:
                line = json.loads(text)
                path = base64.b64decode(line["path_b64"])
                yield from self._entry(path, line, f"{position}:{len(text)}")
            except (ValueError, KeyError, TypeError) as error:
                yield self._problem(b"", str(error))

    @contextlib.contextmanager
    def open(self, ref: FileRef) -> Iterator[Reader]:
        """Open the content of ``ref``; see ``Store.open``."""
        if ref.kind is not Kind.FILE:
            raise OSError(errno.EINVAL, "not a regular file", shown(ref.path))
        if self._disk.fingerprint() != (self.source.fingerprint or self._fingerprint):
            raise changed(ref, shown(self._path))
        try:
            position, length = map(int, ref.locator.split(":"))
            line = json.loads(self._disk.read_at(position, min(length, LONGEST_LINE)))
            if int(line["size"]) != ref.size:
                raise ValueError("another size")
            reader = StoredFile(self._disk, line)
        except (ValueError, KeyError, TypeError) as error:
            raise changed(ref, str(error)) from error
        yield reader

    def close(self) -> None:
        """Release the image; a second call does nothing."""
        self._disk.close()

    def _entry(self, path: bytes, line: Line, locator: str) -> Iterator[FileRef | Problem]:
        if line.get("problem"):
            yield self._problem(path, str(line["problem"]))
        if line["kind"] in {"?", "5", "D"}:
            return
        kind = KINDS.get(line["kind"], Kind.SPECIAL)
        yield FileRef(
            source=self.source.id,
            path=path,
            size=max(0, int(line["size"])),
            kind=kind,
            version=str(line.get("version", "")),
            deleted=bool(line.get("deleted", False)),
            locator=locator,
            modified=_time(line.get("modified")),
            changed=_time(line.get("changed")),
        )

    def _problem(self, path: bytes, why: str) -> Problem:
        return problem(
            self.source.id,
            path,
            say("it could not be acquired: {error}", error=why),
            say("acquire it again while the source is there"),
        )

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield the lines of the manifest, and where they begin."""
        rest, position = b"", self._manifest.start
        for start in range(self._manifest.start, self._manifest.stop, CHUNK):
            *lines, rest = (rest + self._disk.read_at(start, min(CHUNK, self._manifest.stop - start))).split(
                b"\n"
            )
            for line in lines:
                yield position, line
                position += len(line) + 1
            if len(rest) > LONGEST_LINE:
                return


def _time(value: object) -> int | None:
    return value if isinstance(value, int) and abs(value) < 1 << 63 else None


def open_store(source: Source) -> Store:
    """Open the logical image at ``source.location``.

    Raises:
        OSError: It is not there or cannot be read.
    """
    return CollectionStore(source)
