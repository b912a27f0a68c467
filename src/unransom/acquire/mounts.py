"""Whether a device is in use: one that is mounted and written to cannot be copied consistently."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
BLOCKS = Path("/sys/dev/block")
MOST_LEVELS = 8  # of devices that are made of devices


def written_mounts(path: bytes, mounts: Path = MOUNTS) -> list[str]:
    """Return where the device at ``path``, or one of its partitions, is mounted read-write.

    Args:
        path: A block device; everything else is mounted nowhere.
        mounts: What the system says is mounted.
    """
    found = os.stat(path)  # noqa: PTH116 bytes
    if not stat.S_ISBLK(found.st_mode):
        return []
    devices = _family(f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}", MOST_LEVELS)
    places = []
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split()
        if len(words) > 5 and words[2] in devices and "rw" in words[5].split(","):
            places.append(words[4])
    return sorted(set(places))


def _family(device: str, levels: int) -> set[str]:
    """Return a device, its partitions, and the devices that are made of any of these, as ``major:minor``."""
    found = {device}
    if not levels:
        return found
    with contextlib.suppress(OSError):
        folder = (BLOCKS / device).resolve(strict=True)
        parts = [each / "dev" for each in folder.iterdir() if (each / "partition").exists()]
        parts += [each / "dev" for each in (folder / "holders").iterdir()]
        for part in parts:
            found |= _family(part.read_text().strip(), levels - 1)
    return found
