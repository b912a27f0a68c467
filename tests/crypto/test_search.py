"""Searches for seeds: every cipher against other implementations, and what they must not find."""

from pathlib import Path

import numpy as np
import pytest
from Cryptodome.Cipher import AES, ARC4, ChaCha20
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.crypto.seed_recipes import PLAIN, PROMETHEUS, finds, recipe, sealed
from unransom.crypto.search.kernels import aes_native, aes_tables, streams
from unransom.crypto.search.recipe import Bits, Cipher, Crib, Derive, Modulo, Part, Scaled, material
from unransom.crypto.search.seeds import LANES, Search, false_hits, rate, search

CIPHERS = (
    Cipher(name="salsa", iv=bytes(range(8))),
    Cipher(name="salsa", key_size=16, iv_size=8),
    Cipher(name="chacha", iv=bytes(range(8))),
    Cipher(name="chacha", iv_size=12),
    Cipher(name="aes-ecb", key_size=16),
    Cipher(name="aes-ecb"),
    Cipher(name="aes-cbc", key_size=16, iv=bytes(range(16))),
    Cipher(name="aes-cbc", iv_size=16),
    Cipher(name="aes-cbc", key_size=24, iv_size=16),
    Cipher(name="aes-ctr", key_size=24, iv=bytes(16)),
    Cipher(name="aes-cfb", key_size=16, iv_size=16),
    Cipher(name="aes-cfb", iv=bytes(16)),
    Cipher(name="aes-ctr", key_size=16, iv=b"\xff" * 16),
    Cipher(name="aes-ctr", iv_size=16),
    Cipher(name="aes-ctr", iv_size=16, order="little"),
    Cipher(name="rc4", key_size=16),
    Cipher(name="rc4", key_size=7),
    Cipher(name="kcipher-2", key_size=16, iv_size=16),
    Cipher(name="kcipher-2", key_size=16, iv=bytes(16), order="little"),
    Cipher(name="xor", key_size=13),
    Cipher(name="xor", key_size=100),
)


@pytest.mark.parametrize("cipher", CIPHERS, ids=lambda c: f"{c.name}-{c.key_size}-{c.iv_size}-{c.order}")
@pytest.mark.parametrize(("offset", "size"), [(0, 8), (5, 4), (64, 16), (40, 60), (100, 9)])
def test_every_cipher_at_every_place(cipher, offset, size):
    parts = (Part("key", cipher.key_size, Bits()), Part("iv", cipher.iv_size, Bits()))
    assert finds(recipe(parts=parts, cipher=cipher), 1_234_567_890, offset=offset, size=size)


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "sha512"])
def test_thanatos_and_its_like(name):
    parts = (Part("key", 20, Modulo(10, 48)), Part("iv", 16, Bits()))
    size = 16 if name in {"md5", "sha1"} else 32
    rule = recipe(parts=parts, cipher=Cipher(name="aes-cbc", key_size=size, iv_size=16), derive=Derive(name))
    assert finds(rule, 86_400_123)


def test_long_strings_are_hashed_too():
    rule = recipe(parts=(Part("key", 120, Modulo(26, 97)),), derive=Derive("sha256"))
    assert finds(rule, 3)


@pytest.mark.parametrize("offset", [0, 48, 4800])
def test_the_stream_of_libtomcrypt(offset):
    cipher = Cipher(name="aes-ctr", iv_size=16)
    rule = recipe(parts=(Part("key", 40, Bits()),), cipher=cipher, derive=Derive("chacha-stream", offset))
    forty = recipe(parts=rule.parts, cipher=Cipher(name="xor", key_size=40))
    key = material(forty, 99)[0]
    stream = ChaCha20.new(key=key[:32], nonce=key[32:])
    stream.seek(offset)
    assert material(rule, 99) == (stream.encrypt(bytes(32)), stream.encrypt(bytes(16)))
    assert finds(rule, 1_690_000_000)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, (1 << 31) - 2),
    skip=st.integers(0, 5000),
    before=st.integers(0, 20),
    offset=st.integers(0, 100),
    size=st.integers(4, 48),
    cipher=st.sampled_from(CIPHERS[:5] + CIPHERS[7:8] + CIPHERS[10:12]),
)
def test_any_recipe(seed, skip, before, offset, size, cipher):
    parts = (
        Part("", before, Bits()),
        Part("key", cipher.key_size, Scaled(94, 33), redraw=b'"\\'),
        Part("iv", cipher.iv_size, Bits()),
    )
    if size < 16 and offset % 16 + size > 16:
        offset -= offset % 16  # so that one block says enough
    assert finds(recipe("dotnet", parts, cipher, skip=skip), seed, offset=offset, size=size)


