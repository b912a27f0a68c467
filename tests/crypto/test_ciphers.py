"""Ciphers against other implementations, in whatever pieces they are fed, and from any place on."""

import importlib.util
import struct
import subprocess
import sys

import nacl.secret
import pytest
from Cryptodome.Cipher import AES, ARC4, ChaCha20, ChaCha20_Poly1305, Salsa20
from Cryptodome.Util import Counter
from hypothesis import given
from hypothesis import strategies as st

from tests.lockers import drawn
from unransom.crypto.answers import ANSWERS
from unransom.crypto.ciphers import aes_little
from unransom.crypto.ciphers.aes import AesCbc, AesCfb, AesCfb8, AesCtr, AesEcb, AesGcm, AesOfb
from unransom.crypto.ciphers.aes_little import AesCtrLittle
from unransom.crypto.ciphers.chacha import ChaCha
from unransom.crypto.ciphers.hc128 import Hc128
from unransom.crypto.ciphers.kcipher2 import KCipher2
from unransom.crypto.ciphers.petya import PetyaSalsa
from unransom.crypto.ciphers.poly1305 import ChaChaPoly
from unransom.crypto.ciphers.rc4 import Rc4
from unransom.crypto.ciphers.salsa import Salsa
from unransom.crypto.ciphers.sosemanuk import Sosemanuk
from unransom.crypto.ciphers.xor import Xor

PIECES = st.lists(st.one_of(st.integers(0, 300), st.integers(0, 150_000)), max_size=12)
OFFSETS = st.integers(0, 200_000)
DATA = drawn("data", 300_000)
KEY = drawn("key", 32)


@pytest.mark.parametrize("known", ANSWERS, ids=lambda known: known.name)
def test_published_vectors(known):
    assert known.compute() == known.answer


def in_pieces(cipher, data, sizes):
    """Return ``data`` decrypted in pieces, in place."""
    buffer, position = bytearray(data), 0
    for size in [*sizes, len(data)]:
        piece = memoryview(buffer)[position : position + size]
        cipher.decrypt_into(piece, piece)
        position += size
    return bytes(buffer)


CHACHAS = {size: ChaCha20.new(key=KEY, nonce=drawn("nonce", size)).decrypt(DATA) for size in (8, 12, 24)}
SALSAS = {size: Salsa20.new(KEY[:size], nonce=drawn("nonce", 8)).decrypt(DATA) for size in (16, 32)}


@given(PIECES, st.sampled_from([8, 12, 24]))
def test_chacha20_goes_on_where_it_stopped(sizes, nonce):
    cipher = ChaCha.from_key(KEY, drawn("nonce", nonce))
    assert in_pieces(cipher, DATA, sizes) == CHACHAS[nonce]


@given(OFFSETS, st.sampled_from([8, 12, 24]))
def test_chacha20_starts_anywhere(offset, nonce):
    cipher = ChaCha.from_key(KEY, drawn("nonce", nonce)).at(offset)
    assert in_pieces(cipher, DATA[offset:], [7]) == CHACHAS[nonce][offset:]


def test_chacha20_takes_counter_and_nonce_as_openssl_does():
    nonce = drawn("nonce", 12)
    joined = ChaCha.from_key(KEY, (5).to_bytes(4, "little") + nonce)
    assert in_pieces(joined, DATA, []) == in_pieces(ChaCha.from_key(KEY, nonce, counter=5), DATA, [])


def test_counters_of_32_bits_wrap_and_those_of_64_go_on():
    zero = bytes(64)
    for size, after in ((12, 0), (8, 1 << 32)):
        nonce = drawn("nonce", size)
        two = in_pieces(ChaCha.from_key(KEY, nonce, counter=0xFFFFFFFF), zero * 2, [])
        assert two[64:] == in_pieces(ChaCha.from_key(KEY, nonce, counter=after), zero, [])


CHACHA_ROUNDS = (
    ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)),
    ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)),
)
SALSA_ROUNDS = (
    ((0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11)),
    ((0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14)),
)


def turned(value, count):
    return (value << count | value >> (32 - count)) & 0xFFFFFFFF


def chacha_quarter(x, a, b, c, d):
    for one, two, three, count in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        x[one] = (x[one] + x[two]) & 0xFFFFFFFF
        x[three] = turned(x[three] ^ x[one], count)


def salsa_quarter(x, a, b, c, d):
    for one, two, three, count in ((b, a, d, 7), (c, b, a, 9), (d, c, b, 13), (a, d, c, 18)):
        x[one] ^= turned((x[two] + x[three]) & 0xFFFFFFFF, count)


