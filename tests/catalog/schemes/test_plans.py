"""Plans as data: what another implementation locked stands in the output as it was."""

import functools

import msgspec
import pytest
from Cryptodome.Cipher import AES, ChaCha20

from tests.lockers import content, drawn
from unransom.catalog.schemes.assemble import Assembly
from unransom.catalog.schemes.ciphers import CHAINED, STARTERS, Cipher, Kind, moved
from unransom.catalog.schemes.extents import First, Repeat, Whole
from unransom.catalog.schemes.family import BadMarkError, FileKey, Mark
from unransom.catalog.schemes.plans import EachSpan, Layout, OneStream
from unransom.core.streams import BytesReader, Salvage

KEY, IV = drawn("key", 32), drawn("iv", 16)
NONCE = drawn("nonce", 12)
PLAIN = content("plan", 300_001)
ON, OFF = 10_000, 25_000


def unlocked(plan, locked, size=None, **parts):
    """Return what the plan makes of a locked file."""
    salvage = Salvage(BytesReader(locked))
    mark = Mark(0, {"iv": IV, "nonce": NONCE}, plain_size=len(PLAIN) if size is None else size)
    assembly = Assembly(salvage, plan(salvage, mark, FileKey({"key": KEY, **parts})))
    return b"".join(bytes(view) for view in assembly)


def locked_by(encrypt):
    """Return the content with ``encrypt(index, start, data)`` over every span."""
    out = bytearray(PLAIN)
    for index, start in enumerate(range(0, len(PLAIN), ON + OFF)):
        out[start : start + ON] = encrypt(index, start, PLAIN[start : start + ON])
    return bytes(out)


def test_one_stream_goes_on_over_the_gaps_behind_a_head():
    cipher = ChaCha20.new(key=KEY, nonce=NONCE)
    locked = b"head!" + locked_by(lambda _, __, data: cipher.encrypt(data)) + b"tail"
    plan = OneStream(Cipher("chacha", iv="nonce"), Repeat(ON, OFF), skip=5)
    assert unlocked(plan, locked) == PLAIN


def test_each_span_may_start_the_stream_again():
    locked = locked_by(lambda _, __, data: ChaCha20.new(key=KEY, nonce=NONCE).encrypt(data))
    assert unlocked(EachSpan(Cipher("chacha", iv="nonce"), Repeat(ON, OFF)), locked) == PLAIN


def test_each_span_may_start_at_its_position():
    def encrypt(_, start, data):
        cipher = ChaCha20.new(key=KEY, nonce=NONCE)
        cipher.seek(start)
        return cipher.encrypt(data)

    plan = EachSpan(Cipher("chacha", iv="nonce"), Repeat(ON, OFF), "position")
    assert unlocked(plan, locked_by(encrypt)) == PLAIN


