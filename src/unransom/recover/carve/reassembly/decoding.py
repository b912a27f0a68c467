"""A JPEG image as a check that is fed piece by piece and can be forked: segments, then coded scans."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING

import numpy as np

from unransom.catalog.formats import _jpeg_markers as markers
from unransom.catalog.formats._jpeg_markers import GrammarError, Scan, Tables

if TYPE_CHECKING:
    from unransom.catalog.formats._jpeg_scan import History, ScanDecoder

SOI = b"\xff\xd8"
SLOP = 2  # bytes between the last unit of a scan and the marker behind it
MARGIN = 16  # bytes that the decoder has taken in and may give back
LARGEST = 1 << 26  # units of an image


class Decoding:
    """What was decoded of an image so far."""

    def __init__(self) -> None:
        self._tables = Tables()
        self._decoder: ScanDecoder | None = None
        self._history: History | None = None
        self._pending = b""  # fed and not yet parsed; in a scan, all that the decoder may still give back
        self._dropped = 0  # bytes of the scan that are no longer kept in ``_pending``
        self._begun = False
        self._units = 0
        self.ended = False

    def fork(self) -> Decoding:
        """Return a copy that goes on by itself."""
        other = Decoding.__new__(Decoding)
        other.__dict__.update(self.__dict__)
        if self._decoder is not None:
            other._decoder = self._decoder.fork()
        return other

    def tastes(self, pieces: Sequence[bytes]) -> Sequence[bool]:
        """Return for each of ``pieces``, of one size, whether it may follow."""
        if self._decoder is None:
            return [self.fork().feed(piece) for piece in pieces]
        rows = np.frombuffer(b"".join(pieces), np.uint8).reshape(len(pieces), -1)
        return self._decoder.taste(rows).tolist()

    def holds(self) -> bool:
        """Return whether the image has come to its end marker with all of its units."""
        return self.ended

    def feed(self, data: bytes) -> bool:
        """Take what follows; return whether it may still be right."""
        self._pending += data
        if not self._begun:
            if not self._pending.startswith(SOI):
                return False
            self._begun, self._pending = True, self._pending[2:]
        try:
            return self._take(data)
        except GrammarError:
            return False

    def _take(self, data: bytes) -> bool:
        """Parse and decode what is pending, of which ``data`` was added last."""
        while not self.ended:
            decoder, length = self._decoder, len(self._pending)
            if not (self._scanned(data) if decoder is not None else self._segment()):
                return False
            if self._decoder is decoder and (decoder is not None or len(self._pending) == length):
                return True  # it waits for more
            data = self._pending
        return True

    def _segment(self) -> bool:
        """Take in the next segment where it is there whole; return whether it may be right."""
        pending = self._pending.lstrip(b"\xff")
        if not pending or len(pending) == len(self._pending):
            return not self._pending or not pending
        marker = pending[0]
        if marker == markers.EOI:
            self.ended = self._units > 0
            return self.ended
        if marker not in markers.KNOWN:
            return False
        length = int.from_bytes(pending[1:3])
        if len(pending) < 3 or len(pending) < 1 + length:
            return len(pending) < 3 or length >= 2
        payload, self._pending = pending[3 : 1 + length], pending[1 + length :]
        if length < 2:
            return False
        self._tables = _copied(self._tables)  # others that were forked have them, too
        self._tables.take(marker, payload)
        return marker != markers.SOS or self._begin(self._tables.scan(payload))

    def _begin(self, scan: Scan) -> bool:
        """Begin to decode a scan."""
        from unransom.catalog.formats import _jpeg_scan as scans  # noqa: PLC0415  numba is slow to import

        frame = self._tables.frame
        if frame is None or not scans.decodable(self._tables, scan):
            return False
        history = self._history.copy() if self._history else scans.History(frame)
        if not history.serves(scan):
            return False
        self._decoder = scans.ScanDecoder(self._tables, scan, history)
        self._dropped = 0
        return self._decoder.units <= LARGEST

    def _scanned(self, data: bytes) -> bool:
        """Decode what was added; return whether it may be right."""
        from unransom.catalog.formats._jpeg_scan import Outcome  # noqa: PLC0415  numba is slow to import

        decoder = self._decoder
        if decoder is None:
            return False
        outcome = decoder.feed(data)
        if outcome is Outcome.MORE:
            self._keep(decoder.consumed)
            return True
        return outcome is Outcome.DONE and self._finish(decoder)

    def _keep(self, consumed: int) -> None:
        """Forget what the decoder has used, save some bytes that it may give back."""
        spare = max(0, consumed - self._dropped - MARGIN)
        self._pending = self._pending[spare:]
        self._dropped += spare

    def _finish(self, decoder: ScanDecoder) -> bool:
        """Leave the scan at its last unit; a marker must follow."""
        rest = self._pending[decoder.consumed - self._dropped :]
        marker = rest.find(b"\xff")
        if len(rest) > SLOP and not 0 <= marker <= SLOP:
            return False
        self._units += decoder.done
        self._history = decoder.history
        self._decoder = None
        self._pending = rest[max(marker, 0) :]
        return True


def _copied(tables: Tables) -> Tables:
    other = copy(tables)
    other.quantisers, other.huffman = dict(tables.quantisers), dict(tables.huffman)
    return other
