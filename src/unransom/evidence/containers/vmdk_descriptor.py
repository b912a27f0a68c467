"""Descriptors of VMware disks: a few lines of text that name the extents and the disk below a snapshot.

Source: VMware Virtual Disk Format 5.0, "The Descriptor File".
"""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST = 1 << 20  # bytes
MARK = b"# Disk DescriptorFile"
EXTENT = re.compile(
    r'^\s*(RW|RDONLY|NOACCESS)\s+(\d{1,18})\s+([A-Z]+)(?:\s+"([^"]*)"(?:\s+(\d{1,18}))?)?', re.M
)
PAIR = re.compile(r'^\s*(CID|parentCID|createType|parentFileNameHint|encoding)\s*=\s*"?([^"\r\n]*)"?', re.M)
MOST_EXTENTS = 20_000
ORPHAN = "ffffffff"  # parentCID of a disk that builds on none


class Extent(NamedTuple):
    """A part of a disk.

    Attributes:
        sectors: Of 512 bytes.
        kind: ``FLAT``, ``SPARSE``, ``ZERO``, ``VMFS``, ``VMFSSPARSE``, ``SESPARSE``, …
        name: Of its file.
        offset: Sector of that file at which a flat one begins.
    """

    sectors: int
    kind: str
    name: str
    offset: int


class Descriptor(NamedTuple):
    """What a descriptor says.

    Attributes:
        cid: Identifier of the content, "" where there is none; changes when the disk is written to.
        parent: The parent's, "" for a disk that builds on none.
        hint: What the parent is called.
        extents: In the order of the disk.
    """

    cid: str
    parent: str
    hint: str
    extents: tuple[Extent, ...]


def parse(data: bytes) -> Descriptor | None:
    """Return what the descriptor in ``data`` says, None where it is none."""
    raw = data[:LONGEST].split(b"\0", 1)[0]
    if MARK.lower() not in raw[:4096].lower():
        return None
    text = raw.decode("utf-8", "surrogateescape")
    pairs = {key.lower(): value.strip() for key, value in PAIR.findall(text)}
    extents = []
    for match in EXTENT.finditer(text):
        _, sectors, kind, name, offset = match.groups()
        extents.append(Extent(int(sectors), kind, name or "", int(offset or 0)))
        if len(extents) >= MOST_EXTENTS:
            break
    parent = pairs.get("parentcid", ORPHAN).lower()
    return Descriptor(
        pairs.get("cid", "").lower(),
        "" if parent == ORPHAN else parent,
        pairs.get("parentfilenamehint", ""),
        tuple(extents),
    )
