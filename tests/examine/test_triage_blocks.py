import math
import random
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unransom.examine.triage.blocks import (
    BLOCK,
    SMALLEST,
    Stripes,
    header_bits,
    plain_bits,
    repeated,
    striped,
    uniform,
    uniform_blocks,
)

CHANCE = random.Random(5)
PROGRAM = b"".join(  # like machine code and tables: small numbers, zeros, some high bytes
    bytes([CHANCE.choice((0, 0, 1, 2, 0x48, 0x8B, 0xE8, 0xFF)), CHANCE.randrange(256), 0, 0])
    for _ in range(20_000)
)
TEXT = b"2026-03-01;order 10042;two lamps;shipped to Tampere;EUR 118.40\n" * 1000


@pytest.mark.parametrize("size", [SMALLEST, 1024, BLOCK, 1 << 20])
def test_random_bytes_are_uniform(size):
    assert uniform(random.Random(size).randbytes(size))


@pytest.mark.parametrize(
    "data",
    [TEXT, PROGRAM, zlib.compress(PROGRAM, 9), bytes(BLOCK), bytes(range(256)) * 16, b"", b"\x93" * SMALLEST],
    ids=["text", "program", "deflate", "zeros", "ramp", "nothing", "one value"],
)
def test_other_bytes_are_not(data):
    assert not uniform(data)


def test_noise_whose_samples_depend_on_each_other_is_not_uniform():
    steps = random.Random(1)
    walk, value = bytearray(), 0
    for _ in range(1 << 16):  # every value as often as any other, neighbours alike
        value = (value + steps.randrange(-9, 10)) % 256
        walk.append(value)
    assert not uniform(bytes(walk))


DITHER = bytes((16 * (x * 7 % 16) + y * 5 % 16) for y in range(16) for x in range(16))
PLAIN = {
    "text": TEXT,
    "program": PROGRAM,
    "zeros": bytes(BLOCK),
    "ramp": bytes(range(256)) * 64,
    "a bitmap's pattern": DITHER * 40,
    "colours": b"".join(bytes([r, 255 - r, r // 2, 255]) * 4 for r in range(0, 256, 3)) * 9,
    "a block of noise among zeros": (random.Random(3).randbytes(16) + bytes(48)) * 200,
    "samples": b"".join(
        int(9000 * math.sin(n / 32 * math.pi)).to_bytes(2, "little", signed=True) for n in range(9000)
    ),
    "numbers": b"".join(struct.pack("<d", math.sqrt(n % 50)) for n in range(9000)),
    "packed twice, with headers": (b"PART" + bytes(12) + random.Random(4).randbytes(1008)) * 20,
    "noise": random.Random(5).randbytes(BLOCK),
}


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN)
def test_plain_data_that_repeat_themselves_are_no_random_blocks(data):
    assert not repeated(data)


@pytest.mark.parametrize("different", [3, 11, 12, 60, 500])
def test_random_blocks_that_repeat_themselves_are_seen(different):
    blocks = [random.Random(n).randbytes(16) for n in range(different)]
    assert repeated(
        b"".join(blocks[n * n % different] if different > 60 else blocks[n % different] for n in range(2000))
    )


def test_random_blocks_among_others_are_found():
    data = bytearray(PROGRAM[: 16 * BLOCK])
    for block in (0, 3, 7):
        data[block * BLOCK : (block + 1) * BLOCK] = random.Random(block).randbytes(BLOCK)
    assert [number for number, flag in enumerate(uniform_blocks(bytes(data))) if flag] == [0, 3, 7]


def test_evidence_for_plain_bytes_has_the_right_sign():
    assert plain_bits(TEXT[:64]) > 40
    assert plain_bits(PROGRAM[:256]) > 100
    assert plain_bits(random.Random(3).randbytes(256)) < -200


@given(st.binary(min_size=64, max_size=64))
def test_header_bits_of_anything_are_finite(head):
    assert -1000 < header_bits(head) < 1000


def test_random_heads_seldom_look_like_headers():
    source = random.Random(9)
    bits = [header_bits(source.randbytes(64)) for _ in range(4000)]
    for limit in (4, 8):
        assert sum(each >= limit for each in bits) <= 4000 / 2**limit


@pytest.mark.parametrize(("period", "length"), [(192, 64), (32, 16), (64, 32), (6400, 64)])
@pytest.mark.parametrize("plain", [TEXT, PROGRAM], ids=["text", "program"])
def test_stripes_are_found(period, length, plain):
    data = bytearray(plain[:65_000])
    source = random.Random(period)
    for start in range(0, len(data), period):
        data[start : start + length] = source.randbytes(len(data[start : start + length]))
    assert striped(bytes(data)) == Stripes(period, length)


@pytest.mark.parametrize(
    "data",
    [TEXT, PROGRAM, zlib.compress(PROGRAM, 9), random.Random(2).randbytes(1 << 16), bytes(5000), b"short"],
    ids=["text", "program", "deflate", "random", "zeros", "short"],
)
def test_nothing_else_is_striped(data):
    assert striped(data) is None
