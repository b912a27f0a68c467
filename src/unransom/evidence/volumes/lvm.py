"""Logical volumes of LVM2 on one disk: linear ones, in whole extents of it, and mirrors of such.

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
COPIES = {"raid1": "raids", "mirror": "mirrors"}  # kinds of segments, and what lists their copies
META = re.compile(r"_rmeta_\d+$")  # names of what RAID keeps for itself beside a copy

Value = dict[str, "Value"] | list["Value"] | str | int


class Logical(NamedTuple):
    """A logical volume.

    Attributes:
        name: Group and volume.
        spans: Where its bytes are on the disk, in its order; empty where that is not known: it is striped,
            thin, or on other disks as well.
    """

    name: str
    spans: tuple[Span, ...]


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


def logical_volumes(reader: Reader, start: int) -> list[Logical]:
    """Return the logical volumes of the group that the disk, or partition, at byte ``start`` belongs to."""
    try:
        head = reader.read_at(start, 4 * SECTOR)
        label = signatures.lvm_label(head)
        if label is None:
            return []
        identifier, metadata = _physical(head[label : label + SECTOR])
        text = _text(reader, start, metadata)
    except UnreadableError:
        return []
    tree = parse(text)
    return [
        each
        for name, group in tree.items()
        if isinstance(group, dict)
        for each in in_group(name, group, identifier, start)
    ]


def parse(text: str) -> dict[str, Value]:
    """Return what the text of metadata says; as far as it makes sense."""
    tokens = [match for match in TOKEN.finditer(text[:LONGEST]) if not match.group().startswith("#")]
    root: dict[str, Value] = {}
    stack = [root]
    index = 0
    while index + 1 < len(tokens):
        name, following = tokens[index].group(), tokens[index + 1].group()
        if name == "}":
            if len(stack) > 1:
                stack.pop()
            index += 1
        elif following == "{":
            inner: dict[str, Value] = {}
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


def in_group(name: str, group: dict[str, Value], identifier: str, start: int) -> list[Logical]:
    """Return the volumes of a group, and where they are on the disk ``identifier`` at byte ``start``."""
    size = group.get("extent_size")
    disks, volumes = group.get("physical_volumes"), group.get("logical_volumes")
    if not isinstance(size, int) or size <= 0 or not isinstance(disks, dict) or not isinstance(volumes, dict):
        return []
    origins = {}
    for key, disk in disks.items():
        if isinstance(disk, dict) and str(disk.get("id", "")).replace("-", "") == identifier:
            first = disk.get("pe_start")
            origins[key] = first if isinstance(first, int) and first >= 0 else 0
    found = []
    for key, volume in list(volumes.items())[:MOST_VOLUMES]:
        if isinstance(volume, dict) and _is_shown(volume):
            spans = _spans(volume, origins, size, start) or _leg(volume, volumes, origins, size, start)
            found.append(Logical(f"{name}/{key}", spans))
    return found


def _is_shown(volume: dict[str, Value]) -> bool:
    """Return whether a volume is one of its own: those without the mark are parts of others."""
    status = volume.get("status")
    return not isinstance(status, list) or "VISIBLE" in status


def _leg(
    volume: dict[str, Value], volumes: dict[str, Value], origins: dict[str, int], size: int, start: int
) -> tuple[Span, ...]:
    """Return where the first copy of a mirrored volume is that is all on this disk; () for none."""
    segments = [each for key, each in volume.items() if key.startswith("segment") and isinstance(each, dict)]
    if len(segments) != 1 or segments[0].get("type") not in COPIES:
        return ()
    names = segments[0].get(COPIES[str(segments[0]["type"])])
    for name in names if isinstance(names, list) else ():
        copy = volumes.get(str(name))
        if isinstance(copy, dict) and not META.search(str(name)):
            spans = _spans(copy, origins, size, start)
            if spans:
                return spans
    return ()


def _spans(volume: dict[str, Value], origins: dict[str, int], size: int, start: int) -> tuple[Span, ...]:
    """Return where a volume is, () where some of it is not on this disk, or not in one piece."""
    segments = [each for key, each in volume.items() if key.startswith("segment") and isinstance(each, dict)]
    spans = []
    for segment in sorted(segments, key=lambda each: _number(each.get("start_extent")))[:MOST_SEGMENTS]:
        stripes, count = segment.get("stripes"), _number(segment.get("extent_count"))
        plain = segment.get("type") == "striped" and segment.get("stripe_count") == 1
        if not plain or not isinstance(stripes, list) or len(stripes) != 2 or stripes[0] not in origins:
            return ()
        first = start + (origins[str(stripes[0])] + _number(stripes[1]) * size) * SECTOR
        spans.append(Span(first, first + count * size * SECTOR))
    return tuple(spans)


def _number(value: Value | None) -> int:
    return value if isinstance(value, int) and 0 <= value < 1 << 48 else 0