def test_cribs_of_many_files_and_the_one_that_holds():
    seeds = {5_000: b"\x89PNG\r\n\x1a\n", 6_001: b"%PDF-1.4", 77_777: b"PK\3\4\x14\0\6\0"}
    cribs = [
        Crib(locked=sealed(PROMETHEUS.cipher, *material(PROMETHEUS, seed), plain), offset=0, plain=plain)
        for seed, plain in seeds.items()
    ]
    found = search(PROMETHEUS, range(100_000), cribs)
    assert [(hit.seed, hit.crib) for hit in found.hits] == [(5_000, 0), (6_001, 1), (77_777, 2)]


def test_only_bits_under_the_mask_count():
    key, iv = material(PROMETHEUS, 4321)
    locked = sealed(PROMETHEUS.cipher, key, iv, PLAIN)
    mask = b"\xff\xff\x00\xff\xf0\x00\x00\xff\xff"
    plain = bytes(byte & bits for byte, bits in zip(PLAIN[30:], mask, strict=False))
    crib = Crib(locked=locked, offset=30, plain=plain, mask=mask)
    assert crib.bits() == 44
    assert [hit.seed for hit in search(PROMETHEUS, range(10_000), [crib]).hits] == [4321]
    wrong = Crib(locked=locked, offset=30, plain=bytes([plain[0] ^ 1]) + plain[1:], mask=mask)
    assert not search(PROMETHEUS, range(10_000), [wrong]).hits


def test_a_piece_of_the_stream_is_enough():
    rule = recipe(cipher=Cipher(name="aes-cbc", iv=bytes(16)))
    locked = sealed(rule.cipher, *material(rule, 777), PLAIN)
    crib = Crib(locked=locked[32:80], start=32, offset=50, plain=PLAIN[50:62])
    assert [hit.seed for hit in search(rule, range(2000), [crib]).hits] == [777]
    with pytest.raises(ValueError, match="not there"):
        search(rule, range(2000), [Crib(locked=locked[48:80], start=48, offset=50, plain=PLAIN[50:62])])


def test_steps_and_the_ends_of_the_seeds():
    assert finds(PROMETHEUS, 1_000_015, step=16)
    rule = recipe("splitmix64", (Part("key", 4, Bits(size=8)),))
    assert finds(rule, (1 << 64) - 3)
    assert finds(recipe(), 0)
    assert search(recipe(), range(5, 5), [Crib(locked=PLAIN, offset=0, plain=b"text")]).tried == 0


def test_a_search_stops_at_the_limit_and_says_how_far_it_came():
    rule = recipe(cipher=Cipher(name="aes-ecb", key_size=16))
    crib = Crib(locked=bytes(16), offset=0, plain=b"ab")
    ready = Search(rule, [crib])
    found = ready.over(range(1 << 24), limit=3)
    assert 3 <= len(found.hits) < 20
    assert found.tried < 1 << 24
    assert found.tried % LANES == 0
    more = ready.over(range(found.tried, found.tried + (1 << 20)), limit=1000)
    assert 2 <= len(more.hits) <= 50  # 16 expected
    assert min(hit.seed for hit in more.hits) >= found.tried


def test_chance_makes_as_many_hits_as_stated():
    rule = recipe(cipher=Cipher(name="aes-ecb", key_size=16))
    crib = Crib(locked=bytes(16), offset=0, plain=b"\0\0\0", mask=b"\xff\xff\x0f")
    expected = false_hits([crib], 1 << 24)
    assert expected == 16
    assert 3 <= len(search(rule, range(1 << 24), [crib], limit=1000).hits) <= 40


