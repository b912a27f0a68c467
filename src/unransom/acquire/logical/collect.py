"""Writes a logical image: a tar archive in chunks of our own image, with a manifest as its last member.

The manifest is written beside the image while it grows. A run that was stopped goes on behind the last
entry that is whole in both.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import itertools
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from unransom.acquire.logical import pax
from unransom.acquire.logical.entries import Entry, Unlisted
from unransom.acquire.logical.prepared import FILES, Line, Prepared, Spread, named, prepared
from unransom.acquire.packing import Packing
from unransom.acquire.records import TargetError, writing
from unransom.core.ahead import ahead
from unransom.core.errors import EvidenceChangedError, UnreadableError
from unransom.core.hashing import Digests, Hasher
from unransom.core.outputs import FileReader
from unransom.core.progress import Listener, Progress, silent
from unransom.core.spans import merge
from unransom.core.streams import CHUNK, Salvage
from unransom.core.text import shown
from unransom.evidence.containers import packed
from unransom.evidence.containers.collection import INDEX, MANIFEST, index

UNKNOWN = 1 << 61  # bytes of an image that is not finished
FLUSH_EVERY = 256 << 20  # bytes between two moments from which a run can go on
CONTENT = ("size", "at", "segments", "md5", "sha256", "lost", "problem")  # of a line of the manifest
HASHED_HOLES = 1 << 30  # bytes; of a file with more of them only what is stored is hashed


class Collected(msgspec.Struct, frozen=True):
    """What came of it.

    Attributes:
        image: Path.
        digests: Of the archive.
        entries: How many it has.
        problems: Entries that could not be listed or read whole, or whose ETag does not fit, with the reason.
        resumed: Bytes that an earlier run had written.
    """

    image: str
    digests: Digests
    entries: int
    problems: tuple[tuple[str, str], ...]
    resumed: int


class Archive:
    """An archive that is being written."""

    def __init__(self, out: Path, source: str, level: int, listener: Listener, connections: int = 0) -> None:
        self._out = out
        self._part = part = out.with_name(out.name + ".part")
        self._sidecar = part.with_name(part.name + ".jsonl")
        self._source = source
        self._listener = listener
        self._connections = connections
        self._hasher = Hasher()
        self._packing = Packing(part, packed.Description(UNKNOWN, source), level)
        self._buffer = bytearray()
        self._lines: list[bytes] = []
        self._flushed = 0
        self.position = 0
        self._done: set[tuple[bytes, str, str]] = set()
        self.problems: list[tuple[str, str]] = []
        self.entries = 0
        self._shared: dict[bytes, Line] = {}  # files with several names
        self.resumed = self._resume()

    def add(self, entry: Entry, ready: Prepared) -> None:
        """Append an entry, its headers first; what cannot be read is zeros."""
        line = ready.line
        line["at"] = self.position + len(ready.header)
        self._write(ready.header)
        if ready.content is not None:
            self._write(ready.content)
        elif entry.open is not None:
            line |= self._content(entry)
        if len(entry.etag) == 32 and line.get("md5", entry.etag) != entry.etag:
            self.problems.append((shown(entry.path), f"ETag {entry.etag}, MD5 {line['md5']}"))
        if entry.shared:
            line["shared"] = True
            self._shared[entry.path] = line
        if entry.kind == "1":
            line |= _stored(self._shared.get(entry.link[2:], {}))
        self._write(bytes(-self.position % pax.BLOCK))
        self._say(entry.path, line)

    def lacks(self, entry: Entry | Unlisted) -> bool:
        """Return whether an earlier run has not written ``entry``."""
        return isinstance(entry, Unlisted) or (entry.path, entry.version, entry.kind) not in self._done

    def cannot(self, place: Unlisted) -> None:
        """Note a place that could not be listed."""
        line: Line = {**named(place.path), "kind": "?", "problem": place.why}
        self._say(place.path, line)

    def finish(self) -> Digests:
        """Write the manifest and what comes behind it."""
        self._flush()
        size = self._sidecar.stat().st_size
        self._write(pax.head(Entry(path=MANIFEST, kind="0", size=size)))
        start = self.position
        with self._sidecar.open("rb") as file:
            while piece := file.read(CHUNK):
                self._write(piece)
        self._write(bytes(-self.position % pax.BLOCK))
        self._write(pax.head(Entry(path=INDEX, kind="0", size=pax.BLOCK)))
        self._write(index(start, size) + pax.END)
        if self._buffer:
            self._chunk(bytes(self._buffer))
        digests = self._hasher.digests()
        self._packing.finish(digests, [])
        return digests

    def close(self) -> None:
        """Close the files; what is written stays for the next run."""
        self._hasher.wait()
        self._packing.close()

    def settle(self, size: int) -> None:
        """Write how large the archive is, remove the manifest beside it, and give the image its name."""
        with self._part.open("r+b") as file:
            file.write(packed.header(packed.Description(size, self._source)))
            file.flush()
            os.fsync(file.fileno())
        self._sidecar.unlink()
        self._part.rename(self._out)

    def save(self) -> None:
        """Make last what is written, as far as it goes."""
        with contextlib.suppress(TargetError):
            self._flush()

    def _content(self, entry: Entry) -> Line:
        """Write the content of an entry; return what the manifest says of it."""
        md5, sha256, lost = hashlib.md5(usedforsecurity=False), hashlib.sha256(), []
        written = self.position
        counts = _holes(entry) <= HASHED_HOLES
        try:
            with entry.open() if entry.open else contextlib.nullcontext() as reader:
                content = Salvage(reader, sector=entry.sector)  # type: ignore[arg-type]
                for offset, piece, stored in _pieces(content, entry, self._connections, holes=counts):
                    if stored or counts:
                        md5.update(piece)
                        sha256.update(piece)
                    if stored:
                        self._write(piece)
                    if offset - self._flushed >= FLUSH_EVERY:
                        self._tell(entry)
                lost = [[span.start, span.end] for span in merge(content.lost)]
        except (OSError, UnreadableError, EvidenceChangedError) as error:
            self.problems.append((shown(entry.path), str(error)))
            wanted = sum(length for _, length in entry.segments or ((0, entry.size),))
            self._zeros(wanted - (self.position - written))
            return {"problem": str(error)}
        if lost:
            self.problems.append((shown(entry.path), f"{sum(end - start for start, end in lost)} bytes"))
        mark = "" if counts else "stored_"
        found = {f"{mark}md5": md5.hexdigest(), f"{mark}sha256": sha256.hexdigest()}
        return found | ({"lost": lost} if lost else {})

    def _zeros(self, length: int) -> None:
        while length > 0:
            piece = bytes(min(length, CHUNK))
            self._write(piece)
            length -= len(piece)

    def _say(self, path: bytes, line: Line) -> None:
        if line["kind"] == "?":
            self.problems.append((shown(path), line["problem"]))
        self.entries += 1
        line["end"] = self.position
        self._lines.append(msgspec.json.encode(line) + b"\n")
        if self.position - self._flushed >= FLUSH_EVERY or len(self._lines) >= 20_000:
            self._flush()
            self._listener(Progress("acquire", self.entries, 0, "files", shown(path), self.position))

    def _tell(self, entry: Entry) -> None:
        self._listener(Progress("acquire", self.entries, 0, "files", shown(entry.path), self.position))

    def _flush(self) -> None:
        with writing(self._out), self._sidecar.open("ab") as file:
            self._packing.flush()
            file.write(b"".join(self._lines))
            file.flush()
            os.fsync(file.fileno())
        self._lines.clear()
        self._flushed = self.position

    def _write(self, data: bytes) -> None:
        self.position += len(data)
        if not self._buffer and len(data) == packed.CHUNK:
            self._chunk(data)
            return
        self._buffer += data
        while len(self._buffer) >= packed.CHUNK:
            self._chunk(bytes(memoryview(self._buffer)[: packed.CHUNK]))
            del self._buffer[: packed.CHUNK]

    def _chunk(self, data: bytes) -> None:
        self._hasher.update(data)
        with writing(self._out):  # else it would be taken for a fault of the entry
            self._packing.add(data)

    def _resume(self) -> int:
        """Go on behind the last entry that an earlier run has written whole."""
        lines = _lines(self._sidecar)
        whole, kept = _chunks(self._part, {line["end"] // packed.CHUNK for line in lines})
        lines = [line for line in lines if line["end"] <= whole * packed.CHUNK]
        end = lines[-1]["end"] if lines else 0
        self._packing.resume(self._hasher, end // packed.CHUNK * packed.CHUNK)
        if end % packed.CHUNK:
            self._buffer += kept[end // packed.CHUNK][: end % packed.CHUNK]
        for line in lines:
            path = base64.b64decode(line["path_b64"])
            if line.get("shared"):
                self._shared[path] = line
            self._done.add((path, line.get("version", ""), line["kind"]))
        self.entries, self.position, self._flushed = len(lines), end, end
        self._sidecar.write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        return end


def collect(
    entries: Iterable[Entry | Unlisted],
    out: Path,
    source: str,
    level: int = 1,
    listener: Listener = silent,
    spread: Spread = FILES,
) -> Collected:
    """Write a logical image of ``entries`` to ``out``.

    Args:
        entries: What it will hold.
        out: The image.
        source: Where they come from.
        level: Of compression.
        listener: Hears the progress.
        spread: Who prepares them.

    Raises:
        TargetError: It cannot be written; what is written stays, and the next run goes on with it.
        UnransomError: A process that helps was killed; the same holds.
    """
    with writing(out):
        archive = Archive(out, source, level, listener, spread.connections)
    try:
        for each in prepared(filter(archive.lacks, entries), spread):
            if isinstance(each, Unlisted):
                archive.cannot(each)
            else:
                archive.add(*each)
        with writing(out):
            digests = archive.finish()
    except BaseException:
        archive.save()
        raise
    finally:
        archive.close()
    with writing(out):
        archive.settle(digests.size)
    return Collected(str(out), digests, archive.entries, tuple(archive.problems), archive.resumed)


def _holes(entry: Entry) -> int:
    return entry.size - sum(length for _, length in entry.segments or ((0, entry.size),))


def _pieces(
    content: Salvage, entry: Entry, connections: int, *, holes: bool
) -> Iterator[tuple[int, bytes, bool]]:
    """Yield the content piece by piece: where it begins, the bytes, and whether they are stored.

    A file that has become shorter is filled up with zeros, for its header has been written.
    """
    position = 0
    for start, length in entry.segments or ((0, entry.size),):
        yield from ((position, piece, False) for piece in _filled(start - position if holes else 0))
        position, end = start, start + length
        places = ((place, min(CHUNK, end - place)) for place in range(start, end, CHUNK))
        for piece in _read(content, places, connections if length > CHUNK else 0):
            yield position, piece, True
            position += len(piece)
            if position < end and len(piece) < CHUNK:
                raise UnreadableError(position, end - position, "the file has become shorter")


def _read(content: Salvage, places: Iterable[tuple[int, int]], connections: int) -> Iterator[bytes]:
    if not connections:
        return itertools.starmap(content.read_at, places)
    return ahead(lambda place: content.read_at(*place), places, workers=connections)


def _filled(length: int) -> Iterator[bytes]:
    while length > 0:
        yield bytes(min(length, CHUNK))
        length -= CHUNK


def _stored(line: Line) -> Line:
    """Return what one name of a file has to say of the content that another name of it has."""
    return {name: line[name] for name in CONTENT if name in line}


def _lines(path: Path) -> list[Line]:
    """Return the lines of a manifest that may be cut off."""
    found: list[Line] = []
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                try:
                    found.append(json.loads(line))
                except ValueError:
                    break
    return found


def _chunks(path: Path, wanted: set[int]) -> tuple[int, dict[int, bytes]]:
    """Return how many chunks of an unfinished image are whole, and the last of those that are wanted."""
    kept: dict[int, bytes] = {}
    count = 0
    with FileReader(path) as reader:
        for _, chunk in packed.whole_frames(reader, UNKNOWN):
            if count in wanted:
                kept = {count: chunk}
            count += 1
    return count, kept
