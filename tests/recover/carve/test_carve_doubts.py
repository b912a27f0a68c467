"""What tells that a sound runs into another file: its clusters, as a RIFF header says only how long it is."""

import struct

import numpy as np
import pytest

from unransom.catalog.formats import wav
from unransom.core.records import Grade
from unransom.core.streams import BytesReader
from unransom.recover.carve.doubts import CLUSTER, is_complete

LINES = b"an order of 3 pieces\n" * 4000


def sound(samples, bits=16):
    data = samples.tobytes()
    layout = struct.pack("<HHIIHH", 1, 1, 8000, 8000 * bits // 8, bits // 8, bits)
    chunks = b"fmt " + struct.pack("<I", 16) + layout + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def tone(count=50_000):
    return (12_000 * np.sin(np.arange(count) / 9)).astype("<i2")


def with_gap(data, content, first=5, count=3):
    gap = content[: count * CLUSTER]
    return (data[: first * CLUSTER] + gap + data[first * CLUSTER :])[: len(data)]


def holds(data):
    return is_complete("wav", BytesReader(data), b"")


@pytest.mark.parametrize("content", [LINES, bytes(len(LINES))], ids=["text", "zeros"])
@pytest.mark.parametrize("count", [1, 3, 100])
def test_a_gap_of_text_or_zeros_in_a_sound_is_seen(content, count):
    data = sound(tone())
    broken = with_gap(data, content, 5, count)
    assert holds(data)
    assert not holds(broken)


def test_silence_in_a_sound_is_no_gap():
    for start, end in ((0, 50_000), (0, 20_000), (9_999, 30_001), (30_007, 50_000)):
        samples = tone()
        samples[start:end] = 0
        assert holds(sound(samples))


@pytest.mark.parametrize("level", [32, 65, 110, 127, 128])
def test_quiet_samples_of_eight_bits_are_no_text(level):
    rest = np.random.default_rng(level).integers(0, 3, 50_000).astype(np.uint8)
    assert holds(sound(rest + np.uint8(level), 8))
    assert holds(sound(np.full(50_000, level, np.uint8), 8))


def test_text_in_other_chunks_and_packed_samples_are_let_be():
    data = sound(tone())
    noted = data + b"iXML" + struct.pack("<I", len(LINES)) + LINES
    noted = noted[:4] + struct.pack("<I", len(noted) - 8) + noted[8:]
    assert wav.validate(BytesReader(noted)).grade is Grade.GOOD
    assert holds(noted)
    packed = with_gap(data[:20] + b"\x11" + data[21:], LINES)
    assert holds(packed)


def test_a_file_that_is_hardly_a_sound_is_let_be():
    for data in (b"", b"RIFF", sound(tone())[:60], sound(tone(0))):
        assert holds(data)
