"""Which areas of a file may be locked, and how many bits their edges are worth."""

import random

import pytest

from unransom.catalog.schemes.edges import SAMPLE, areas_bits
from unransom.core.spans import Span
from unransom.core.streams import BytesReader

SIZE = 1 << 18
TEXT = (b"order 10042, two lamps, shipped to Hamburg\n" * 7000)[:SIZE]


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


def bits(data, *spans):
    return areas_bits(BytesReader(data), [Span(*span) for span in spans], len(data))


def almost_random(size):
    """Return bytes like those of a photograph: one value is more frequent than the others."""
    return bytes(byte if index % 32 else 0xFF for index, byte in enumerate(noise(size)))


def test_edges_between_random_bytes_and_text_are_worth_bits():
    data = noise(0x8000) + TEXT[0x8000:0x20000] + noise(0x8000, 2) + TEXT[0x28000:]
    assert bits(data, (0, 0x8000), (0x20000, 0x28000)) > 30


@pytest.mark.parametrize("data", [noise(SIZE), noise(100), b""])
def test_no_edge_is_worth_nothing(data):
    assert bits(data, (0, len(data))) == 0


def test_ends_that_are_text_speak_against_it():
    data = noise(0x8000) + TEXT[0x8000:]
    assert bits(data, (0, 0x9000)) is None
    assert bits(data, (0, SIZE)) is None


@pytest.mark.parametrize("start", [0, SIZE // 2 - SAMPLE // 2, SIZE - SAMPLE])
def test_what_is_only_almost_random_speaks_against_it(start):
    data = bytearray(noise(SIZE))
    data[start : start + SAMPLE] = almost_random(SAMPLE)
    assert bits(bytes(data), (0, SIZE)) is None


@pytest.mark.parametrize("start", [4096, SIZE // 2, SIZE - 4096])
def test_what_could_not_be_read_does_not(start):
    data = bytearray(noise(SIZE))
    data[start : start + 512] = bytes(512)
    assert bits(bytes(data), (0, SIZE)) == 0
