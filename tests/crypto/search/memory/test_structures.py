"""Keys in the structures that programs and Windows keep them in, each made by another implementation."""

import base64
import struct
from io import StringIO

import numpy as np
import pytest
from Cryptodome.PublicKey import RSA
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from unransom.core.keys import KeyKind
from unransom.crypto.search.memory import Candidate, Clues, scan, structures
from unransom.crypto.search.memory.stream_states import DIAGONALS

KEY = bytes(np.random.default_rng(3).bytes(32))
TAIL = struct.pack("<QQ", 7, 0x1122334455667788)
CONSTANTS = b"expand 32-byte k"
MADE = RSA.generate(1024)


def found(memory, clues=None, finders=(structures.FINDER,)) -> list[Candidate]:
    return scan(memory, clues or Clues(), finders=finders)


def noise(size=1 << 14):
    return bytearray(np.random.default_rng(8).bytes(size))


def planted(data, at=1003):
    memory = noise()
    memory[at : at + len(data)] = data
    return memory


def words(data):
    return [data[at : at + 4] for at in range(0, len(data), 4)]


def chacha(key=KEY, constants=CONSTANTS):
    return constants + key + TAIL


def salsa(key=KEY, constants=CONSTANTS):
    c, k, t = words(constants), words(key), words(TAIL)
    return b"".join((c[0], *k[:4], c[1], *t, c[2], *k[4:], c[3]))


@pytest.mark.parametrize("lanes", [1, 4, 8, 16])
@pytest.mark.parametrize("state", [chacha, salsa])
def test_states_are_found_at_any_byte_however_wide(state, lanes):
    rows = words(state())
    if lanes > 1:  # every lane has a block number of its own
        place = rows.index(TAIL[:4])
        data = b"".join(
            struct.pack("<I", lane) if index == place else row
            for index, row in enumerate(rows)
            for lane in range(lanes)
        )
    else:
        data = state()
    for at in (1000, 1001, 1002, 1003):
        (candidate,) = (each for each in found(planted(data, at)) if each.data == KEY)
        assert candidate.offset == at
        assert candidate.parts["tail"][4:] == TAIL[4:]


@pytest.mark.parametrize("order", DIAGONALS)
def test_states_in_diagonals_are_found(order):
    rows = words(salsa())
    data = b"".join(rows[word] for word in order)
    assert any(each.data == KEY and each.parts["tail"] == TAIL for each in found(planted(data)))


def test_short_keys_and_own_constants():
    short = KEY[:16]
    state = chacha(short * 2, b"expand 16-byte k")
    assert short in {each.data for each in found(planted(state))}
    own = b"some sixteen  by"
    assert not found(planted(chacha(constants=own)))
    assert KEY in {each.data for each in found(planted(chacha(constants=own)), Clues(states=(own,)))}


def test_the_constants_in_a_program_are_no_key():
    for text in (
        b"expand 32-byte kexpand 16-byte k",
        CONSTANTS + bytes(99),
        CONSTANTS + b"some words of text " * 9,
    ):
        memory = bytearray(4096)
        memory[100 : 100 + len(text)] = text
        assert not found(memory)


def numbers(*parts, order):
    return b"".join(number.to_bytes(size, order) for number, size in parts)


def capi():
    half, size = MADE.size_in_bits() // 16, MADE.size_in_bits() // 8
    body = numbers(
        (MADE.n, size), (MADE.p, half), (MADE.q, half), (MADE.d % (MADE.p - 1), half),
        (MADE.d % (MADE.q - 1), half), (pow(MADE.q, -1, MADE.p), half), (int(MADE.d), size), order="little",
    )  # fmt: skip
    head = struct.pack("<BBHI4sII", 7, 2, 0, 0xA400, b"RSA2", MADE.size_in_bits(), MADE.e)
    return head + body


def bcrypt(magic):
    half, size = MADE.size_in_bits() // 16, MADE.size_in_bits() // 8
    head = struct.pack("<4s5I", magic, MADE.size_in_bits(), 3, size, half, half)
    return head + numbers((MADE.e, 3), (MADE.n, size), (MADE.p, half), (MADE.q, half), order="big")


