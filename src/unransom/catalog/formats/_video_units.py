"""The units that coded video pictures consist of; their sizes must add up to the picture's exactly."""

from __future__ import annotations

from unransom.core.streams import Reader

UNITS_CAP = 1 << 12  # units of one picture that are followed


class Units:
    """How the pictures of a track are divided.

    Attributes:
        checks: The pictures have units at all that are known here.
    """

    def __init__(self, codec: bytes, configuration: bytes) -> None:
        """Take a track's codec (``avc1``, ``hvc1``, ``av01`` …) and its configuration record."""
        self._codec = codec[:3]
        self._width = 0
        if self._codec == b"avc" and len(configuration) > 4:
            self._width = (configuration[4] & 3) + 1
        elif self._codec in {b"hvc", b"hev"} and len(configuration) > 21:
            self._width = (configuration[21] & 3) + 1
        self.checks = self._width > 0 or self._codec == b"av0"

    def broken_at(self, reader: Reader, start: int, end: int) -> int | None:
        """Return where the units of the picture from ``start`` to ``end`` do not hold; None where they do."""
        step = self._nal if self._width else self._obu
        position = start
        for _ in range(UNITS_CAP):
            if position == end:
                return None
            following = step(reader, position)
            if following is None or following > end:
                return position
            position = following
        return None

    def _nal(self, reader: Reader, position: int) -> int | None:
        """Return where the NAL unit ends whose length stands at ``position``."""
        data = reader.read_at(position, self._width + 2)
        length = int.from_bytes(data[: self._width])
        header = data[self._width :]
        if length == 0:
            return position + self._width  # some writers leave empty units
        if len(header) < 2 or header[0] & 0x80:
            return None
        legal = header[0] & 0x1F if self._codec == b"avc" else header[1] & 7
        return position + self._width + length if legal else None

    @staticmethod
    def _obu(reader: Reader, position: int) -> int | None:
        """Return where the AV1 unit at ``position`` ends."""
        data = reader.read_at(position, 10)
        if len(data) < 2 or data[0] & 0x81 or not data[0] & 2:
            return None
        at, length = 2 if data[0] & 4 else 1, 0
        for shift, byte in enumerate(data[at:]):
            length |= (byte & 0x7F) << 7 * shift
            if byte < 0x80:
                return position + at + shift + 1 + length
        return None