def specified(words, rounds, places, quarter):
    """Return the block of ``words``, in plain Python after the specifications."""
    x = list(words)
    for index in range(rounds):
        for place in places[index % 2]:
            quarter(x, *place)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(x, words, strict=True)))


@given(st.binary(min_size=64, max_size=64), st.sampled_from([2, 8, 10, 12, 20]))
def test_any_state_and_rounds_are_as_the_specification_says(state, rounds):
    words = struct.unpack("<16I", state)
    chacha = specified(words, rounds, CHACHA_ROUNDS, chacha_quarter)
    assert in_pieces(ChaCha(state, rounds), bytes(64), []) == chacha
    salsa = specified(words, rounds, SALSA_ROUNDS, salsa_quarter)
    assert in_pieces(Salsa(state, rounds), bytes(64), []) == salsa


def test_constants_stand_where_the_standard_has_its_own():
    state = b"hardcore blowjob" + KEY + bytes(8) + drawn("nonce", 8)
    changed = ChaCha.from_key(KEY, drawn("nonce", 8), 8, constants=b"hardcore blowjob")
    assert in_pieces(changed, DATA, []) == in_pieces(ChaCha(state, 8), DATA, [])


@given(PIECES, st.sampled_from([16, 32]))
def test_salsa20_goes_on_where_it_stopped(sizes, key_size):
    cipher = Salsa.from_key(KEY[:key_size], drawn("nonce", 8))
    assert in_pieces(cipher, DATA, sizes) == SALSAS[key_size]


@given(OFFSETS)
def test_salsa20_starts_anywhere(offset):
    cipher = Salsa.from_key(KEY, drawn("nonce", 8)).at(offset)
    assert in_pieces(cipher, DATA[offset:], []) == SALSAS[32][offset:]


def test_salsa20_counts_over_32_bits():
    state = bytearray(drawn("state", 64))
    state[32:40] = (0xFFFFFFFF).to_bytes(8, "little")
    two = in_pieces(Salsa(bytes(state)), bytes(128), [])
    state[32:40] = (0x100000000).to_bytes(8, "little")
    assert in_pieces(Salsa(bytes(state)), bytes(64), []) == two[64:]


def test_xsalsa20_is_that_of_libsodium():
    nonce = drawn("nonce", 24)
    sealed = nacl.secret.SecretBox(KEY).encrypt(DATA, nonce).ciphertext
    assert in_pieces(Salsa.from_key(KEY, nonce).at(32), sealed[16:], [100]) == DATA


@given(PIECES, st.sampled_from([16, 24, 32]))
def test_aes_ctr_in_pieces(sizes, key_size):
    other = AES.new(KEY[:key_size], AES.MODE_CTR, nonce=b"", initial_value=2**128 - 3)
    cipher = AesCtr(KEY[:key_size], (2**128 - 3).to_bytes(16))
    assert in_pieces(cipher, DATA, sizes) == other.decrypt(DATA)


