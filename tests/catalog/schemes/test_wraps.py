"""Key wraps as data: each opens what others sealed, says how sure it is, and refuses the rest."""

import functools
import hashlib
import zlib

import msgspec
import nacl.bindings
import pytest
from blake3 import blake3
from Cryptodome.Cipher import PKCS1_OAEP, ChaCha20_Poly1305, PKCS1_v1_5
from Cryptodome.PublicKey import RSA
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey
from nacl.public import SealedBox as Box

from tests.lockers import drawn
from unransom.catalog.schemes import wraps
from unransom.catalog.schemes.checks import Checksum, Constant, Repeated, checksum
from unransom.catalog.schemes.family import Mark
from unransom.catalog.schemes.wraps import X25519, AgreedBox, KeyBox, Rsa, RunKey, SealedBox, TwoLevel
from unransom.core.keys import Key, KeyKind
from unransom.crypto import rsa
from unransom.crypto.keyfiles import read_keys

PRIVATE, FILE = drawn("private", 32), drawn("file", 32)
PUBLIC = nacl.bindings.crypto_scalarmult_base(FILE)
OWN = nacl.bindings.crypto_scalarmult_base(PRIVATE)
SECRET = nacl.bindings.crypto_scalarmult(PRIVATE, PUBLIC)
ONCE = hashlib.sha256(SECRET).digest()
MESSAGE = drawn("message", 48)
PARTS = {"key": (0, 32), "iv": (32, 48)}


def raw(data):
    return Key(KeyKind.RAW, data)


def mark(**fields):
    return Mark(0, fields)


@functools.cache
def pair(name):
    del name
    return RSA.generate(2048)


def rsa_key(name):
    return next(key for key in read_keys(pair(name).export_key(), "test") if key.kind is KeyKind.RSA)


@pytest.mark.parametrize(
    ("derive", "expected"),
    [
        ("raw", SECRET),
        ("sha256", hashlib.sha256(SECRET).digest()),
        ("sha512", hashlib.sha512(SECRET).digest()),
        ("sha3-256", hashlib.sha3_256(SECRET).digest()),
        ("sha3-512", hashlib.sha3_512(SECRET).digest()),
        ("blake2b", hashlib.blake2b(SECRET).digest()),
        ("blake3", blake3(SECRET).digest()),
        (
            "sha256-twice",
            hashlib.sha256(SECRET).digest() + hashlib.sha256(hashlib.sha256(SECRET).digest()).digest(),
        ),
    ],
)
def test_x25519_with_each_derivation(derive, expected):
    wrap = X25519("public", derive, {"all": (0, len(expected)), "some": (10, 22)})
    found = wrap(mark(public=PUBLIC), raw(PRIVATE))
    assert found.parts == {"all": expected, "some": expected[10:22]}
    assert found.bits == 0


def test_x25519_hashes_what_it_is_told_in_that_order():
    wrap = X25519("public", "blake3", {"key": (0, 32)}, hashed=("secret", "own", "public"))
    assert wrap(mark(public=PUBLIC), raw(PRIVATE)).parts["key"] == blake3(SECRET + OWN + PUBLIC).digest()


def test_a_check_of_the_derived_key_proves_it():
    key = hashlib.sha256(SECRET).digest()
    fields = {"public": PUBLIC, "crc": zlib.crc32(key).to_bytes(4, "little")}
    wrap = X25519("public", "sha256", {"key": (0, 32)}, checks=(Checksum("key", "crc"),))
    assert wrap(mark(**fields), raw(PRIVATE)).bits == 32
    assert wrap(mark(**fields), raw(FILE)) is None


def test_the_checksum_that_runs_the_other_way():
    # The check value of CRC-32/MPEG-2 in the catalogue of parametrised CRC algorithms.
    assert checksum("crc32-mpeg2", b"123456789") == 0x0376E6E7
    assert checksum("crc32", b"123456789") == 0xCBF43926


