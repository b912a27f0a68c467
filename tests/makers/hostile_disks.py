"""Images that are small as files and large as disks, and full of traps: one cluster stands for all."""

from __future__ import annotations

import struct
from pathlib import Path

CLUSTER_BITS = 16
CLUSTER = 1 << CLUSTER_BITS
TABLE = CLUSTER // 8  # entries of a table
COPIED = 1 << 63
SECTOR = 512


def repeated(path: Path, content: bytes, size: int) -> None:
    """Write a QCOW2 image of ``size`` bytes all of whose clusters are ``content``.

    Args:
        path: Where it is written.
        content: Up to 64 KiB.
        size: Bytes of the disk.
    """
    clusters = -(-size // CLUSTER)
    tables = -(-clusters // TABLE)
    first = -(-tables // TABLE)  # clusters of the table of tables
    data = (3 + first + tables) * CLUSTER
    header = struct.pack(
        ">4sIQIIQIIQQIIQ",
        b"QFI\xfb", 2, 0, 0, CLUSTER_BITS, size, 0, tables, CLUSTER, (1 + first) * CLUSTER, 1, 0, 0,
    )  # fmt: skip
    with path.open("wb") as file:
        file.write(header.ljust(CLUSTER, b"\0"))
        starts = range((3 + first) * CLUSTER, data, CLUSTER)
        entries = struct.pack(f">{tables}Q", *(start | COPIED for start in starts))
        file.write(entries.ljust(first * CLUSTER, b"\0"))
        file.write(struct.pack(">Q", (2 + first) * CLUSTER).ljust(CLUSTER, b"\0"))
        file.write(struct.pack(">H", 1) * (CLUSTER // 2))
        for table in range(tables):
            count = min(TABLE, clusters - table * TABLE)
            file.write(struct.pack(">Q", data | COPIED) * count + bytes(8 * (TABLE - count)))
        file.write(content.ljust(CLUSTER, b"\0"))


def sectors(*heads: bytes) -> bytes:
    """Return a cluster in which every sector begins with one of ``heads``, in turn."""
    return b"".join(heads[number % len(heads)].ljust(SECTOR, b"\0") for number in range(CLUSTER // SECTOR))
