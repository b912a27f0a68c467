"""Parts of one file that share their bytes do not multiply the work."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from tests.catalog.formats import film_samples as films
from tests.catalog.formats import media_samples as samples
from unransom.catalog.formats.format import HEAD
from unransom.catalog.formats.identify import identify
from unransom.core.streams import BytesReader


def _many_strips() -> bytes:
    """Return a TIFF file of thousands of directories whose thousands of strips are all the same."""
    pixels = samples.random_bytes(20_000)
    count = 5000
    shared = struct.pack(f"<{count}I", *[8] * count) + struct.pack(f"<{count}I", *[20_000] * count)
    at = 8 + len(pixels)
    first = at + len(shared)
    entries = [(256, 4, 1, 9), (257, 4, 1, 9), (259, 3, 1, 32773)]
    entries += [(273, 4, count, at), (278, 4, 1, 9), (279, 4, count, at + 4 * count)]
    size = 2 + 12 * len(entries) + 4
    out = struct.pack("<2sHI", b"II", 42, first) + pixels + shared
    for number in range(2000):
        rows = b"".join(struct.pack("<HHII", *entry) for entry in entries)
        out += struct.pack("<H", len(entries)) + rows + struct.pack("<I", first + (number + 1) * size)
    return out + bytes(6)


def _many_icons() -> bytes:
    """Return an icon file whose entries all point at one image."""
    image = samples.saved("PNG", samples.picture(256, 256))
    entries = struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 24, len(image), 6 + 16 * 250) * 250
    return struct.pack("<HHH", 0, 1, 250) + entries + image


def _many_samples() -> bytes:
    """Return a film whose thousands of samples all are the same long run of tiny units."""
    units = b"\0\0\0\2\x65\1" * 4000
    count = 20_000
    film = films.film_boxes(0, [len(units)] * count)
    kind = films.box(b"ftyp", b"isom", bytes(4))
    at = film.index(b"stco") + 12
    film = film[:at] + struct.pack(">I", len(kind) + 8) * (count // 4) + film[at + count :]
    return kind + films.box(b"mdat", units * 4) + film


def _many_scans() -> bytes:
    """Return a JPEG file with thousands of scans that each say that a large picture is empty."""
    data = samples.saved("JPEG", samples.picture(2000, 2000, "L").point(lambda _: 99), progressive=True)
    header = data.rindex(b"\xff\xda")
    return data[:-2] + data[header:-2] * 3000 + data[-2:]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("make", [_many_strips, _many_icons, _many_samples, _many_scans])
def test_parts_that_share_their_bytes_do_not_multiply_the_work(make: Callable[[], bytes]) -> None:
    data = make()
    form = identify(data[:HEAD]).format
    form.validate(BytesReader(data))
    form.measure(BytesReader(data))
