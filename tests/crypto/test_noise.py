"""What passes for the output of a cipher."""

import hashlib

import pytest

from unransom.crypto.noise import is_noise, is_noise_all_over

TEXT = b"The quick brown fox jumps over 13 lazy dogs; PACK MY BOX WITH (five) dozen <liquor> jugs, @ $9.75!"


@pytest.mark.parametrize("size", [32, 256, 512, 4096])
def test_random_bytes_are_noise(size):
    assert all(is_noise(hashlib.shake_128(str(seed).encode()).digest(size)) for seed in range(500))


@pytest.mark.parametrize("data", [bytes(512), TEXT, TEXT[-32:], b"\0\1" * 128, bytes(range(0x80, 0xA0)) * 8])
def test_zeros_text_and_tables_are_not(data):
    assert not is_noise(data)


def test_noise_behind_a_beginning_that_is_not_is_seen():
    random = hashlib.shake_128(b"behind").digest(3584)
    assert is_noise(bytes(512) + random)
    assert not is_noise(bytes(512) + TEXT * 30)


@pytest.mark.parametrize("size", [64, 128, 256, 261, 512])
def test_random_bytes_are_noise_all_over(size):
    assert all(is_noise_all_over(hashlib.shake_128(str(seed).encode()).digest(size)) for seed in range(500))


@pytest.mark.parametrize("at", [0, 192, 448])
def test_text_within_noise_does_not_pass_as_a_part_of_it(at):
    random = bytearray(hashlib.shake_128(b"all over").digest(512))
    random[at : at + 64] = TEXT[:64]
    assert is_noise(bytes(random))
    assert not is_noise_all_over(bytes(random))