def test_speeds_are_measured():
    crib = Crib(locked=bytes(64), offset=0, plain=b"12345678")
    assert rate(PROMETHEUS, [crib], seconds=0.02) > 10_000


@pytest.mark.parametrize(
    ("rule", "crib"),
    [
        (recipe(), Crib(locked=PLAIN, offset=0, plain=b"a")),
        (recipe(), Crib(locked=PLAIN, offset=0, plain=b"")),
        (recipe(), Crib(locked=PLAIN, offset=63, plain=b"ab")),
        (recipe(cipher=Cipher(name="salsa", iv=bytes(12))), Crib(locked=PLAIN, offset=0, plain=b"abcd")),
        (recipe(cipher=Cipher(name="aes-ecb", key_size=20)), Crib(locked=PLAIN, offset=0, plain=b"abcd")),
        (recipe(cipher=Cipher(name="rc4")), Crib(locked=PLAIN, start=1 << 20, offset=1 << 20, plain=b"abcd")),
        (
            recipe(parts=(Part("key", 8, Modulo(3, 65), redraw=b"ABC"),)),
            Crib(locked=PLAIN, offset=0, plain=b"abcd"),
        ),
    ],
)
def test_what_cannot_be_searched_is_refused(rule, crib):
    with pytest.raises(ValueError, match=r"\w"):
        search(rule, range(10), [crib])


@pytest.mark.parametrize("size", [16, 32])
def test_aes_by_tables_and_by_instructions(size):
    drawn = np.random.default_rng(size)
    keys = drawn.integers(0, 1 << 32, (size // 4, 64), np.uint32)
    texts = drawn.integers(0, 1 << 32, (4, 64), np.uint32)
    pairs = [(aes_tables.encrypt, aes_tables.decrypt)]
    if aes_native.AVAILABLE:
        native = {
            16: (aes_native.encrypt128, aes_native.decrypt128),
            32: (aes_native.encrypt256, aes_native.decrypt256),
        }
        pairs.append(native[size])
    for encrypt, decrypt in pairs:
        locked, back = np.empty_like(texts), np.empty_like(texts)
        encrypt(keys, texts, locked)
        decrypt(keys, locked, back)
        assert (back == texts).all()
        for lane in range(64):
            own = AES.new(keys[:, lane].tobytes(), AES.MODE_ECB)
            assert own.encrypt(texts[:, lane].tobytes()) == locked[:, lane].tobytes()


def test_rc4_words():
    keys = np.frombuffer(bytes(range(32)), "<u4").reshape(2, 4).T.copy()
    out = np.empty((3, 2), np.uint32)
    streams.rc4(keys, 16, 2, out)
    for lane in range(2):
        assert out[:, lane].tobytes() == ARC4.new(bytes(range(16 * lane, 16 * lane + 16)), drop=8).encrypt(
            bytes(12)
        )


SAMPLES = {
    103171375: ("file-example_PDF_500_kB.pdf", b"%PDF-1."),
    103171468: ("file_example_JPG_500kB.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF"),
    103171640: ("file_example_XLSX_50.xlsx", b"PK\x03\x04"),
    103171671: ("zip_2MB.zip", b"PK\x03\x04"),
    615750: ("CyCraft.png", b"\x89PNG\r\n\x1a\n"),
}


@pytest.mark.shared_data
@pytest.mark.parametrize("seed", SAMPLES)
def test_seeds_of_real_files(seed):
    name, magic = SAMPLES[seed]
    path = Path("../shared/data/lockers/sample") / f"{name}.PROM[prometheushelp@mail.ch]"
    with path.open("rb") as file:
        locked = file.read(64)
    found = search(
        PROMETHEUS, range(seed - 50_000, seed + 50_000), [Crib(locked=locked, offset=0, plain=magic)]
    )
    assert [hit.seed for hit in found.hits] == [seed]