@pytest.mark.parametrize("padding", ["pkcs1", "oaep-sha1"])
@pytest.mark.parametrize("order", ["big", "little"])
def test_rsa_says_how_sure_it_is(padding, order):
    cipher = (PKCS1_v1_5 if padding == "pkcs1" else PKCS1_OAEP).new(pair("one"))
    fields = {"blob": cipher.encrypt(MESSAGE)[:: 1 if order == "big" else -1]}
    found = Rsa("blob", PARTS, padding, order, length=48)(mark(**fields), rsa_key("one"))
    assert found.parts == {"key": MESSAGE[:32], "iv": MESSAGE[32:]}
    assert found.bits == (24 if padding == "pkcs1" else 128)
    assert found.proof
    assert Rsa("blob", PARTS, padding, order, length=47)(mark(**fields), rsa_key("one")) is None
    assert Rsa("blob", {"key": (0, 49)}, padding, order)(mark(**fields), rsa_key("one")) is None
    assert Rsa("blob", PARTS, padding, order)(mark(**fields), rsa_key("two")) is None
    assert Rsa("blob", PARTS, padding, order)(mark(**fields), raw(PRIVATE)) is None


def test_rsa_joins_several_blocks():
    message = drawn("long", 300)
    cipher = PKCS1_v1_5.new(pair("one"))
    blob = cipher.encrypt(message[:200]) + cipher.encrypt(message[200:])
    found = Rsa("blob", {"all": (0, 300)}, blocks=2, length=300)(mark(blob=blob), rsa_key("one"))
    assert found.parts["all"] == message
    assert found.bits == 48


def test_fields_of_the_file_and_fixed_bytes_prove_a_key():
    blob = PKCS1_v1_5.new(pair("one")).encrypt(MESSAGE + b"victim" + b"MAGIC123")
    parts = {**PARTS, "victim": (48, 54), "magic": (54, 62)}
    wrap = Rsa("blob", parts, checks=(Repeated("victim", "id"), Constant("magic", b"MAGIC123".hex())))
    assert wrap(mark(blob=blob, id=b"victim"), rsa_key("one")).bits == 16 + 48 + 64
    assert wrap(mark(blob=blob, id=b"others"), rsa_key("one")) is None


def seal(key, nonce, message=MESSAGE):
    return ChaCha20_Poly1305.new(key=key, nonce=nonce).encrypt_and_digest(message)


@pytest.mark.parametrize(("cipher", "size"), [("chacha20-poly1305", 12), ("xchacha20-poly1305", 24)])
def test_an_agreed_box_with_and_without_its_tag(cipher, size):
    nonce = drawn("nonce", size)
    sealed, tag = seal(hashlib.sha256(SECRET).digest(), nonce)
    fields = mark(public=PUBLIC, sealed=sealed, tag=tag, nonce=nonce)
    agreement = X25519("public", "sha256", {"key": (0, 32)})
    with_tag = AgreedBox(agreement, "sealed", PARTS, tag="tag", nonce="nonce", cipher=cipher)
    assert with_tag(fields, raw(PRIVATE)).parts["key"] == MESSAGE[:32]
    assert with_tag(fields, raw(PRIVATE)).bits == 128
    assert with_tag(fields, raw(FILE)) is None
    without = msgspec.structs.replace(with_tag, tag="")
    assert without(fields, raw(PRIVATE)).parts["iv"] == MESSAGE[32:]
    assert without(fields, raw(PRIVATE)).bits == 0


def test_a_box_under_a_run_key():
    key, nonce = drawn("run", 32), drawn("nonce", 12)
    sealed, tag = seal(key, nonce)
    wrap = KeyBox("sealed", "nonce", PARTS, tag="tag")
    assert wrap(mark(sealed=sealed, tag=tag, nonce=nonce), raw(key)).bits == 128
    assert wrap(mark(sealed=sealed, tag=tag, nonce=nonce), raw(PRIVATE)) is None


def test_a_sealed_box():
    box = Box(PrivateKey(PRIVATE).public_key).encrypt(MESSAGE)
    assert SealedBox("box", PARTS)(mark(box=box), raw(PRIVATE)).parts["key"] == MESSAGE[:32]
    assert SealedBox("box", PARTS)(mark(box=box), raw(FILE)) is None
    assert SealedBox("box", {"key": (0, 49)})(mark(box=box), raw(PRIVATE)) is None


def test_a_run_key_is_the_key_or_a_password():
    assert RunKey({"key": (0, 32)}, sizes=(32,))(mark(), raw(PRIVATE)).parts["key"] == PRIVATE
    assert RunKey({"key": (0, 32)}, sizes=(32,))(mark(), raw(b"short")) is None
    found = RunKey({"key": (0, 32)}, "sha256")(mark(), raw(b"good morning"))
    assert found.parts["key"] == hashlib.sha256(b"good morning").digest()


