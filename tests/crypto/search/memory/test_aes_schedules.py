"""AES schedules, made by textbook code, at every alignment, in every form, whole, cut and decayed."""

import functools
import sys
from pathlib import Path

import numpy as np
import pytest
from Cryptodome.Cipher import AES
from hypothesis import given, settings
from hypothesis import strategies as st

from unransom.crypto.search.memory import Clues, aes_schedules, scan
from unransom.crypto.search.memory.aes_repair import repair


@functools.cache
def substitution():
    """The S-box by brute force: inverse in the field, then the affine map of FIPS 197."""

    def times(a, b):
        product = 0
        for _ in range(8):
            product ^= a if b & 1 else 0
            a = a << 1 ^ (0x11B if a & 0x80 else 0)
            b >>= 1
        return product

    box = []
    for value in range(256):
        inverse = next((other for other in range(256) if times(value, other) == 1), 0)
        bits = [inverse >> bit & 1 for bit in range(8)]
        turned = [sum(bits[(bit + turn) % 8] for turn in (0, 4, 5, 6, 7)) % 2 for bit in range(8)]
        box.append(sum(bit << place for place, bit in enumerate(turned)) ^ 0x63)
    return box


def expanded(key):
    """FIPS 197, figure 11, with words as lists of bytes."""
    box, size, constant = substitution(), len(key) // 4, 1
    words = [list(key[4 * i : 4 * i + 4]) for i in range(size)]
    while len(words) < 4 * (size + 7):
        word = list(words[-1])
        if len(words) % size == 0:
            word = [box[byte] for byte in word[1:] + word[:1]]
            word[0] ^= constant
            constant = constant << 1 ^ (0x11B if constant & 0x80 else 0)
        elif size == 8 and len(words) % 8 == 4:
            word = [box[byte] for byte in word]
        words.append([a ^ b for a, b in zip(word, words[-size], strict=True)])
    return words


def schedule(key, form="natural"):
    words = expanded(key)
    if form == "swapped":
        words = [word[::-1] for word in words]
    if form == "decryption":
        rounds = [words[at : at + 4] for at in range(0, len(words), 4)][::-1]
        rounds[1:-1] = [[unmixed(word) for word in group] for group in rounds[1:-1]]
        words = [word for group in rounds for word in group]
    return bytes(byte for word in words for byte in word)


def unmixed(column):
    """InvMixColumns: MixColumns three times, whose order is four."""

    def double(value):
        return (value << 1 ^ (0x1B if value & 0x80 else 0)) & 0xFF

    for _ in range(3):
        everything = column[0] ^ column[1] ^ column[2] ^ column[3]
        column = [column[i] ^ everything ^ double(column[i] ^ column[(i + 1) % 4]) for i in range(4)]
    return column


def noise(size, seed=1):
    return bytearray(np.random.default_rng(seed).bytes(size))


def keys_in(memory, clues=None):
    return [
        (each.offset, each.data) for each in scan(memory, clues or Clues(), finders=(aes_schedules.FINDER,))
    ]


def test_the_textbook_is_right():
    key = bytes(range(16))
    assert schedule(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"))[-4:].hex() == "b6630ca6"
    assert AES.new(key, AES.MODE_ECB).encrypt(bytes(16)).hex() == "c6a13b37878f5b826f4f8162a1c8d879"
    assert unmixed([0x8E, 0x4D, 0xA1, 0xBC]) == [0xDB, 0x13, 0x53, 0x45]


@pytest.mark.parametrize("form", ["natural", "swapped", "decryption"])
@pytest.mark.parametrize("size", [16, 24, 32])
def test_every_alignment_is_found_and_nothing_else(size, form):
    memory, planted = noise(1 << 16), []
    for place in range(8):
        key = bytes(noise(size, seed=100 + place))
        at = 1000 + 7001 * place
        memory[at : at + len(schedule(key))] = schedule(key, form)
        planted.append((at, key))
    assert sorted(keys_in(memory)) == planted


def test_a_key_of_a_person_is_found():
    memory = bytearray(4096)
    memory[1001 : 1001 + 176] = schedule(b"aaaaaaaaaaaaaaaa")
    assert keys_in(memory) == [(1001, b"aaaaaaaaaaaaaaaa")]


@pytest.mark.parametrize("size", [16, 24, 32])
def test_a_schedule_of_which_the_beginning_is_lost_gives_its_key(size):
    key = bytes(noise(size, seed=5))
    whole = schedule(key)
    for lost in (4, 33, len(whole) // 3):
        memory = noise(4096)
        memory[1000 + lost : 1000 + len(whole)] = whole[lost:]
        assert keys_in(memory) == [(1000, key)]
        assert keys_in(bytes(whole[lost:]) + bytes(64)) == [(0, key)]


def test_single_wrong_bits_do_not_hide_a_key():
    for size in (16, 24, 32):
        key = bytes(noise(size, seed=6))
        for bit in range(0, 8 * len(schedule(key)), 197):
            memory = noise(1024)
            memory[300 : 300 + len(schedule(key))] = schedule(key)
            memory[300 + bit // 8] ^= 1 << bit % 8
            assert keys_in(memory, Clues(wrong_bits=4)) == [(300, key)], (size, bit)


@pytest.mark.parametrize(("size", "share"), [(16, 0.05), (24, 0.04), (32, 0.03)])
def test_decayed_schedules_are_found_and_repaired(size, share):
    generator = np.random.default_rng(7)
    memory, planted = noise(1 << 16), []
    for place in range(10):
        key = generator.bytes(size)
        bits = np.unpackbits(np.frombuffer(schedule(key, ("natural", "swapped")[place % 2]), np.uint8))
        bits ^= generator.random(len(bits)) < share
        at = 1001 + 5003 * place
        memory[at : at + len(bits) // 8] = np.packbits(bits).tobytes()
        planted.append((at, key))
    found = keys_in(memory, Clues(wrong_bits=8))
    assert len(set(found) & set(planted)) >= 9
    assert not set(found) - set(planted)


def test_repair_says_how_sure_it_is():
    key = bytes(noise(32, seed=9))
    (exact,) = repair(schedule(key))
    assert (exact.key, exact.wrong, exact.bits) == (key, 0, 1920 - 256)
    damaged = bytearray(schedule(key))
    for place in range(0, 240, 12):
        damaged[place] ^= 1
    (near,) = repair(bytes(damaged))
    assert (near.key, near.wrong) == (key, 20)
    assert 1000 < near.bits < exact.bits
    assert not list(repair(bytes(noise(240, seed=10))))
    with pytest.raises(ValueError, match="176, 208 or 240"):
        list(repair(bytes(100)))


def test_programs_hold_no_schedule():
    for program in (Path(sys.executable).resolve(), Path(np.__file__).parent):
        for path in [program] if program.is_file() else program.rglob("*.so"):
            with path.open("rb") as file:
                assert not keys_in(file.read(16 << 20), Clues(wrong_bits=4)), path


@settings(max_examples=60)
@given(st.binary(max_size=600), st.binary(min_size=1, max_size=24), st.integers(0, 60))
def test_regular_memory_holds_no_schedule(head, pattern, count):
    assert not keys_in(head + pattern * count, Clues(wrong_bits=4))
