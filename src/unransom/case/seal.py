"""The seal: a list of the case's own files with their hashes, written whenever the case is closed.

The chain tells of every output and image, but cannot tell of the files that it lies in itself. The seal
does: size, time, SHA-256 and checksums of blocks, so that a change is found and its place named. It ends
with its own hash. It shows that nothing was changed since; who vouches for it, signatures and time
stamps in the chain say.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from unransom.core.clock import now_ns, rfc3339
from unransom.core.messages import Message, say
from unransom.core.outputs import FileReader
from unransom.core.streams import chunks

NAME = "seal.json"
OUTPUTS = ("recovered", "evidence")  # folders that the chain tells of
LEFT_OUT = frozenset({NAME, "lock", "scratch"})
JOURNAL = "case.sqlite-wal"  # is there only while a process works on the case, or after it was killed
OWN = frozenset({"case.sqlite", "keys.jsonl", "result.json", "report.html"})  # written in an open case only
SMALL = 64 << 20  # bytes of a file that is hashed whenever the case is opened
BLOCK = 64 * 1024  # bytes at least
BLOCKS = 1024  # at most


class Sealed(msgspec.Struct, frozen=True):
    """A file in the seal.

    Attributes:
        path: Below the case folder; bytes that are no UTF-8 are escaped.
        size: Bytes.
        modified: Nanoseconds since 1970 UTC.
        sha256: Of the whole.
        block: Bytes of a block.
        blocks: CRC-32 of each block.
    """

    path: str
    size: int
    modified: int
    sha256: str
    block: int
    blocks: tuple[int, ...]


class Seal(msgspec.Struct, frozen=True):
    """A seal; ``seal`` is the SHA-256 of the file without it."""

    sealed: str
    files: tuple[Sealed, ...]
    seal: str = ""


def close(folder: Path) -> None:
    """Write the seal of a case that nobody works on; nothing is written where nothing was changed."""
    old = read(folder)
    before = {each.path: each for each in old.files} if old else {}
    files = tuple(_sealed(path, shown, before.get(shown)) for shown, path in sorted(_files(folder)))
    if old and old.files == files:
        return
    draft = folder / f".{NAME}"
    draft.write_bytes(_encoded(Seal(rfc3339(now_ns()), files)))
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(folder / NAME)


def read(folder: Path) -> Seal | None:
    """Return the seal of a case, None where there is none that holds."""
    try:
        data = (folder / NAME).read_bytes()
        seal = msgspec.json.decode(data, type=Seal)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    fits = data == _encoded(seal) and all(each.block >= BLOCK for each in seal.files)
    return seal if fits else None


def mark(folder: Path) -> str:
    """Return what a run writes down of the seal that it begins at: its SHA-256, or "none"."""
    try:
        return hashlib.sha256((folder / NAME).read_bytes()).hexdigest()
    except OSError:
        return "none"


def changed(folder: Path) -> list[str]:
    """Return which of our own files are not as they were sealed; large ones are told by their time."""
    seal = read(folder)
    if seal is None:
        return [NAME]
    present = dict(_files(folder))
    sealed = (each for each in seal.files if each.path in OWN)
    found = [each.path for each in sealed if not _same(present.get(each.path), each)]
    return found + [JOURNAL] * (JOURNAL in present)


def flaws(folder: Path) -> Iterator[tuple[str, Message]]:
    """Yield every file that is not as it was sealed, and what is wrong with it."""
    if not (folder / NAME).exists() or (folder / NAME).is_symlink():
        yield NAME, say("{path}: the file is missing", path=NAME)
        return
    seal = read(folder)
    if seal is None:
        yield NAME, say("{path}: the content was changed", path=NAME)
        return
    present = dict(_files(folder))
    for each in seal.files:
        path = present.pop(each.path, None)
        if path is None:
            yield each.path, say("{path}: the file is missing", path=each.path)
        else:
            yield from ((each.path, flaw) for flaw in _difference(path, each))
    for shown in present:
        yield shown, say("{path}: the file was added after the case was closed", path=shown)
    yield from _strange(folder)


def _strange(folder: Path) -> Iterator[tuple[str, Message]]:
    """Yield what is neither a file nor a folder: what it leads to can be changed unseen."""
    for entry in _entries(folder):
        shown = escaped(entry.path, folder)
        if entry.is_symlink():
            yield shown, say("{path}: is a link, and not the file itself", path=shown)
        elif not entry.is_file():  # a pipe, a socket, a device
            yield shown, say("{path}: the file was added after the case was closed", path=shown)


def escaped(path: str, folder: Path) -> str:
    """Return a path below ``folder`` as the chain and the seal write it."""
    return os.fsencode(os.path.relpath(path, folder)).decode("utf-8", "backslashreplace")


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files that the seal is about, and what it calls them."""
    for entry in _entries(folder):
        if entry.is_file(follow_symlinks=False):
            yield escaped(entry.path, folder), Path(entry.path)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield what is in a case but folders, and what the chain tells of; a link to a folder is no folder."""
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        for entry in os.scandir(current):
            is_folder = entry.is_dir(follow_symlinks=False)
            if current == folder and (entry.name in LEFT_OUT or (is_folder and entry.name in OUTPUTS)):
                continue
            if is_folder:
                waiting.append(Path(entry.path))
            else:
                yield entry


def _sealed(path: Path, shown: str, before: Sealed | None) -> Sealed:
    state = path.stat()
    if before and (before.size, before.modified) == (state.st_size, state.st_mtime_ns):
        return before
    sha256, block, blocks = _hashed(path)
    return Sealed(shown, state.st_size, state.st_mtime_ns, sha256, block, blocks)


def _hashed(path: Path, block: int = 0) -> tuple[str, int, tuple[int, ...]]:
    """Return SHA-256, size of a block and the checksums of the blocks, in one pass."""
    sha256 = hashlib.sha256()
    blocks: list[int] = []
    with FileReader(path) as reader:
        block = block or max(BLOCK, 1 << (max(reader.size - 1, 0) // BLOCKS).bit_length())
        filled = crc = 0
        for piece in chunks(reader):
            sha256.update(piece)
            view = memoryview(piece)
            while view:
                part = view[: block - filled]
                crc, filled, view = zlib.crc32(part, crc), filled + len(part), view[len(part) :]
                if filled == block:
                    blocks.append(crc)
                    filled = crc = 0
        if filled:
            blocks.append(crc)
    return sha256.hexdigest(), block, tuple(blocks)


def _difference(path: Path, sealed: Sealed) -> Iterator[Message]:
    try:
        sha256, block, blocks = _hashed(path, sealed.block)
    except OSError as error:
        yield say("{path}: the file cannot be read: {error}", path=sealed.path, error=str(error))
        return
    if sha256 == sealed.sha256:
        return
    size = path.stat().st_size
    if size != sealed.size:
        yield say(
            "{path}: {size} bytes, and {sealed} when the case was closed",
            path=sealed.path,
            size=size,
            sealed=sealed.size,
        )
    pairs = enumerate(zip(blocks, sealed.blocks, strict=False))
    first = next((number for number, (now, then) in pairs if now != then), None)
    if first is None:
        yield say("{path}: the content was changed", path=sealed.path)
        return
    start, end = first * block, min((first + 1) * block, size)
    yield say("{path}: bytes {start} to {end} were changed", path=sealed.path, start=start, end=end - 1)


def _same(path: Path | None, sealed: Sealed) -> bool:
    if path is None:
        return False
    if sealed.size <= SMALL:
        return _hashed(path, sealed.block)[0] == sealed.sha256
    state = path.stat()
    return (state.st_size, state.st_mtime_ns) == (sealed.size, sealed.modified)


def _encoded(seal: Seal) -> bytes:
    rest = msgspec.to_builtins(seal)
    del rest["seal"]
    own = hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
    return json.dumps(rest | {"seal": own}, sort_keys=True).encode() + b"\n"