SESSION = X25519("public", "sha256", {"key": (0, 32)})


def test_two_levels_take_the_master_key_and_the_session_key():
    session = drawn("session", 32)
    own = nacl.bindings.crypto_scalarmult_base(session)
    box = Box(PrivateKey(PRIVATE).public_key).encrypt(session + own)
    fields = mark(public=PUBLIC, box=box)
    expected = hashlib.sha256(nacl.bindings.crypto_scalarmult(session, PUBLIC)).digest()
    wrap = TwoLevel(SealedBox("box", {"private": (0, 32), "own": (32, 64)}), SESSION, public="own")
    found = wrap(fields, raw(PRIVATE))
    assert (found.parts["key"], found.bits) == (expected, 128)
    assert wrap(fields, raw(session)).parts["key"] == expected
    assert wrap(fields, raw(session)).bits == 0
    other = Box(PrivateKey(PRIVATE).public_key).encrypt(session + PUBLIC)
    assert wrap(mark(public=PUBLIC, box=other), raw(PRIVATE)).bits == 0  # the pair does not fit


def test_a_session_key_in_several_rsa_blocks():
    session = pair("session").export_key("DER")
    cipher = PKCS1_v1_5.new(pair("one"))
    pieces = [session[at : at + 240] for at in range(0, len(session), 240)]
    fields = mark(
        session=b"".join(map(cipher.encrypt, pieces)), blob=PKCS1_v1_5.new(pair("session")).encrypt(MESSAGE)
    )
    master = Rsa("session", {"private": (0, len(session))}, blocks=len(pieces))
    wrap = TwoLevel(master, Rsa("blob", PARTS))
    assert wrap(fields, rsa_key("one")).parts["key"] == MESSAGE[:32]
    assert wrap(fields, rsa_key("one")).bits == 16 * len(pieces)
    assert wrap(fields, rsa_key("session")).bits == 16
    assert wrap(fields, rsa_key("two")) is None


def test_a_thousand_files_with_one_blob_cost_one_trial():
    blob = PKCS1_v1_5.new(pair("one")).encrypt(MESSAGE)
    wrap = Rsa("blob", PARTS)
    wrap(mark(blob=blob), rsa_key("one"))
    before = rsa.decrypt_raw.cache_info().misses
    for number in range(1000):
        assert wrap(mark(blob=bytes(bytearray(blob)), name=b"%d" % number), rsa_key("one"))
    assert rsa.decrypt_raw.cache_info().misses == before


WRAPS = (
    SESSION,
    X25519("public", "raw", {"key": (0, 24)}, curve="secp192k1"),
    X25519("public", "raw", {"key": (0, 72)}, curve="sect571k1"),
    AgreedBox(SESSION, "sealed", PARTS, tag="tag", nonce="nonce"),
    KeyBox("sealed", "nonce", PARTS, tag="tag", cipher="aes-gcm"),
    SealedBox("sealed", PARTS),
    Rsa("sealed", PARTS),
    Rsa("sealed", PARTS, "oaep-sha3_512", "little"),
    Rsa("sealed", PARTS, blocks=3),
    TwoLevel(SealedBox("sealed", {"private": (0, 32)}), SESSION),
    RunKey({"key": (0, 32)}, "sha512", checks=(Checksum("key", "tag"),)),
)


@pytest.mark.parametrize("wrap", WRAPS, ids=lambda wrap: type(wrap).__name__)
@given(
    st.lists(
        st.one_of(st.binary(max_size=60), st.binary(min_size=256, max_size=256)), min_size=4, max_size=4
    ),
    st.one_of(st.none(), st.binary(max_size=40), st.just(PRIVATE)),
)
def test_hostile_fields_prove_nothing(wrap, fields, key):
    names = dict(zip(("public", "sealed", "tag", "nonce"), fields, strict=True))
    found = wrap(mark(**names), rsa_key("one") if key is None else raw(key))
    assert found is None or found.bits < 64


@pytest.mark.parametrize("wrap", WRAPS, ids=lambda wrap: type(wrap).__name__)
def test_wraps_are_plain_data(wrap):
    every = wraps.Level | TwoLevel | RunKey
    assert msgspec.json.decode(msgspec.json.encode(wrap), type=every) == wrap
