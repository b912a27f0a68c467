"""What is found with the help of clues: primes, scalars, neighbours, written keys; and whole scans."""

import base64
import hashlib
import mmap

import numpy as np
import pytest
from Cryptodome.PublicKey import RSA
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.crypto.search.memory.test_aes_schedules import schedule
from unransom.core.keys import KeyKind
from unransom.crypto.search.memory import (
    FINDERS,
    OVERLAP,
    Clues,
    bare_primes,
    beside,
    scan,
    scan_pieces,
    text_keys,
)

KEY = np.random.default_rng(3).bytes(32)


def noise(size=1 << 16, seed=4):
    return bytearray(np.random.default_rng(seed).bytes(size))


@pytest.mark.parametrize("bits", [1024, 2048, 3072])
@pytest.mark.parametrize("order", ["little", "big"])
def test_bare_primes_give_the_whole_key(bits, order):
    made, other = RSA.generate(bits), RSA.generate(1024)
    for prime in (made.p, made.q):
        memory = noise()
        memory[4096 + 4 : 4096 + 4 + bits // 16] = int(prime).to_bytes(bits // 16, order)
        found = scan(memory, Clues(moduli=(int(other.n), int(made.n))), finders=(bare_primes.FINDER,))
        assert {RSA.import_key(each.data).d for each in found if each.offset == 4100} >= {made.d}
        assert not scan(memory, Clues(moduli=(int(other.n),)), finders=(bare_primes.FINDER,))


@pytest.mark.parametrize("order", ["little", "big"])
def test_bare_primes_are_found_at_every_byte_of_small_files(order):
    made = RSA.generate(1024)
    for place in range(4096, 4100):
        memory = noise()
        memory[place : place + 64] = int(made.q).to_bytes(64, order)
        found = scan(memory, Clues(moduli=(int(made.n),), guesses=True), finders=(bare_primes.FINDER,))
        assert {each.offset for each in found if RSA.import_key(each.data).d == made.d} == {place}


@pytest.mark.parametrize("bits", [1024, 2048, 4096])
@pytest.mark.parametrize("part", [slice(None, 0.8), slice(0.45, None)])
def test_what_is_left_of_a_key_in_der_gives_it_wherever_it_lies(bits, part):
    made = RSA.generate(bits)
    whole = made.export_key("DER")
    left = whole[: int(len(whole) * part.stop)] if part.stop else whole[int(len(whole) * part.start) :]
    for place in range(4096, 4100):
        memory = noise()
        memory[place : place + len(left)] = left
        found = scan(memory, Clues(moduli=(int(made.n),)), finders=(bare_primes.FINDER,))
        assert made.d in {RSA.import_key(each.data).d for each in found}


def test_moduli_that_are_none_do_no_harm():
    clues = Clues(moduli=(0, 1, 2, 15, 1 << 2047, (1 << 40000) + 1))
    assert not scan(noise(), clues, finders=(bare_primes.FINDER,))


def test_a_scalar_is_found_near_its_public_key():
    scalar = X25519PrivateKey.generate()
    public = scalar.public_key().public_bytes_raw()
    for away in (32, -32, -2000, 4000):
        memory = noise()
        memory[10_000:10_032] = public
        memory[10_000 + away : 10_032 + away] = scalar.private_bytes_raw()
        (found,) = scan(memory, Clues(publics=(public,)), finders=(beside.FINDER,))
        assert (found.data, found.offset) == (scalar.private_bytes_raw(), 10_000 + away)
        assert found.bits > 200
    assert not scan(noise(), Clues(publics=(public, b"short")), finders=(beside.FINDER,))


def test_neighbours_of_a_nonce_are_tried_the_nearest_first():
    memory, nonce = bytearray(1 << 14), np.random.default_rng(8).bytes(12)
    memory[5000:5032], memory[5032:5044] = KEY, nonce
    found = scan(memory, Clues(beside=(nonce, b"x")), finders=(beside.FINDER,))
    assert KEY in {each.data for each in found}
    assert all(each.bits < 64 for each in found)


@pytest.mark.parametrize("encoding", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("size", [16, 24, 32])
def test_written_keys_are_found(size, encoding):
    key = KEY[:size]
    for written in (base64.b64encode(key).decode(), key.hex(), key.hex().upper()):
        for text, named in (
            (f'{{"key": "{written}"}}', True),
            (f"KEY={written}&", True),
            (f" {written} ", False),
        ):
            memory = b"\x01\x80" * 101 + text.encode(encoding) + b"\x02\x90" * 100
            guesses = scan(memory, Clues(guesses=True), finders=(text_keys.FINDER,))
            assert [each.data for each in guesses if each.data == key] == [key], text
            assert (key in {each.data for each in scan(memory, finders=(text_keys.FINDER,))}) == named


@pytest.mark.parametrize("separator", [",", ", 0x", ":", "-", " "])
@pytest.mark.parametrize("encoding", ["ascii", "utf-16-le", "utf-16-be"])
def test_keys_are_found_byte_by_byte_in_scripts_and_registries(separator, encoding):
    key = hashlib.sha256(separator.encode()).digest()
    lines = key[:25].hex(separator[0]), key[25:].hex(separator[0])
    written = (",\\\r\n  " if separator == "," else separator).join(
        line.replace(separator[0], separator) for line in lines
    )
    memory = f'"k"=hex:{written}\r\n'.encode(encoding)
    assert [each.data for each in scan(memory, Clues(guesses=True))] == [key]
    assert not scan(memory)  # digests and addresses that are written so are many in whole dumps


def test_passwords_in_captures_are_found():
    memory = b"POST /gate HTTP/1.1\r\n\r\nPCNAME=X&PASSWORD=correct-horse&VER=1"
    assert b"correct-horse" in {each.data for each in scan(memory, finders=(text_keys.FINDER,))} | {
        each.data.partition(b"&")[0] for each in scan(memory, finders=(text_keys.FINDER,))
    }
    wide = "Password: swordfish77 ".encode("utf-16-le")
    assert b"swordfish77" in {each.data for each in scan(b"\0" + wide, finders=(text_keys.FINDER,))}


def test_pieces_miss_nothing_and_tell_nothing_twice():
    memory, planted = noise(1 << 20), []
    step = 4 * OVERLAP
    for place, at in enumerate(range(step - 400, 1 << 20, step - 8)):
        key = bytes(noise(32, seed=50 + place))
        for where in (at, at + 100_003):  # the second one is the same key again
            if where + 240 < len(memory):
                memory[where : where + 240] = schedule(key)
        planted.append((at, key))
    view = memoryview(memory)
    pieces = ((at, view[at : at + step + OVERLAP]) for at in range(0, len(memory), step))
    found = [(each.offset, each.data) for each in scan_pieces(pieces)]
    assert sorted(found) == planted


def test_any_buffer_is_taken_and_offsets_count_from_the_dump():
    data = bytes(999) + schedule(KEY) + bytes(99)
    with mmap.mmap(-1, len(data)) as mapped:
        mapped[:] = data
        for form in (data, bytearray(data), memoryview(data), np.frombuffer(data, np.uint8), mapped):
            (found,) = scan(form, base=1 << 40)
            assert (found.offset, found.data) == ((1 << 40) + 999, KEY)
            assert str(found.key("dump").origin) == "dump+0x100000003e7"
    assert not scan(data, overlap=len(data) - 999)


@given(st.binary(max_size=4000))
def test_hostile_memory_never_raises(data):
    scan(
        data,
        Clues(moduli=(3 << 510 | 1,), beside=(data[:8],), publics=(data[:32],), wrong_bits=8, guesses=True),
    )


def test_every_finder_reaches_no_further_than_the_overlap():
    assert all(finder.reach <= OVERLAP for finder in FINDERS)
    assert len({finder.name for finder in FINDERS}) == len(FINDERS)


@pytest.mark.soak
def test_half_a_gibibyte_of_memory():
    size = 512 << 20
    memory = np.random.default_rng(6).integers(0, 256, size, np.uint8)
    memory[: size // 2] = 0
    made = RSA.generate(2048)
    state = b"expand 32-byte k" + KEY + bytes(16)
    plants = {
        100_000_001: schedule(KEY[::-1]),
        200_000_003: state,
        300_000_007: made.export_key("DER"),
        400_000_004: int(made.p).to_bytes(128, "little"),
    }
    for at, data in plants.items():
        memory[at : at + len(data)] = np.frombuffer(data, np.uint8)
    step = 4 << 20
    pieces = ((at, memoryview(memory[at : at + step + OVERLAP])) for at in range(0, size, step))
    found = list(scan_pieces(pieces, Clues(moduli=(int(made.n),))))
    sure = [each for each in found if each.bits >= 64]
    assert {each.offset for each in sure} >= set(sorted(plants)[:3])
    keys = {each.data for each in sure if each.kind is KeyKind.RAW}
    assert keys == {KEY, KEY[::-1]}
    assert all(RSA.import_key(each.data).d == made.d for each in sure if each.kind is KeyKind.RSA)
