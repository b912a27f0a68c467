"""What a film's parameter sets say of the first fields of its slices (ITU-T H.264 7.3.2, H.265 7.3.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

SETS = 64  # as in _nal_kernel
FIELDS = 8
HIGH = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))
VIDEO_SET, PICTURE_SET = {False: 7, True: 33}, {False: 8, True: 34}  # kinds of units, by whether it is H.265


class Coding(NamedTuple):
    """How to read a film's units.

    Attributes:
        width: Bytes of a unit's length.
        hevc: It is H.265, else H.264.
        sets: By parameter set of pictures: known, bits of frame_num, frames only, kind of order, bits of it,
            planes of their own, extra bits of slices, flag of output.
        bits: Of the number by which pictures follow each other.
    """

    width: int
    hevc: bool
    sets: NDArray[np.int64]
    bits: int


class _Sequence(msgspec.Struct):
    """What a sequence's parameter set says."""

    frame_bits: int = 0
    frames_only: bool = True
    kind: int = 0
    order_bits: int = 0
    planes: bool = False


class _Bits:
    """Reads a unit's payload bit by bit; zeros behind its end."""

    def __init__(self, unit: bytes) -> None:
        data = unit.replace(b"\0\0\3", b"\0\0")
        self._value = int.from_bytes(data)
        self._size = 8 * len(data)
        self._at = 0

    def take(self, count: int) -> int:
        """Return the next ``count`` bits."""
        self._at += count
        shift = self._size - self._at
        return (self._value >> shift if shift >= 0 else self._value << -shift) & ((1 << count) - 1)

    def number(self) -> int:
        """Return an unsigned Exp-Golomb number; 0 for what is none."""
        zeros = 0
        while zeros < 32 and not self.take(1):
            zeros += 1
        return 0 if zeros == 32 else (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """Return a signed Exp-Golomb number."""
        value = self.number()
        return (value + 1) // 2 if value % 2 else -(value // 2)


def coding(entry: bytes, configuration: bytes) -> Coding | None:
    """Return how to read the units of a track, None where that is not known.

    Args:
        entry: Name of the sample entry: ``avc1``, ``hvc1`` …
        configuration: Content of its ``avcC`` or ``hvcC`` box (ISO/IEC 14496-15).
    """
    hevc = entry[:3] in {b"hvc", b"hev"}
    if len(configuration) < 7 or (not hevc and entry[:3] != b"avc"):
        return None
    width = (configuration[21 if hevc and len(configuration) > 22 else 4] & 3) + 1
    units = list(_hevc_units(configuration) if hevc else _avc_units(configuration))
    videos = dict(_video_set(unit, hevc) for unit in units if _kind(unit, hevc) == VIDEO_SET[hevc])
    sets = np.zeros((SETS, FIELDS), np.int64)
    bits = 0
    for unit in units:
        if _kind(unit, hevc) != PICTURE_SET[hevc]:
            continue
        reader = _Bits(unit[2 if hevc else 1 :])
        number, sequence = reader.number(), videos.get(reader.number())
        if sequence is None or number >= SETS:
            continue
        reader.take(1)
        flag, extra = reader.take(1), reader.take(3)
        sets[number] = (
            1,
            sequence.frame_bits,
            sequence.frames_only,
            sequence.kind,
            sequence.order_bits,
            sequence.planes,
            extra if hevc else 0,
            flag if hevc else 0,
        )
        bits = sequence.order_bits if hevc else sequence.frame_bits
    return Coding(width, hevc, sets, bits) if bits and width > 2 else None  # shorter lengths prove too little


def _kind(unit: bytes, hevc: bool) -> int:
    if not unit:
        return -1
    return unit[0] >> 1 & 63 if hevc else unit[0] & 31


def _counted(data: bytes, at: int, count: int) -> tuple[list[bytes], int]:
    """Return units behind lengths of two bytes, and where they end."""
    units = []
    for _ in range(count):
        size = int.from_bytes(data[at : at + 2])
        units.append(data[at + 2 : at + 2 + size])
        at += 2 + size
    return units, at


def _avc_units(data: bytes) -> Iterator[bytes]:
    units, at = _counted(data, 6, data[5] & 31)
    yield from units
    yield from _counted(data, at + 1, data[at] if at < len(data) else 0)[0]


def _hevc_units(data: bytes) -> Iterator[bytes]:
    at = 23
    for _ in range(data[22] if len(data) > 22 else 0):
        units, at = _counted(data, at + 3, min(int.from_bytes(data[at + 1 : at + 3]), SETS))
        yield from units


def _video_set(unit: bytes, hevc: bool) -> tuple[int, _Sequence]:
    return _hevc_video(_Bits(unit[2:])) if hevc else _avc_video(_Bits(unit[1:]))


def _avc_video(reader: _Bits) -> tuple[int, _Sequence]:
    profile = reader.take(24) >> 16
    number = reader.number()
    said = _Sequence()
    if profile in HIGH:
        chroma = reader.number()
        said.planes = chroma == 3 and bool(reader.take(1))
        reader.number(), reader.number(), reader.take(1)
        if reader.take(1):
            for index in range(8 if chroma != 3 else 12):
                if reader.take(1):
                    _skip_scaling(reader, 16 if index < 6 else 64)
    said.frame_bits = min(reader.number(), 12) + 4
    said.kind = reader.number()
    if said.kind == 0:
        said.order_bits = min(reader.number(), 12) + 4
    elif said.kind == 1:
        reader.take(1), reader.signed(), reader.signed()
        for _ in range(min(reader.number(), 255)):
            reader.signed()
    reader.number(), reader.take(1), reader.number(), reader.number()
    said.frames_only = bool(reader.take(1))
    return number, said


def _skip_scaling(reader: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + reader.signed()) % 256
        last = following or last


def _hevc_video(reader: _Bits) -> tuple[int, _Sequence]:
    layers = reader.take(8) >> 1 & 7
    reader.take(96)
    present = [(reader.take(1), reader.take(1)) for _ in range(layers)]
    if layers:
        reader.take(2 * (8 - layers))
    for profile, level in present:
        reader.take(88 * profile + 8 * level)
    number = reader.number()
    said = _Sequence(planes=reader.number() == 3 and bool(reader.take(1)))
    reader.number(), reader.number()
    if reader.take(1):
        for _ in range(4):
            reader.number()
    reader.number(), reader.number()
    said.order_bits = min(reader.number(), 12) + 4
    return number, said
