"""Makes the members of software RAID of Linux: data laid out by hand, and superblocks of every version.

Where chunks lie is written down as tables, after the documentation of md, not computed as the reader does.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

MiB = 1 << 20
CHUNK = 64 * 1024
P, Q = "P", "Q"
Row = list[int | str]
LAYOUTS: dict[str, tuple[int, int, list[Row]]] = {  # level, layout, where the chunks of some stripes are
    "raid0": (0, 0, [[0, 1, 2, 3]]),
    "raid4": (4, 0, [[0, 1, 2, P]]),
    "left-asymmetric": (5, 0, [[0, 1, 2, P], [3, 4, P, 5], [6, P, 7, 8], [P, 9, 10, 11]]),
    "right-asymmetric": (5, 1, [[P, 0, 1, 2], [3, P, 4, 5], [6, 7, P, 8], [9, 10, 11, P]]),
    "left-symmetric": (5, 2, [[0, 1, 2, P], [4, 5, P, 3], [8, P, 6, 7], [P, 9, 10, 11]]),
    "right-symmetric": (5, 3, [[P, 0, 1, 2], [5, P, 3, 4], [7, 8, P, 6], [9, 10, 11, P]]),
    "parity-first": (5, 4, [[P, 0, 1, 2]]),
    "parity-last": (5, 5, [[0, 1, 2, P]]),
    "raid6": (6, 2, [[Q, 0, 1, P], [2, 3, P, Q], [5, P, Q, 4], [P, Q, 6, 7]]),
    "raid10": (10, 0x102, [[0, 0, 1, 1], [2, 2, 3, 3]]),
    "raid10-odd": (10, 0x102, [[0, 0, 1], [1, 2, 2]]),
    "raid10-offset": (10, 0x10201, [[0, 1, 2, 3], [3, 0, 1, 2]]),
    "raid10-offset-3": (10, 0x10301, [[0, 1, 2], [2, 0, 1], [1, 2, 0]]),
    "raid10-far": (10, 0x201, [[0, 1, 2, 3]]),
    "raid10-far-odd": (10, 0x201, [[0, 1, 2]]),
    "raid10-far-sets": (10, 0x40201, [[0, 1, 2, 3]]),
}
FAR: dict[str, list[Row]] = {  # what the second half of each member has
    "raid10-far": [[3, 0, 1, 2]],
    "raid10-far-odd": [[2, 0, 1]],
    "raid10-far-sets": [[1, 0, 3, 2]],
}


def members_of(content: bytes, rows: list[Row]) -> list[bytes]:
    """Lay ``content`` out as a table says."""
    disks = [bytearray() for _ in rows[0]]
    width = len({each for row in rows for each in row if isinstance(each, int)})
    pieces = [content[at : at + CHUNK].ljust(CHUNK, b"\0") for at in range(0, len(content), CHUNK)]
    pieces += [bytes(CHUNK)] * (-len(pieces) % width)
    for first in range(0, len(pieces), width):
        for row in rows:
            data = {each: pieces[first + each] for each in row if isinstance(each, int)}
            parity = np.bitwise_xor.reduce(
                [np.frombuffer(each, np.uint8) for each in data.values()]
            ).tobytes()
            for disk, each in zip(disks, row, strict=True):
                disk.extend(data[each] if isinstance(each, int) else parity if each == P else b"Q" * CHUNK)
    return [bytes(each) for each in disks]


def superblock(level: int, layout: int, disks: int, role: int, start: int, size: int, own: int = 8) -> bytes:
    """Return a superblock of version 1, by the layout in Linux's headers; numbers in sectors."""
    data = bytearray(256 + 2 * disks)
    struct.pack_into("<III", data, 0, 0xA92B4EFC, 1, 0)
    data[16:48] = b"u" * 16 + b"shop:0".ljust(16, b"\0")
    chunk = 0 if level == 1 else CHUNK // 512
    struct.pack_into("<QiIQII", data, 64, 1, level, layout, 0 if level == 0 else size, chunk, disks)
    struct.pack_into("<QQQ", data, 128, start, size, own)
    struct.pack_into("<I", data, 160, role)
    data[168:184] = bytes([role]) * 16
    struct.pack_into("<Q", data, 200, 7)
    struct.pack_into("<I", data, 220, disks)
    struct.pack_into(f"<{disks}H", data, 256, *range(disks))
    words = struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])
    total = sum(words) + (struct.unpack("<H", data[-2:])[0] if len(data) % 4 else 0)
    struct.pack_into("<I", data, 216, (total & 0xFFFFFFFF) + (total >> 32))
    return bytes(data)


def old_superblock(level: int, layout: int, disks: int, role: int, size: int) -> bytes:
    """Return a superblock of version 0.90."""
    words = [0] * 1024
    words[:16] = [0xA92B4EFC, 0, 90, 0, 992, 1, 1, level, size // 1024, disks, disks, 0, 0, 2, 3, 4]
    words[32:40] = [1, 1, disks, disks, 0, 0, 0, 7]
    words[64:66] = [layout, CHUNK]
    for number in range(disks):
        words[128 + 32 * number : 128 + 32 * number + 5] = [number, 8, number, number, 6]
    words[992:997] = [role, 8, role, role, 6]
    total = sum(words)
    words[38] = ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF
    return struct.pack("<1024I", *words)


def write(folder: Path, content: bytes, name: str, version: str = "1.2") -> list[Path]:
    """Write the images of the members of an array."""
    level, layout, rows = LAYOUTS[name]
    paths = []
    members = members_of(content, rows)
    if name in FAR:
        members = [near + far for near, far in zip(members, members_of(content, FAR[name]), strict=True)]
    for role, data in enumerate(members):
        path = folder / f"disk{role}.img"
        paths.append(path)
        disks, sectors = len(rows[0]), len(data) // 512
        if version == "0.90":
            path.write_bytes(data + old_superblock(level, layout, disks, role, len(data)).ljust(CHUNK, b"\0"))
        elif version == "1.0":
            own = sectors + 2032
            tail = bytearray(MiB + 8192)
            head = superblock(level, layout, disks, role, 0, sectors, own)
            tail[2032 * 512 : 2032 * 512 + len(head)] = head
            path.write_bytes(data + bytes(tail[: (2032 + 16) * 512]))
        else:
            own = 8 if version == "1.2" else 0
            front = bytearray(MiB)
            head = superblock(level, layout, disks, role, 2048, sectors, own)
            front[own * 512 : own * 512 + len(head)] = head
            path.write_bytes(bytes(front) + data)
    return paths