def xml():
    def text(number):
        return base64.b64encode(number.to_bytes((number.bit_length() + 7) // 8)).decode()

    fields = {"Modulus": MADE.n, "Exponent": MADE.e, "P": MADE.p, "Q": MADE.q, "D": int(MADE.d)}
    out = StringIO()
    out.write("<RSAKeyValue>")
    for name, number in fields.items():
        out.write(f"<{name}>{text(int(number))}</{name}>")
    return out.getvalue() + "</RSAKeyValue>"


PEM = MADE.export_key("PEM").decode()
PRIVATE_KEYS = {
    "PKCS #1": MADE.export_key("DER", pkcs=1),
    "PKCS #8": MADE.export_key("DER", pkcs=8),
    "PEM": PEM.encode(),
    "PEM in UTF-16": PEM.encode("utf-16-le"),
    "PEM with carriage returns": PEM.replace("\n", "\r\n").encode(),
    "XML": xml().encode(),
    "XML in UTF-16": xml().encode("utf-16-le"),
    "CryptoAPI": capi(),
    "BCRYPT RSA2": bcrypt(b"RSA2"),
    "BCRYPT RSA3": bcrypt(b"RSA3"),
}


@pytest.mark.parametrize("form", PRIVATE_KEYS)
def test_rsa_keys_are_found_in_every_form(form):
    for at in (1003, 1004):
        keys = found(planted(PRIVATE_KEYS[form], at))
        assert len(keys) == 1, form
        assert RSA.import_key(keys[0].data) == MADE
        assert keys[0].kind is KeyKind.RSA
        assert 0 <= keys[0].offset - at <= 26  # of PKCS #8 the key inside


def test_keys_on_curves_are_found():
    curve = ec.generate_private_key(ec.SECP256R1())
    for form in (PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8):
        data = curve.private_bytes(Encoding.DER, form, NoEncryption())
        kinds = {each.kind for each in found(planted(data))}
        assert form is PrivateFormat.PKCS8 or kinds == {KeyKind.EC}
    scalar = X25519PrivateKey.generate()
    data = scalar.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert scalar.private_bytes_raw() in {each.data for each in found(planted(data))}


def test_keys_of_windows_are_found():
    forms = {
        "Play": b"\x1c\x02\0\0KSSM" + bytes(12) + struct.pack("<II", 0, 32) + KEY,
        "newer": b"KSSM" + struct.pack("<9I", 2, 1, 0, 256, 0, 0, 0, 0, 32) + KEY,
        "key data": struct.pack("<4sII", b"KDBM", 1, 32) + KEY,
        "plain blob": struct.pack("<BBHII", 8, 2, 0, 0x6610, 32) + KEY,
    }
    for name, data in forms.items():
        assert KEY in {each.data for each in found(planted(data))}, name
    pointing = struct.pack("<IIIIQ", 0x6610, 1, 32, 0, 0x00007FF812345678)
    (pointer,) = found(planted(pointing))
    assert pointer.parts["pointer"] == struct.pack("<Q", 0x00007FF812345678)
    assert not pointer.data


# BCRYPT_KEY behind its size and tag, up to the length of the secret: Windows 7, 8 and 8.1, 64 bits.
KEY_LAYOUTS = {"7": "<4I", "8": "<5I4xQ", "8.1": "<6IQ4I"}


@pytest.mark.parametrize("size", [16, 24, 32])
@pytest.mark.parametrize("layout", KEY_LAYOUTS.values(), ids=KEY_LAYOUTS)
def test_keys_behind_handles_of_cng_are_found(layout, size):
    handle = struct.pack("<I4s3Q", 32, b"RUUU", 0x00007FF812345678, 0x000001F812345678, 0)
    zeros = struct.unpack(layout, bytes(struct.calcsize(layout)))
    key = struct.pack("<I4s", 0x200, b"KSSM") + struct.pack(layout, 5, 0, 1, 8 * size, *zeros[4:])
    memory = planted(handle + key + struct.pack("<I", size) + KEY[:size])
    assert [each.data for each in found(memory)] == [KEY[:size]]


@pytest.mark.parametrize(("algorithm", "size"), [(0x660E, 16), (0x660F, 24), (0x6610, 32), (0x6603, 24)])
def test_plain_key_blobs_of_capi_are_found_and_wrapped_ones_give_no_key(algorithm, size):
    plain = struct.pack("<BBHII", 8, 2, 0, algorithm, size) + KEY[:size]
    assert [each.data for each in found(planted(plain))] == [KEY[:size]]
    wrapped = struct.pack("<BBHII", 1, 2, 0, algorithm, 0xA400) + KEY * 8  # SIMPLEBLOB: under an RSA key
    assert not found(planted(wrapped))
    short = struct.pack("<BBHII", 8, 2, 0, algorithm, size - 1) + KEY[:size]
    assert not found(planted(short))


@given(st.sampled_from(sorted(PRIVATE_KEYS)), st.data())
def test_damaged_structures_never_raise(form, data):
    whole = bytearray(PRIVATE_KEYS[form])
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    for candidate in found(bytes(cut)):
        assert candidate.data


@given(st.sampled_from(sorted(structures.READERS)), st.binary(max_size=80), st.binary(max_size=200))
def test_anchors_in_hostile_surroundings_never_raise(anchor, before, after):
    found(before + anchor + after)
    found(anchor)


def test_random_bytes_hold_no_structure():
    assert not found(np.random.default_rng(8).bytes(1 << 20))