def test_each_span_may_start_at_the_next_whole_block():
    def encrypt(index, _, data):
        cipher = ChaCha20.new(key=KEY, nonce=NONCE)
        cipher.seek(index * -(-ON // 64) * 64)
        return cipher.encrypt(data)

    plan = EachSpan(Cipher("chacha", iv="nonce"), Repeat(ON, OFF), "next-block")
    assert unlocked(plan, locked_by(encrypt)) == PLAIN


def test_each_span_may_have_the_next_nonce():
    nonce = b"\xff\xff" + drawn("nonce", 22)

    def encrypt(index, _, data):
        number = int.from_bytes(nonce, "little") + index
        return ChaCha20.new(key=KEY, nonce=number.to_bytes(24, "little")).encrypt(data)

    plan = EachSpan(Cipher("chacha", iv="own"), Repeat(ON, OFF), "next-iv")
    assert unlocked(plan, locked_by(encrypt), own=nonce) == PLAIN


def test_spans_may_be_cut_before():
    out = b"".join(
        ChaCha20.new(key=KEY, nonce=NONCE).encrypt(PLAIN[at : at + 8192]) for at in range(0, len(PLAIN), 8192)
    )
    assert unlocked(EachSpan(Cipher("chacha", iv="nonce"), Whole(), every=8192), out) == PLAIN


def test_what_is_no_whole_block_stays_as_it_is():
    size = len(PLAIN) - len(PLAIN) % 16
    locked = AES.new(KEY, AES.MODE_CBC, IV).encrypt(PLAIN[:size]) + PLAIN[size:]
    assert unlocked(OneStream(Cipher("aes-cbc"), Whole()), locked) == PLAIN
    small = AES.new(KEY, AES.MODE_ECB).encrypt(PLAIN[:32]) + PLAIN[32:]
    assert unlocked(OneStream(Cipher("aes-ecb"), First(47)), small) == PLAIN


@pytest.mark.parametrize("cipher", ["aes-gcm", "chacha-poly1305"])
def test_the_tag_is_checked_when_all_is_decrypted(cipher):
    from Cryptodome.Cipher import ChaCha20_Poly1305

    if cipher == "aes-gcm":
        sealed, tag = AES.new(KEY, AES.MODE_GCM, NONCE).encrypt_and_digest(PLAIN)
    else:
        sealed, tag = ChaCha20_Poly1305.new(key=KEY, nonce=NONCE).encrypt_and_digest(PLAIN)
    scheme = OneStream(Cipher(cipher, iv="nonce"), Whole(), tag="tag")
    for given, bits in ((tag, 128), (bytes(16), 0)):
        salvage = Salvage(BytesReader(sealed))
        plan = scheme(salvage, Mark(0, {"nonce": NONCE, "tag": given}), FileKey({"key": KEY}))
        assert b"".join(bytes(view) for view in Assembly(salvage, plan)) == PLAIN
        assert plan.check()[0] == bits


def test_a_size_beyond_the_file_is_refused():
    with pytest.raises(BadMarkError, match="larger"):
        unlocked(OneStream(Cipher("aes-ctr"), Whole()), PLAIN, size=len(PLAIN) + 1)
    plan = OneStream(Cipher("aes-ctr"), Whole(), size="long")
    with pytest.raises(BadMarkError, match="larger"):
        unlocked(plan, PLAIN, long=b"\xff" * 8)


def test_a_key_of_the_wrong_size_is_refused():
    for kind in ("aes-ctr", "chacha", "sosemanuk", "hc-128"):
        with pytest.raises(BadMarkError, match=kind):
            unlocked(OneStream(Cipher(kind), Whole()), PLAIN, iv=b"short")


SIZES: dict[str, tuple[int, int]] = {"salsa-state": (64, 0), "hc-128": (16, 16), "kcipher-2": (16, 16)}
IVS = {"chacha": 8, "salsa": 8, "petya-salsa": 8, "chacha-poly1305": 12}


@pytest.mark.parametrize("kind", STARTERS)
def test_every_kind_starts_and_can_be_moved(kind):
    key, iv = SIZES.get(kind, (32, IVS.get(kind, 16)))
    start = functools.partial(Cipher(kind).start, FileKey({"key": drawn("key", key), "iv": drawn("iv", iv)}))
    data = drawn("data", 6400)
    whole, behind = bytearray(6400), bytearray(3200)
    start().decrypt_into(memoryview(data), memoryview(whole))
    if kind in CHAINED:
        with pytest.raises(TypeError, match="beginning"):
            moved(start(), 3200)
        return
    start(3200).decrypt_into(memoryview(data)[3200:], memoryview(behind))
    assert behind == whole[3200:]


def test_kinds_and_starters_agree():
    assert set(STARTERS) == set(Kind.__args__)


def test_plans_are_plain_data():
    text = """
        type = "each-span"
        start = "next-block"
        cipher = {kind = "chacha", rounds = 8, iv = "nonce"}
        extents = {type = "repeat", on = 10000, off = "gap"}
    """
    found = msgspec.toml.decode(text, type=Layout)
    assert found == EachSpan(Cipher("chacha", iv="nonce", rounds=8), Repeat(10000, "gap"), "next-block")
