"""Groups of LVM2, and their logical volumes on one disk: linear ones, in whole extents of it, and mirrors.

Those on several disks `unransom.evidence.arrays.groups` puts together.

Sources: lvm2, the text format of its metadata and the layout of its labels.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from unransom.core.errors import UnreadableError
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.evidence.volumes import signatures

SECTOR = 512
LABEL = struct.Struct("<8sQII8s")  # mark, own sector, checksum, offset of what follows, kind
AREA = struct.Struct("<QQ")
HEADER = struct.Struct(
    "<4x16sIQQQQ"
)  # of an area of metadata: mark, version, start, size; offset, size of text
AREA_MARK = b" LVM2 x[5A%r0N*>"
LONGEST = 16 << 20  # bytes of metadata
MOST_VOLUMES, MOST_SEGMENTS = 4096, 65536
TOKEN = re.compile(r'#[^\n]*|"((?:[^"\\]|\\.)*)"|(-?\d+)|([A-Za-z0-9_.+-]+)|([={}\[\],])')
DEEPEST = 32
COPIES = {"raid1", "mirror"}  # kinds of segments
LEGS = ("raids", "raid0_lvs", "mirrors")  # what lists the volumes that such are made of
META = re.compile(r"_rmeta_\d+$")  # names of what RAID keeps for itself beside a copy

Value = dict[str, "Value"] | list["Value"] | str | int
Tree = dict[str, Value]


class Physical(NamedTuple):
    """A disk of a group: its identifier, and what its metadata say of the group ("" for nothing)."""

    identifier: str
    text: str


class Logical(NamedTuple):
    """A logical volume.

    Attributes:
        name: Group and volume.
        spans: Where its bytes are on the disk, in its order; empty where that is not known: it is striped,
            thin, or on other disks as well.
        identifier: Of one without ``spans``.
        disks: How many disks such a one is on.
        absent: Whether this disk is none of them.
    """

    name: str
    spans: tuple[Span, ...]
    identifier: bytes = b""
    disks: int = 1
    absent: bool = False


class Linear:
    """A disk on which the bytes of a logical volume follow each other, from where it begins."""

    def __init__(self, reader: Reader, spans: tuple[Span, ...]) -> None:
        """String ``spans`` of ``reader`` together behind the first byte of the first."""
        self._reader = reader
        self._spans = spans
        self.size = spans[0].start + sum(map(len, spans))

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the volume ends.

        Raises:
            UnreadableError: Some of these bytes cannot be read.
        """
        parts, position = [], self._spans[0].start
        end = min(offset + length, self.size)
        for span in self._spans:
            start, stop = max(offset, position), min(end, position + len(span))
            if start < stop:
                parts.append(self._reader.read_at(span.start + start - position, stop - start))
            position += len(span)
        return b"".join(parts)

    def places(self, wanted: Span) -> Iterator[Span]:
        """Yield where bytes of the volume lie on the disk; ``wanted`` is as of `read_at`."""
        position = self._spans[0].start
        for span in self._spans:
            start, stop = max(wanted.start, position), min(wanted.end, position + len(span))
            if start < stop:
                yield Span(span.start + start - position, span.start + stop - position)
            position += len(span)


def physical(reader: Reader, start: int) -> Physical | None:
    """Return what the disk, or partition, at byte ``start`` says of its group; None where it has none."""
    try:
        head = reader.read_at(start, 4 * SECTOR)
        label = signatures.lvm_label(head)
        if label is None:
            return None
        identifier, metadata = _physical(head[label : label + SECTOR])
        return Physical(identifier, _text(reader, start, metadata))
    except UnreadableError:
        return None


def logical_volumes(reader: Reader, start: int) -> list[Logical]:
    """Return the logical volumes of the group that the disk, or partition, at byte ``start`` belongs to."""
    own = physical(reader, start)
    return in_groups(own, start) if own else []


