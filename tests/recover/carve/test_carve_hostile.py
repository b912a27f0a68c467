"""Images made to waste time or to crash: bounded, and never an exception."""

import io
import random
import struct
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.catalog.formats.compound_maker import biff, make_compound
from tests.fixtures.in_process import InProcess
from tests.makers.office_files import files
from tests.makers.raw_image import raw_image
from unransom.core.spans import Span
from unransom.core.streams import BytesReader
from unransom.recover.carve.board import Board, in_order
from unransom.recover.carve.found import Claims, resolve
from unransom.recover.carve.reassembly import METHODS
from unransom.recover.carve.reassembly.anchors import Anchor, arrange
from unransom.recover.carve.scan import _searched, mark_finder, scan
from unransom.recover.carve.space import Space
from unransom.recover.carve.whole import Wholes
from unransom.run.carving import Job, carve

CLUSTER = 4096
BASE = bytes(raw_image(list(files(24)), seed=9).data)


def carved(data):
    """Carve ``data`` as the step does, without writing; return the files."""
    space = Space(BytesReader(data))
    seen = scan(space, Span(0, space.size), CLUSTER)
    found = list(Wholes(space, seen.span).find(seen.heads.tolist()))
    board = Board(space, Claims(space.size, CLUSTER), seen.classes, seen.heads, seen.marks)
    for method in METHODS.values():
        board.claims = Claims(space.size, CLUSTER)
        found = resolve(found, board.claims)
        found += list(method(board, 0, 1))
    return resolve(found, Claims(space.size, CLUSTER))


def padded(pieces):
    return b"".join(piece + bytes(-len(piece) % CLUSTER) for piece in pieces)


def nested_zips():
    content = b"the innermost file" * 400
    for level in range(40):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(f"{level}.zip", content)
        content = out.getvalue()
    return padded([content[:9000], b"", content[9000:]])


def cyclic_tables():
    made = bytearray(make_compound({"Workbook": biff(3, 900)}))
    table = (struct.unpack_from("<I", made, 76)[0] + 1) * 512
    for entry in range(100):
        struct.pack_into("<I", made, table + 4 * entry, (entry + 1) % 100)
    return padded([bytes(made)] * 6)


def many_headers():
    return (b"\xff\xd8\xff\xe0\x00\x10JFIF\0" + bytes(500)) * 4000 + random.Random(1).randbytes(1 << 20)


def many_ends():
    record = b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, 9, 9, 46 * 9, 100, 0)
    return padded([record * 20000, b"startxref\n100\n%%EOF\n" * 20000, b"PK\x01\x02" * 20000])


def pixels_everywhere():
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\0\0\1\0\x08\x02\0\0\0"
    return padded([head + b"\xd3\x10?1" + b"\0\1\0\0IDAT" * 3000] * 12)


def pages_that_point_outside():
    page = bytearray(16384)
    struct.pack_into(">IIIQH", page, 4, 0, 0xFFFFFFFF, 0xFFFFFFFF, 5, 8)
    struct.pack_into(">I", page, 34, 7)
    struct.pack_into(">IIII", page, 38, 7, 0, 0xFFFFFF, 64)
    numbered = bytearray(page)
    struct.pack_into(">I", numbered, 4, 3)
    return bytes(page) + bytes(numbered) * 40


@pytest.mark.timeout(90)
@pytest.mark.parametrize(
    "make",
    [nested_zips, cyclic_tables, many_headers, many_ends, pixels_everywhere, pages_that_point_outside],
)
def test_hostile_images_cost_little(make):
    data = make()
    carved(data)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.sampled_from(["flip", "cut", "noise", "swap", "repeat"]))
def test_damaged_images_never_raise(seed, how):
    draw = random.Random(seed)
    start = draw.randrange(0, len(BASE) - (1 << 19), CLUSTER)
    data = bytearray(BASE[start : start + (1 << 19)])
    match how:
        case "flip":
            for _ in range(400):
                data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        case "cut":
            del data[draw.randrange(len(data)) :]
        case "noise":
            at = draw.randrange(len(data))
            data[at : at + 30000] = draw.randbytes(30000)
        case "swap":
            one, other = (draw.randrange(len(data) // CLUSTER) * CLUSTER for _ in range(2))
            data[one : one + CLUSTER], data[other : other + CLUSTER] = (
                data[other : other + CLUSTER],
                data[one : one + CLUSTER],
            )
        case _:
            at = draw.randrange(len(data) // CLUSTER) * CLUSTER
            data += data[at : at + 8 * CLUSTER] * 6
    for found in carved(bytes(data)):
        assert found.size > 0


@pytest.mark.parametrize("size", [0, 1, 511, 513, 4095, 4097])
def test_images_of_odd_sizes_are_carved(tmp_path, size):
    (tmp_path / "disk.img").write_bytes(b"%PDF-1.4 x" * 1000 if size == 4097 else bytes(range(256)) * 20)
    with (tmp_path / "disk.img").open("r+b") as file:
        file.truncate(size)
    assert carve(Job(str(tmp_path / "disk.img"), tmp_path / "out"), InProcess()).files == ()


def test_marks_are_the_same_without_hyperscan():
    found, searched = mark_finder()(BASE), _searched(BASE)
    assert {kind: places.tolist() for kind, places in found.items()} == {
        kind: places.tolist() for kind, places in searched.items()
    }
    assert sum(map(len, searched.values())) > 100


def test_the_arrangement_with_the_fewest_cuts_is_taken():
    anchors = [Anchor(0, (4096,)), Anchor(9000, (13096, 90920)), Anchor(20000, (65056, 101920))]
    anchors += [Anchor(30000, (34096, 111920)), Anchor(40000, (121920,))]
    placed = arrange(anchors)
    assert [each.offset for each in placed] == [0, 9000, 20000, 30000, 40000]
    assert len({each.shift for each in placed}) == 2
    assert placed[0].shift == 4096
    assert placed[-1].shift == 81920


def test_clusters_are_tried_in_the_order_of_an_allocator():
    import numpy as np

    free = np.array([1, 2, 3, 10, 11, 40])
    assert list(in_order(free, 3, 100))[:6] == [10, 11, 40, 3, 2, 1]
