"""VMware disks: flat, sparse, split, stream-optimised, and chains of snapshots.

Source: VMware Virtual Disk Format 5.0.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.evidence.containers import vmdk_descriptor, vmdk_sesparse, vmdk_sparse
from unransom.evidence.containers.mapped import SECTOR, Joined, Missing, Part, Zeros
from unransom.evidence.containers.opening import Opening, invalid, unsupported
from unransom.evidence.containers.vmdk_descriptor import Descriptor, Extent

FLAT = frozenset({"FLAT", "VMFS"})
FIRST_PART = re.compile(rb"-s001\.vmdk$")
MOST_PARTS = 1000
SPARSE = frozenset({"SPARSE", "VMFSSPARSE", "SESPARSE"})


def claims(head: bytes, tail: bytes, size: int) -> bool:
    """Return whether a file that begins with ``head`` is a descriptor or a sparse extent."""
    if head[:4] == vmdk_sparse.HOSTED:
        return head[4] in {1, 2, 3} and head[5:8] == b"\0\0\0"
    if head[:4] == vmdk_sparse.ESX:
        return head[4:8] == b"\1\0\0\0"
    if head[:8] == vmdk_sesparse.MARK:
        return True
    return size <= vmdk_descriptor.LONGEST and vmdk_descriptor.parse(head) is not None


def open_disk(opening: Opening) -> Reader:
    """Open the disk that a descriptor, or a sparse extent with one inside, stands for.

    Raises:
        OSError: It makes no sense.
        UnreadableError: It cannot be read.
    """
    head = opening.reader.read_at(0, vmdk_descriptor.LONGEST)
    if head[:4] not in {vmdk_sparse.HOSTED, vmdk_sparse.ESX} and head[:8] != vmdk_sesparse.MARK:
        descriptor = vmdk_descriptor.parse(head)
        if descriptor is None or not descriptor.extents:
            raise invalid("a descriptor without extents")
        parent = _parent(opening, descriptor)
        parts = list(_extents(opening, descriptor, parent))
        return parts[0] if len(parts) == 1 else Joined(parts)
    if head[:8] == vmdk_sesparse.MARK:
        return _space_efficient(opening, opening.reader, None)
    layout = vmdk_sparse.geometry(opening.reader)
    if not layout.descriptor and FIRST_PART.search(opening.path):
        return _parts(opening)
    descriptor = _embedded(opening, layout)
    parent = _parent(opening, descriptor) if descriptor else None
    return vmdk_sparse.SparseExtent(opening.reader, layout, parent)


def _parts(opening: Opening) -> Reader:
    """Open a disk in several sparse extents whose descriptor is gone: they are numbered."""
    opening.note(
        say("the descriptor of the image is gone"),
        say("the numbered parts beside it were put together; whether they are all is not known"),
    )
    parts: list[Reader] = []
    stem = opening.path[: -len(b"001.vmdk")]
    for number in range(1, MOST_PARTS):
        path = stem + b"%03d.vmdk" % number
        if not os.path.isfile(path):  # noqa: PTH113 bytes
            break
        file = opening.files.open(path)
        parts.append(vmdk_sparse.SparseExtent(file, vmdk_sparse.geometry(file)))
    return Joined(parts)


def content_identifier(opening: Opening) -> str:
    """Return what a snapshot knows the content of this disk by; "" where it does not say."""
    head = opening.reader.read_at(0, vmdk_descriptor.LONGEST)
    if head[:4] == vmdk_sparse.HOSTED:
        descriptor = _embedded(opening, vmdk_sparse.geometry(opening.reader))
    else:
        descriptor = vmdk_descriptor.parse(head)
    return descriptor.cid if descriptor else ""


def _embedded(opening: Opening, layout: vmdk_sparse.Geometry) -> Descriptor | None:
    """Return the descriptor inside a sparse extent; says so where it is damaged."""
    if not layout.descriptor:
        return None
    size = min(layout.descriptor_size * SECTOR, vmdk_descriptor.LONGEST)
    found = vmdk_descriptor.parse(opening.reader.read_at(layout.descriptor * SECTOR, size))
    if found is None:
        opening.note(
            say("the descriptor in the image is damaged"),
            say("the disk was opened by its tables of grains; whether it builds on another is not known"),
        )
    return found


def _parent(opening: Opening, descriptor: Descriptor) -> Reader | None:
    if not descriptor.parent:
        return None
    size = sum(each.sectors for each in descriptor.extents) * SECTOR
    return opening.parent(descriptor.hint or "?", size, lambda lower: _checked(lower, descriptor))


def _checked(lower: Opening, descriptor: Descriptor) -> Reader:
    """Open the parent of a disk; says so where it was changed after the snapshot."""
    disk = lower.inner(lower)
    found = content_identifier(lower)
    if found and found != descriptor.parent:
        lower.note(
            say("it was changed after the snapshot that builds on it"),
            say("the disk was read as it is now; blocks of both times may be mixed"),
        )
    return disk


def _extents(opening: Opening, descriptor: Descriptor, parent: Reader | None) -> Iterator[Reader]:
    start = 0
    for each in descriptor.extents:
        size = each.sectors * SECTOR
        below = Part(parent, start, size) if parent else None
        yield _extent(opening, each, below)
        start += size


def _extent(opening: Opening, extent: Extent, parent: Reader | None) -> Reader:
    size = extent.sectors * SECTOR
    if extent.kind == "ZERO":
        return Zeros(size)
    if extent.kind not in FLAT | SPARSE:
        raise unsupported(
            say("extents of the kind {kind} cannot be read", kind=extent.kind),
            say("consolidate the snapshots, or convert the disk with its own tools"),
        )
    file = opening.open_beside(extent.name, size)
    if extent.kind in FLAT:
        return Part(file, extent.offset * SECTOR, size)
    if isinstance(file, Missing):
        return file
    if extent.kind == "SESPARSE":
        return _space_efficient(opening, file, parent)
    if file.read_at(0, 4) not in {vmdk_sparse.HOSTED, vmdk_sparse.ESX}:  # its head is lost
        path = opening.beside(extent.name) or opening.path
        return Part(opening.inner(opening._replace(path=path, reader=file)), 0, size)
    layout = vmdk_sparse.geometry(file)
    return vmdk_sparse.SparseExtent(file, layout._replace(sectors=extent.sectors), parent)


def _space_efficient(opening: Opening, file: Reader, parent: Reader | None) -> Reader:
    layout = vmdk_sesparse.layout(file)
    if layout.dirty:
        opening.note(
            say("the image was not closed: its log holds changes that are not in the disk yet"),
            say("the log was not applied; the last writes of the machine may be half done"),
        )
    return vmdk_sesparse.SpaceEfficient(file, layout, parent)