def in_groups(own: Physical, start: int) -> list[Logical]:
    """Return the logical volumes that the metadata of the disk at byte ``start`` name."""
    return [
        each
        for name, group in parse(own.text).items()
        if isinstance(group, dict)
        for each in in_group(name, group, own.identifier, start)
    ]


def parse(text: str) -> Tree:
    """Return what the text of metadata says; as far as it makes sense."""
    tokens = [match for match in TOKEN.finditer(text[:LONGEST]) if not match.group().startswith("#")]
    root: Tree = {}
    stack = [root]
    index = 0
    while index + 1 < len(tokens):
        name, following = tokens[index].group(), tokens[index + 1].group()
        if name == "}":
            if len(stack) > 1:
                stack.pop()
            index += 1
        elif following == "{":
            inner: Tree = {}
            stack[-1][name] = inner
            stack.append(inner)
            if len(stack) > DEEPEST:
                break
            index += 2
        elif following == "=":
            value, index = _value(tokens, index + 2)
            stack[-1][name] = value
        else:
            index += 1
    return root


def _value(tokens: list[re.Match[str]], index: int) -> tuple[Value, int]:
    if index >= len(tokens):
        return "", index
    if tokens[index].group() != "[":
        return _scalar(tokens[index]), index + 1
    found: list[Value] = []
    index += 1
    while index < len(tokens) and tokens[index].group() != "]":
        if tokens[index].group() != ",":
            found.append(_scalar(tokens[index]))
        index += 1
    return found, index + 1


def _scalar(token: re.Match[str]) -> str | int:
    text, number, word, mark = token.groups()
    if number is not None and len(number) < 20:
        return int(number)
    return text if text is not None else word or mark or ""


def _physical(label: bytes) -> tuple[str, list[Span]]:
    """Return the identifier of a physical volume, and where its metadata is."""
    _, _, _, offset, _ = LABEL.unpack_from(label)
    if not LABEL.size <= offset <= SECTOR - 40:
        return "", []
    identifier = label[offset : offset + 32].decode("latin-1")
    areas, lists, place = [], 0, offset + 40
    while place + AREA.size <= SECTOR and lists < 2:
        first, size = AREA.unpack_from(label, place)
        place += AREA.size
        if not first:
            lists += 1
        elif lists == 1:
            areas.append(Span(first, first + size))
    return identifier, areas


def _text(reader: Reader, start: int, areas: list[Span]) -> str:
    """Return the newest metadata, which stands in an area that is written round and round."""
    for area in areas:
        head = reader.read_at(start + area.start, SECTOR)
        if len(head) < SECTOR or head[4:20] != AREA_MARK:
            continue
        _, _, _, size, offset, length = HEADER.unpack_from(head)
        if not SECTOR <= offset < size or length > min(size, LONGEST):
            continue
        first = reader.read_at(start + area.start + offset, min(length, size - offset))
        rest = reader.read_at(start + area.start + SECTOR, length - len(first))
        return (first + rest).rstrip(b"\0").decode("utf-8", "replace")
    return ""


def in_group(name: str, group: Tree, identifier: str, start: int) -> list[Logical]:
    """Return the volumes of a group, and where they are on the disk ``identifier`` at byte ``start``."""
    size = extent_size(group)
    disks, volumes = group.get("physical_volumes"), group.get("logical_volumes")
    if not size or not isinstance(disks, dict) or not isinstance(volumes, dict):
        return []
    origins = {
        key: begin for key, (disk, begin) in begins(group).items() if disk == identifier.replace("-", "")
    }
    found = []
    for key, volume in list(volumes.items())[:MOST_VOLUMES]:
        if isinstance(volume, dict) and _is_shown(volume):
            spans = _spans(volume, origins, size, start) or _leg(volume, volumes, origins, size, start)
            logical = Logical(f"{name}/{key}", spans)
            found.append(logical if spans else _without(logical, group, volume, origins))
    return found


def extent_size(group: Tree) -> int:
    """Return the sectors of an extent of a group, 0 where that makes no sense."""
    return number(group.get("extent_size"))


