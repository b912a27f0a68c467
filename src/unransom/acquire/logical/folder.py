"""Walks a folder for a logical image: everything in it, with times, rights, attributes, holes and links."""

from __future__ import annotations

import contextlib
import functools
import os
import stat
from collections.abc import Iterator

from unransom.acquire.careful import SECTOR
from unransom.acquire.logical.entries import Entry, Unlisted
from unransom.core.streams import Reader
from unransom.evidence.descriptors import DescriptorReader, open_quietly
from unransom.evidence.wrap.retry import RetryReader

KINDS = {
    stat.S_IFREG: "0",
    stat.S_IFLNK: "2",
    stat.S_IFCHR: "3",
    stat.S_IFBLK: "4",
    stat.S_IFDIR: "5",
    stat.S_IFIFO: "6",
}
QUIET = os.O_NOFOLLOW | os.O_NONBLOCK
SMALL = 256 * 1024  # bytes of a file that is read at once


def walk(root: bytes) -> Iterator[Entry | Unlisted]:
    """Yield the folder itself and everything below it, by name; no symbolic link is followed."""
    first: dict[tuple[int, int], bytes] = {}  # path of each file that has several names
    pending = [b""]
    while pending:
        folder = pending.pop()
        place = os.path.join(root, folder) if folder else root  # noqa: PTH118 bytes
        try:
            yield _entry(root, folder, os.lstat(place), first)
            with os.scandir(place) as listed:
                found = sorted(listed, key=lambda each: each.name)
        except OSError as error:
            yield Unlisted(folder, str(error))
            continue
        below = []
        for each in found:
            path = folder + b"/" + each.name if folder else each.name
            try:
                state = each.stat(follow_symlinks=False)
                if stat.S_ISDIR(state.st_mode):
                    below.append(path)
                else:
                    yield _entry(root, path, state, first)
            except OSError as error:
                yield Unlisted(path, str(error))
        pending.extend(reversed(below))


def _entry(root: bytes, path: bytes, state: os.stat_result, first: dict[tuple[int, int], bytes]) -> Entry:
    place = root + b"/" + path if path else root
    kind = KINDS.get(stat.S_IFMT(state.st_mode), "6")
    link = os.readlink(place) if kind == "2" else b""  # noqa: PTH115 bytes
    if kind == "0" and state.st_nlink > 1:
        earlier = first.setdefault((state.st_dev, state.st_ino), path)
        if earlier != path:
            kind, link = "1", b"./" + earlier
    is_file = kind == "0"
    is_sparse = is_file and state.st_blocks * 512 < state.st_size
    return Entry(
        path=path,
        kind=kind,
        size=state.st_size if is_file else 0,
        mode=state.st_mode,
        uid=state.st_uid,
        gid=state.st_gid,
        modified=state.st_mtime_ns,
        accessed=state.st_atime_ns,
        changed=state.st_ctime_ns,
        device=(os.major(state.st_rdev), os.minor(state.st_rdev)) if kind in "34" else (0, 0),
        link=link,
        attributes=_attributes(place) if kind != "1" else {},
        sector=SECTOR,
        shared=is_file and state.st_nlink > 1,
        segments=_segments(place, state.st_size) if is_sparse else None,
        open=functools.partial(_open, place) if is_file else None,
        whole=functools.partial(_whole, place, state.st_size) if is_file and state.st_size <= SMALL else None,
    )


def _whole(place: bytes, size: int) -> bytes | None:
    """Read a small file with as few questions to the system as there can be."""
    try:
        descriptor = open_quietly(place, QUIET)
    except OSError:
        return None
    try:
        data = os.read(descriptor, size + 1)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return data if len(data) == size else None


@contextlib.contextmanager
def _open(place: bytes) -> Iterator[Reader]:
    with DescriptorReader(open_quietly(place, QUIET)) as reader:
        yield RetryReader(reader, sector=SECTOR)


def _attributes(place: bytes) -> dict[bytes, bytes]:
    """Return the extended attributes that can be read; a file system without them has none."""
    try:
        names = os.listxattr(place, follow_symlinks=False)
    except OSError:
        return {}
    found = {}
    for name in names:
        with contextlib.suppress(OSError):
            found[os.fsencode(name)] = os.getxattr(place, name, follow_symlinks=False)
    return found


def _segments(place: bytes, size: int) -> tuple[tuple[int, int], ...] | None:
    """Return what of a file is no hole, None where the file system does not say."""
    found, position = [], 0
    try:
        descriptor = open_quietly(place, QUIET)
    except OSError:
        return None
    try:
        while position < size:
            try:
                start = os.lseek(descriptor, position, os.SEEK_DATA)
            except OSError:  # nothing but a hole follows
                break
            position = min(os.lseek(descriptor, start, os.SEEK_HOLE), size)
            found.append((start, position - start))
    finally:
        os.close(descriptor)
    return (*found, (size, 0))
