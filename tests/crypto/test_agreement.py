"""Key agreement against OpenSSL and by the laws of the curves."""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.lockers import drawn
from unransom.crypto import agreement

SECP192K1 = (  # private key, public key of the other side, shared secret
    "3550031c3e7c283cebaaeaf8919ad7fcf45f3b474a4aae3f",
    "048a267e6c2f4973cf86095184e3d1141526217dc42d8e963e569e4bbe795547d1659066ed17145bedd6d4ec2ead33359a",
    "23952a6b0fd22ca2269c43dfa42d190a195821ce023a0be7",
)
G = b"".join(number.to_bytes(agreement.SIZE192) for number in agreement.G192)


def test_both_sides_agree_on_x25519():
    ours, theirs = drawn("ours", 32), drawn("theirs", 32)
    one = agreement.x25519(ours, agreement.x25519_public(theirs))
    assert one == agreement.x25519(theirs, agreement.x25519_public(ours))
    public = X25519PrivateKey.from_private_bytes(theirs).public_key()
    assert one == X25519PrivateKey.from_private_bytes(ours).exchange(public)


@pytest.mark.parametrize("public", [bytes(32), b"\1" + bytes(31), bytes(31), bytes(33)])
def test_points_of_low_order_and_wrong_lengths_give_no_x25519_secret(public):
    assert agreement.x25519(drawn("ours", 32), public) is None
    assert agreement.x25519(b"short", drawn("public", 32)) is None


def test_secp192k1_as_openssl_computes_it():
    # openssl ecparam -name secp192k1 -genkey, twice, and openssl pkeyutl -derive
    private = bytes.fromhex(SECP192K1[0])
    assert agreement.secp192k1(private, bytes.fromhex(SECP192K1[1])) == bytes.fromhex(SECP192K1[2])


def test_compressed_points_and_those_without_their_first_byte():
    scalar = drawn("scalar", 23)
    whole = agreement.secp192k1(scalar, b"\4" + G)
    assert whole == agreement.secp192k1(scalar, G)
    sign = bytes([2 + G[-1] % 2])
    assert whole == agreement.secp192k1(scalar, sign + G[:24])


@given(st.binary(max_size=30), st.binary(max_size=60))
def test_hostile_points_are_refused(private, public):
    assert agreement.secp192k1(private, public) is None or len(public) in {25, 48, 49}
    assert agreement.sect571k1(private, public) is None


def test_points_off_the_curve_are_refused():
    assert agreement.secp192k1(b"\5", G[:-1] + bytes([G[-1] ^ 1])) is None
    assert agreement.secp192k1(bytes(24), G) is None
    assert agreement.secp192k1(agreement.N192.to_bytes(24), G) is None
    assert agreement.sect571k1(b"\5", b"\1" * 144) is None
