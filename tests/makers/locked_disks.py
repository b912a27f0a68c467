"""Makes images of real file systems on which the locked copy of every file stands, and no original any more.

The file system's own tools make and mount an empty image, and write files that the caller made. After a
remount each file gets a copy under another name that was sealed in memory and is synced, and is unlinked: so
do most lockers leave a disk. Only files that were written here are ever touched.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import random
import struct
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.fixtures.tools import ENVIRONMENT, run, tool
from tests.makers.raw_image import CLUSTER, File

MiB = 1 << 20
PIECE = 4 * CLUSTER  # bytes that are written at once of files that are written in turns
SIZES = {"ext4": 64 * MiB, "ntfs": 64 * MiB, "xfs": 304 * MiB}  # the smallest
FIEMAP = 0xC020660B  # asks where a file lies
MOST_EXTENTS = 512
RESIDENT = 900  # bytes: what NTFS may keep in the record of a file

Seal = Callable[[bytes, int], bytes]  # content and number of a file to what stands in its copy


class Original(NamedTuple):
    """A file that was there.

    Attributes:
        path: In the volume.
        size, sha256: Of its content.
        intact: All of its bytes are still on the disk.
        resident: It may have lain in a record of the file system itself.
    """

    path: str
    size: int
    sha256: str
    intact: bool
    resident: bool


def sealed(data: bytes, number: int) -> bytes:
    """Return as many random bytes as ``data`` has."""
    return random.Random(number).randbytes(len(data))


def locked_disk(
    image: Path,
    kind: str,
    files: Sequence[File],
    *,
    size: int = 0,
    extension: str = ".locked",
    seal: Seal = sealed,
    options: Sequence[str] = (),
    threads: int = 8,
) -> list[Original]:
    """Make an image of a disk after a pass of a locker.

    Args:
        image: Where it is made.
        kind: ``ext4``, ``ntfs`` or ``xfs``.
        files: What was there; names may have folders.
        size: Bytes of the image; 0 for four times the files.
        extension: What the locker adds to names.
        seal: Makes the content of a copy.
        options: More for the program that makes the file system.
        threads: Of the locker: so many copies are written before their originals are unlinked.
    """
    total = sum(len(each.data) for each in files)
    with image.open("wb") as made:
        made.truncate(size or -(-max(SIZES[kind], 4 * total) // MiB) * MiB)
    _format(image, kind, options)
    with mounted(image, kind) as mount:
        _write_all(mount, files)
    with mounted(image, kind) as mount:
        places = {each.name: _places(mount / each.name, kind) for each in files}
        for start in range(0, len(files), threads):
            batch = files[start : start + threads]
            for number, each in enumerate(batch, start):
                path = mount / each.name
                _write(path.with_name(path.name + extension), seal(each.data, number))
            for each in batch:
                (mount / each.name).unlink()
    return list(_what_is_left(image, files, places))


def _format(image: Path, kind: str, options: Sequence[str]) -> None:
    match kind:
        case "ext4":
            run("e2fsprogs", "mkfs.ext4", "-q", "-F", "-b", str(CLUSTER), *options, image)
        case "ntfs":
            geometry = ("-s", "512", "-p", "0", "-H", "255", "-S", "63")
            run("ntfs-3g", "mkfs.ntfs", "-q", "-F", "-Q", *geometry, *options, image)
        case _:
            run("xfsprogs", "mkfs.xfs", "-q", *options, image)


@contextlib.contextmanager
def mounted(image: Path, kind: str) -> Iterator[Path]:
    """Mount an image: NTFS with the driver in user space, others with the kernel's."""
    mount = image.with_name(f"{image.name}.mount")
    mount.mkdir()
    try:
        if kind == "ntfs":
            command = [tool("ntfs-3g", "ntfs-3g"), str(image), str(mount)]
            subprocess.run(command, check=True, env=ENVIRONMENT, capture_output=True)
        else:
            run("mount", "mount", "-o", "loop", image, mount)
        try:
            yield mount
        finally:
            run("mount", "umount", mount)
    finally:
        mount.rmdir()


def _write_all(mount: Path, files: Sequence[File]) -> None:
    """Write the files; of every dozen two large ones in turns, so that both are in fragments."""
    waiting: File | None = None
    for number, each in enumerate(files):
        (mount / each.name).parent.mkdir(parents=True, exist_ok=True)
        if number % 12 in {3, 4} and len(each.data) > 2 * PIECE:
            if waiting is None:
                waiting = each
                continue
            _write_in_turns(mount, waiting, each)
            waiting = None
        else:
            _write(mount / each.name, each.data, sync=False)
    if waiting is not None:
        _write(mount / waiting.name, waiting.data)


def _write(path: Path, data: bytes, *, sync: bool = True) -> None:
    with path.open("xb") as file:
        file.write(data)
        if sync:
            file.flush()
            os.fsync(file.fileno())


def _write_in_turns(mount: Path, one: File, other: File) -> None:
    with (mount / one.name).open("xb") as left, (mount / other.name).open("xb") as right:
        for start in range(0, max(len(one.data), len(other.data)), PIECE):
            for file, data in ((left, one.data), (right, other.data)):
                file.write(data[start : start + PIECE])
                file.flush()
                os.fsync(file.fileno())


def _places(path: Path, kind: str) -> list[tuple[int, int]]:
    """Return place and bytes of each extent of a file, as the kernel says; none for NTFS."""
    if kind == "ntfs":
        return []
    asked = bytearray(struct.pack("=QQIIII", 0, 1 << 62, 0, 0, MOST_EXTENTS, 0) + bytes(56 * MOST_EXTENTS))
    with path.open("rb") as file:
        fcntl.ioctl(file, FIEMAP, asked)
    (count,) = struct.unpack_from("=I", asked, 20)
    return [struct.unpack_from("=8xQQ", asked, 32 + 56 * index) for index in range(count)]


def _what_is_left(
    image: Path, files: Sequence[File], places: dict[str, list[tuple[int, int]]]
) -> Iterator[Original]:
    """Yield each file, and whether its bytes still stand where they were; on NTFS, anywhere."""
    disk = np.memmap(image, np.uint8, "r")
    heads: dict[bytes, list[int]] = {}
    for start in range(0, len(disk) - CLUSTER + 1, CLUSTER):
        heads.setdefault(disk[start : start + 16].tobytes(), []).append(start)
    for each in files:
        there = b"".join(disk[at : at + length].tobytes() for at, length in places[each.name])
        intact = there.startswith(each.data) if there else _stands(each.data, disk, heads)
        resident = len(each.data) <= RESIDENT
        yield Original(each.name, len(each.data), hashlib.sha256(each.data).hexdigest(), intact, resident)


def _stands(data: bytes, disk: NDArray[np.uint8], heads: dict[bytes, list[int]]) -> bool:
    """Return whether all clusters of a file stand somewhere on the disk, by how they begin."""
    clusters = (data[at : at + CLUSTER] for at in range(0, len(data), CLUSTER))
    return all(
        any(disk[at : at + len(cluster)].tobytes() == cluster for at in heads.get(cluster[:16], ()))
        for cluster in clusters
        if len(cluster) >= 16
    )