@pytest.mark.parametrize("kernel", [True, False])
@given(
    PIECES,
    OFFSETS,
    st.sampled_from([0, 2**64 - 3, 2**64 - 9000, 2**128 - 5, 2**100]),
    st.sampled_from([16, 24, 32]),
)
def test_aes_ctr_little_endian_in_pieces_from_anywhere(kernel, sizes, offset, first, key_size):
    key = KEY[:key_size]
    other = AES.new(key, AES.MODE_CTR, counter=Counter.new(128, initial_value=first, little_endian=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aes_little, "AVAILABLE", kernel and aes_little.AVAILABLE)
        cipher = AesCtrLittle(key, first.to_bytes(16, "little")).at(offset)
        assert in_pieces(cipher, DATA[offset:], sizes) == other.decrypt(DATA)[offset:]


@given(st.lists(st.integers(0, 20), max_size=8))
def test_aes_blocks_in_pieces(blocks):
    data, iv = DATA[:4000], drawn("iv", 16)
    sizes = [16 * count for count in blocks]
    assert in_pieces(AesCbc(KEY, iv), data, sizes) == AES.new(KEY, AES.MODE_CBC, iv).decrypt(data)
    assert in_pieces(AesEcb(KEY), data, sizes) == AES.new(KEY, AES.MODE_ECB).decrypt(data)


@pytest.mark.parametrize("cipher", [AesCbc(bytes(32), bytes(16)), AesEcb(bytes(32))], ids=["CBC", "ECB"])
def test_aes_blocks_are_whole(cipher):
    with pytest.raises(ValueError, match="whole AES blocks"):
        cipher.decrypt_into(memoryview(bytes(17)), memoryview(bytearray(17)))


@given(PIECES)
def test_aes_with_feedback_in_pieces(sizes):
    iv = drawn("iv", 16)
    other = AES.new(KEY, AES.MODE_CFB, iv, segment_size=128)
    assert in_pieces(AesCfb(KEY, iv), DATA, sizes) == other.decrypt(DATA)
    other = AES.new(KEY, AES.MODE_CFB, iv, segment_size=8)
    assert in_pieces(AesCfb8(KEY, iv), DATA, sizes) == other.decrypt(DATA)
    assert in_pieces(AesOfb(KEY, iv), DATA, sizes) == AES.new(KEY, AES.MODE_OFB, iv).decrypt(DATA)


@given(PIECES, st.sampled_from([8, 12, 16, 32]), st.binary(max_size=20), OFFSETS)
def test_aes_gcm_in_pieces_with_its_tag_and_from_anywhere(sizes, nonce_size, associated, offset):
    nonce = drawn(f"nonce {nonce_size}", nonce_size)
    other = AES.new(KEY, AES.MODE_GCM, nonce)
    other.update(associated)
    sealed, tag = other.encrypt_and_digest(DATA)
    cipher = AesGcm(KEY, nonce, associated)
    assert in_pieces(cipher, sealed, sizes) == DATA
    assert cipher.holds(tag)
    assert in_pieces(AesGcm(KEY, nonce).at(offset), sealed[offset:], []) == DATA[offset:]


def test_aes_gcm_tells_a_wrong_tag():
    cipher = AesGcm(KEY, bytes(12))
    in_pieces(cipher, DATA, [])
    assert not cipher.holds(bytes(16))


def test_a_counter_of_32_bits_wraps_within_aes_gcm():
    block = drawn("counter", 12)
    ctr = AesCtr(KEY, block + b"\xff\xff\xff\xfe", period=1 << 32)
    ecb = AES.new(KEY, AES.MODE_ECB)
    blocks = [block + (number % 2**32).to_bytes(4) for number in range(2**32 - 2, 2**32 + 4)]
    assert in_pieces(ctr, bytes(96), [5, 30]) == b"".join(map(ecb.encrypt, blocks))


@given(PIECES, st.sampled_from([12, 24]), st.binary(max_size=20))
def test_chacha20_poly1305_in_pieces_with_its_tag(sizes, nonce_size, associated):
    nonce = drawn("nonce", nonce_size)
    other = ChaCha20_Poly1305.new(key=KEY, nonce=nonce)
    other.update(associated)
    sealed, tag = other.encrypt_and_digest(DATA)
    for given_tag, holds in ((tag, True), (bytes(16), False)):
        cipher = ChaChaPoly(KEY, nonce, associated)
        assert in_pieces(cipher, sealed, sizes) == DATA
        assert cipher.holds(given_tag) is holds
    assert in_pieces(ChaChaPoly(KEY, nonce).at(777), sealed[777:], []) == DATA[777:]


@given(PIECES, st.binary(min_size=5, max_size=256), st.integers(0, 2000))
def test_rc4_with_bytes_dropped(sizes, key, drop):
    other = ARC4.new(key, drop=drop)
    assert in_pieces(Rc4(key, drop), DATA, sizes) == other.decrypt(DATA)


@given(PIECES, st.binary(min_size=1, max_size=40), OFFSETS)
def test_xor_repeats_its_key(sizes, key, offset):
    stream = (key * (len(DATA) // len(key) + 1))[: len(DATA)]
    expected = bytes(a ^ b for a, b in zip(DATA[:1000], stream, strict=False))
    assert in_pieces(Xor(key), DATA, sizes)[:1000] == expected
    assert in_pieces(Xor(key).at(offset), bytes(len(DATA) - offset), sizes) == stream[offset:]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Sosemanuk(KEY, bytes(16)),
        lambda: Hc128(KEY[:16], bytes(16)),
        lambda: KCipher2(KEY[:16], bytes(16)),
        lambda: PetyaSalsa.from_key(KEY, bytes(8)),
    ],
    ids=["Sosemanuk", "HC-128", "KCipher-2", "Petya"],
)
@given(PIECES)
def test_pieces_and_skips_make_no_difference(make, sizes):
    whole = in_pieces(make(), DATA, [])
    assert in_pieces(make(), DATA, sizes) == whole
    assert in_pieces(make().skip(12345), DATA[12345:], sizes) == whole[12345:]


def test_sosemanuk_keys_are_padded_with_one_bit():
    zeros = KEY[:31] + b"\x01"
    assert in_pieces(Sosemanuk(KEY[:31], bytes(16)), DATA, []) == in_pieces(
        Sosemanuk(zeros, bytes(16)), DATA, []
    )


def test_kcipher2_in_the_other_byte_order():
    big, little = (
        in_pieces(KCipher2(KEY[:16], bytes(16), order), bytes(64), []) for order in ("big", "little")
    )
    assert little == b"".join(big[at : at + 8][::-1] for at in range(0, 64, 8))


def petya_block(words, rounds):
    """Return a block of Petya's keystream, in plain Python after what others found in its code."""
    start = [word & 0xFFFF for word in words]
    x = list(start)

    def turn(value, count):
        value &= 0xFFFF
        return (value << count | value >> (32 - count)) & 0xFFFF

    for _ in range(rounds // 2):
        for a, b, c, d in (*SALSA_ROUNDS[0], *SALSA_ROUNDS[1]):
            x[b] ^= turn(x[a] + x[d], 7)
            x[c] ^= turn(x[b] + x[a], 9)
            x[d] ^= turn(x[c] + x[b], 13)
            x[a] ^= turn(x[d] + x[c], 18)
    return struct.pack("<16I", *((a + b) & 0xFFFF for a, b in zip(x, start, strict=True)))


@given(st.binary(min_size=64, max_size=64), st.sampled_from([10, 20]))
def test_petya_cuts_words_to_16_bits(state, rounds):
    words = list(struct.unpack("<16I", state))
    words[8] &= 0xFFFF
    expected = b""
    for _ in range(3):
        expected += petya_block(words, rounds)
        words[8] = (words[8] + 1) & 0xFFFF
    assert in_pieces(PetyaSalsa(state, rounds), bytes(192), []) == expected


@pytest.mark.parametrize(
    ("make", "sizes"),
    [
        (lambda size: ChaCha.from_key(bytes(size), bytes(8)), (0, 15, 33)),
        (lambda size: ChaCha.from_key(bytes(32), bytes(size)), (0, 7, 25)),
        (lambda size: Salsa.from_key(bytes(size), bytes(8)), (0, 15, 33)),
        (lambda size: Salsa.from_key(bytes(32), bytes(size)), (0, 12)),
        (lambda size: Salsa(bytes(size)), (0, 63, 65)),
        (lambda size: ChaChaPoly(bytes(32), bytes(size)), (8, 16)),
        (lambda size: Sosemanuk(bytes(size), bytes(16)), (0, 33)),
        (lambda size: Hc128(bytes(size), bytes(16)), (0, 32)),
        (lambda size: KCipher2(bytes(16), bytes(size)), (0, 12)),
        (lambda size: PetyaSalsa.from_key(bytes(size), bytes(8)), (0, 16)),
        (lambda size: Rc4(bytes(size)), (0, 257)),
        (lambda size: AesCtrLittle(bytes(32), bytes(size)), (0, 12)),
        (lambda size: AesCtr(bytes(size), bytes(16)), (0, 17)),
        (lambda size: Xor(bytes(size)), (0,)),
    ],
)
def test_wrong_sizes_are_refused(make, sizes):
    for size in sizes:
        with pytest.raises(ValueError, match=r"\d|key|nonce"):
            make(size)


def test_the_schemes_import_no_kernel():
    assert importlib.util.find_spec("numba")
    code = "import sys; from unransom.catalog.schemes import plans, wraps; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@given(PIECES, OFFSETS)
@pytest.mark.parametrize(
    "start", [lambda: ChaCha.from_key(KEY, bytes(8)), lambda: Salsa.from_key(KEY, bytes(8))]
)
def test_blocks_for_bytes_that_must_stay_as_they_are(start, sizes, offset):
    cipher, other = start().at(offset), start().at(offset)
    expected = in_pieces(other, DATA, [])
    found, position = bytearray(len(DATA)), 0
    for size in [*sizes, len(DATA)]:
        piece = memoryview(DATA)[position : position + size]  # read-only, and not where the result goes
        cipher.decrypt_into(piece, memoryview(found)[position : position + size])
        position += size
    assert bytes(found) == expected
