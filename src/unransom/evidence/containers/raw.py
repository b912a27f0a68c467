"""Raw images and devices, also split: the disk's bytes as they are.

Segments are called ``name.001`` and so on, as imaging programs do, or as ``split`` names them: in digits or
letters of any width, which it makes wider before they run out (``yz`` is followed by ``zaaa``), perhaps with
an ending behind them (``disk-001.raw``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.evidence.containers.mapped import Joined
from unransom.evidence.containers.opening import MOST_FILES, Opening
from unransom.evidence.descriptors import DescriptorReader, open_quietly
from unransom.evidence.volumes import raid, signatures

NUMBERED = re.compile(rb"\.(0{2,}[01])$")
SPLIT = re.compile(rb"(0{1,}[01]|a{2,})$")  # what the first segment of ``split`` ends in
INSIDE = re.compile(rb"(?<=[._-])(0{1,}[01]|a{2,})\.[A-Za-z]\w{0,4}$")  # or has in front of its ending
DIGITS, HEXADECIMAL, LETTERS = b"0123456789", b"0123456789abcdef", b"abcdefghijklmnopqrstuvwxyz"
LOOKED_AHEAD = 100  # names behind a gap
OTHERS = {  # what begins images of kinds that are not known here
    b"QFI\xfb\0\0\0\1": "QCOW 1",
    b"QED\0": "QED",
    b"WithoutFreeSpace": "Parallels",
    b"WithouFreSpacExt": "Parallels",
    b"AFF10\r\n\0": "AFF",
}


def claims(head: bytes, tail: bytes, size: int) -> bool:
    """Return True: what is nothing else is taken as it is."""
    return True


def open_disk(opening: Opening) -> Reader:
    """Open a device, an image file, or all segments of a split one.

    Raises:
        OSError: A segment cannot be opened.
    """
    head = opening.reader.read_at(0, 16)
    for kind in {kind for mark, kind in OTHERS.items() if head.startswith(mark)}:
        opening.note(
            say("it is an image of the kind {kind}, and is read as if it were the disk itself", kind=kind),
            say("make a raw image of it: with `qemu-img convert -O raw`, or with the program that made it"),
        )
    paths = segments(opening.path)
    for name in missing_segments(opening.path):
        opening.files.note(
            name,
            say("the segments before this one are not all there"),
            say("the image was read up to the gap; put the missing segments beside the others"),
        )
    if len(paths) == 1:
        return opening.reader
    return Joined([opening.files.open(path) for path in paths])


class _Name(NamedTuple):
    """A name of a segment: what is before its number, that, and what is behind it."""

    stem: bytes
    number: bytes
    ending: bytes

    def path(self, number: bytes) -> bytes:
        """Return the path of the segment with another number."""
        return self.stem + number + self.ending


def segments(path: bytes) -> list[bytes]:
    """Return ``path`` and the segments that follow it without a gap, in order."""
    first = _first(path)
    if not first:
        return [path]
    name, paths = first.number, [path]
    while name and len(paths) < MOST_FILES:
        name = next((each for each in _following(name) if _is_segment(first.path(each))), b"")
        if name:
            paths.append(first.path(name))
    sound = NUMBERED.search(path) or (_are_even(paths) and not (first.ending and _are_disks(paths)))
    return paths if sound else [path]


def missing_segments(path: bytes) -> list[bytes]:
    """Return the names of segments that lie beyond a gap: the image ends early, and they are not read."""
    present = segments(path)
    first = _first(path)
    if not first or (len(present) == 1 and not NUMBERED.search(path)):
        return []
    last = present[-1]
    name = last[len(first.stem) : len(last) - len(first.ending)]
    marks = LETTERS if name[-1:].isalpha() else DIGITS
    found = []
    for _ in range(LOOKED_AHEAD):
        name = _after(name, marks) or b""
        if name and _is_segment(first.path(name)):
            found.append(first.path(name).rpartition(b"/")[2])
    return found


def _first(path: bytes) -> _Name | None:
    """Return the parts of the name of a first segment, None where it is none."""
    found = SPLIT.search(path) or INSIDE.search(path)
    return _Name(path[: found.start(1)], found.group(1), path[found.end(1) :]) if found else None


def _are_disks(paths: list[bytes]) -> bool:
    """Return whether what follows the first file begins like disks: then each is one of its own."""
    for path in paths[1:]:
        with DescriptorReader(open_quietly(path)) as reader:
            head = reader.read_at(0, signatures.HEAD)
            if signatures.is_disk(head, reader.size) or raid.member(reader, 0, reader.size):
                return True
    return False


def _is_segment(path: bytes) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 bytes


def _are_even(paths: list[bytes]) -> bool:
    """Return whether all but the last have one size: else the names only look like those of segments."""
    sizes = [os.path.getsize(path) for path in paths]  # noqa: PTH202 bytes
    return len(set(sizes[:-1])) == 1 and 0 < sizes[-1] <= sizes[0]


def _following(name: bytes) -> Iterator[bytes]:
    """Yield how the segment behind the one that ends in ``name`` may be called."""
    for marks in (LETTERS,) if name[:1].isalpha() else (HEXADECIMAL, DIGITS):
        if not name.strip(marks):
            after = _after(name, marks)
            if after:
                yield after
            wider = _wider(name, marks)
            if wider:
                yield wider
    if name == b"9" * len(name):
        yield b"1" + b"0" * len(name)


def _after(name: bytes, marks: bytes) -> bytes | None:
    """Return the next name of that width; None where there is none."""
    last = marks[-1:]
    kept = name.rstrip(last)
    if not kept or kept.strip(marks):
        return None
    place = marks.index(kept[-1:]) + 1
    return kept[:-1] + marks[place : place + 1] + marks[:1] * (len(name) - len(kept))


def _wider(name: bytes, marks: bytes) -> bytes | None:
    """Return the name behind the last one of its width, of those that grow; None for others."""
    last, before = marks[-1:], marks[-2:-1]
    rest = name.lstrip(last)
    if len(rest) < 2 or rest != before + last * (len(rest) - 1):
        return None
    return last * (len(name) - len(rest) + 1) + marks[:1] * (len(rest) + 1)