def begins(group: Tree) -> dict[str, tuple[str, int]]:
    """Return the disks of a group by name: their identifiers, and the sector of the first extent of each."""
    disks = group.get("physical_volumes")
    return {
        key: (str(disk.get("id", "")).replace("-", ""), number(disk.get("pe_start")))
        for key, disk in (disks.items() if isinstance(disks, dict) else ())
        if isinstance(disk, dict)
    }


def segments_of(volume: Tree) -> list[Tree]:
    """Return the segments of a logical volume in their order."""
    found = [each for key, each in volume.items() if key.startswith("segment") and isinstance(each, dict)]
    return sorted(found, key=lambda each: number(each.get("start_extent")))[:MOST_SEGMENTS]


def stripes_of(segment: Tree) -> list[tuple[str, int]]:
    """Return the stripes of a segment: a disk or another volume, and its first extent there."""
    stripes = segment.get("stripes")
    if not isinstance(stripes, list) or len(stripes) % 2:
        return []
    return [(str(key), number(first)) for key, first in zip(stripes[::2], stripes[1::2], strict=True)]


def legs_of(segment: Tree) -> list[str]:
    """Return the volumes that a mirror or an array is made of, without what RAID keeps for itself."""
    lists = [names for key in LEGS if isinstance(names := segment.get(key), list)]
    return [each for each in (lists[0] if lists else ()) if isinstance(each, str) and not META.search(each)]


def disks_of(group: Tree, volume: Tree) -> set[str]:
    """Return the names of the disks that a logical volume is on."""
    volumes, disks = group.get("logical_volumes"), begins(group)
    found, seen, waiting = set[str](), set[str](), [volume]
    while waiting:
        for segment in segments_of(waiting.pop()):
            for name in [*(key for key, _ in stripes_of(segment)), *legs_of(segment)]:
                inner = volumes.get(name) if isinstance(volumes, dict) and name not in seen else None
                seen.add(name)
                if name in disks:
                    found.add(name)
                elif isinstance(inner, dict):
                    waiting.append(inner)
    return found


def _without(logical: Logical, group: Tree, volume: Tree, origins: dict[str, int]) -> Logical:
    """Return a logical volume that is not in plain pieces on the disk whose extents begin at ``origins``."""
    disks = disks_of(group, volume)
    identifier = str(volume.get("id", logical.name)).encode()
    absent = bool(disks) and not disks & set(origins)
    return logical._replace(identifier=identifier, disks=len(disks), absent=absent)


def _is_shown(volume: Tree) -> bool:
    """Return whether a volume is one of its own: those without the mark are parts of others."""
    status = volume.get("status")
    return not isinstance(status, list) or "VISIBLE" in status


def _leg(volume: Tree, volumes: Tree, origins: dict[str, int], size: int, start: int) -> tuple[Span, ...]:
    """Return where the first copy of a mirrored volume is that is all on this disk; () for none."""
    segments = segments_of(volume)
    if len(segments) != 1 or segments[0].get("type") not in COPIES:
        return ()
    for name in legs_of(segments[0]):
        copy = volumes.get(name)
        spans = _spans(copy, origins, size, start) if isinstance(copy, dict) else ()
        if spans:
            return spans
    return ()


def _spans(volume: Tree, origins: dict[str, int], size: int, start: int) -> tuple[Span, ...]:
    """Return where a volume is, () where some of it is not on this disk, or not in one piece."""
    spans = []
    for segment in segments_of(volume):
        stripes, count = stripes_of(segment), number(segment.get("extent_count"))
        plain = segment.get("type") == "striped" and segment.get("stripe_count") == 1
        if not plain or len(stripes) != 1 or stripes[0][0] not in origins:
            return ()
        ((name, extent),) = stripes
        first = start + (origins[name] + extent * size) * SECTOR
        spans.append(Span(first, first + count * size * SECTOR))
    return tuple(spans)


def number(value: Value | None) -> int:
    """Return a number of metadata, 0 where there is none that makes sense."""
    return value if isinstance(value, int) and 0 <= value < 1 << 48 else 0
