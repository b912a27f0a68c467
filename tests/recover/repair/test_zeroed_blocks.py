"""Blocks of zeros are holes: nothing is made of them, and what packed data has of its own is none."""

import gzip
import random
import zlib

import pytest

from tests.catalog.formats.repair.damage import KIB64
from unransom.catalog.formats.repair.repair import Damaged
from unransom.core.outputs import Outputs
from unransom.core.spans import Span
from unransom.core.streams import CHUNK, BytesReader
from unransom.recover.repair.step import mend
from unransom.recover.repair.zeroed import zeroed


def noise(size, seed=1):
    return random.Random(seed).randbytes(size).replace(b"\0", b"\1")


def wiped(data, *spans):
    out = bytearray(data)
    for start, end in spans:
        out[start:end] = bytes(end - start)
    return bytes(out)


@pytest.mark.parametrize(
    "spans",
    [
        [(0, KIB64)],
        [(512, 1024)],
        [(99_999 - 4096, 99_999)],  # the end of a file of an odd size
        [(0, 99_999)],
        [(4096, 8192), (12_288, 16_384)],
        [(5000, 5000 + 2 * 4096)],  # some clusters, wherever they are
    ],
)
def test_zeroed_blocks_are_found_to_the_byte(spans):
    assert zeroed(BytesReader(wiped(noise(99_999), *spans))) == tuple(Span(*span) for span in spans)


def test_a_hole_over_the_edge_of_what_is_read_at_once_is_one():
    data = wiped(noise(2 * CHUNK + 700), (CHUNK - 4096, CHUNK + 8192))
    assert zeroed(BytesReader(data)) == (Span(CHUNK - 4096, CHUNK + 8192),)


@pytest.mark.parametrize("span", [(100, 700), (512, 1100), (1000, 5000), (600, 1024), (513, 1000)])
def test_zeros_that_keep_to_no_block_are_of_the_file(span):
    assert zeroed(BytesReader(wiped(noise(20_000), span))) == ()


def mended(data, name, tmp_path):
    outputs = Outputs(tmp_path / "out", tmp_path / "drafts", tmp_path)
    done = mend(Damaged(BytesReader(data), name), name, outputs, lambda tables: ((), ()))
    content = (tmp_path / done.output.path.decode()).read_bytes() if done.output else None
    return done, content


def rows():
    chance = random.Random(5)
    return b"".join(b"%d,lamp,%d\n" % (number, chance.randrange(10**6)) for number in range(40_000))


@pytest.mark.parametrize("at", [KIB64, 3 * 4096, 99 * 512])
def test_nothing_is_made_of_zeros_in_a_packed_stream(at, tmp_path):
    packed = gzip.compress(rows(), mtime=0)
    done, content = mended(wiped(packed, (at, at + 4096)), b"orders.csv.gz", tmp_path)
    left = zlib.decompressobj(31).decompress(packed[:at])
    assert gzip.decompress(content) == left
    assert done.output is not None


@pytest.mark.parametrize(
    "span", [(KIB64, KIB64 + 4096), (8192, 8704), (9000, 9100), (len(rows()) - 4096, len(rows()))]
)
def test_a_text_with_a_block_of_zeros_is_not_sound(span, tmp_path):
    data = rows()
    done, content = mended(wiped(data, span), b"orders.csv", tmp_path)
    lines, left = data.splitlines(keepends=True), content.splitlines(keepends=True)
    cut = data.count(b"\n", *span) + (data[span[1] - 1 : span[1]] != b"\n")
    assert not done.sound
    assert set(left) < set(lines)
    assert 0 <= len(lines) - len(left) - cut <= 2  # a line next to the hole on each side


def test_a_sound_file_is_sound(tmp_path):
    assert mended(rows(), b"orders.csv", tmp_path)[0].sound
    assert mended("订单,10\n".encode("utf-16") * 90, b"orders.csv", tmp_path)[0].sound
    assert mended(gzip.compress(bytes(100_000), mtime=0), b"empty.gz", tmp_path)[0].sound
