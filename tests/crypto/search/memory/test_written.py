"""Keys written down in the files of programs: JSON, scripts, exported registries, and values of hives."""

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lockers.medusalocker3 import capi_blob
from tests.lockers.rsa import key_of
from tests.makers.registry_hives import REG_BINARY, REG_DWORD, REG_SZ, exported, hive
from unransom.core.keys import KeyKind
from unransom.crypto import rsa
from unransom.crypto.search.memory import Clues, registry_values, scan, written_blobs

PRIVATE = key_of("rsa2048")
DER, PEM, CAPI = PRIVATE.export_key("DER"), PRIVATE.export_key(), capi_blob(PRIVATE)
KEY = np.random.default_rng(5).bytes(32)
OTHERS = [("Version", REG_DWORD, b"\7\0\0\0"), ("Path", REG_SZ, "C:\\Acme\\a.exe\0".encode("utf-16-le"))]


def base64_of(data):
    return base64.b64encode(data).decode()


def xml():
    half = [(PRIVATE.p, "P"), (PRIVATE.q, "Q")]
    numbers = [(PRIVATE.n, "Modulus"), (PRIVATE.e, "Exponent"), *half, (PRIVATE.d, "D")]
    parts = (
        f"<{name}>{base64_of(number.to_bytes(-(-number.bit_length() // 8)))}</{name}>"
        for number, name in numbers
    )
    return f"<RSAKeyValue>{''.join(parts)}</RSAKeyValue>"


def in_lines(text, width, end):
    return end.join(text[at : at + width] for at in range(0, len(text), width))


WRITTEN = {
    "DER in base64 in JSON": f'{{"id": 5, "priv": "{base64_of(DER)}"}}'.encode(),
    "the same with slashes escaped": f'{{"priv": "{base64_of(DER)}"}}'.replace("/", "\\/").encode(),
    "in lines of 64": b"key follows\r\n"
    + in_lines(base64_of(CAPI), 64, "\r\n").encode()
    + b"\r\nthat was it",
    "in lines that are indented": in_lines(base64_of(DER), 70, "\n    ").encode(),
    "XML in base64": b"k=" + base64.b64encode(xml().encode()) + b"&n=1",
    "wide XML in base64": base64.b64encode(xml().encode("utf-16-le")),
    "PEM in JSON": b'{"priv": "' + PEM.replace(b"\n", b"\\n") + b'"}',
    "PEM in base64": base64.b64encode(PEM),
    "hexadecimal": b"key: " + DER.hex().encode() + b";",
    "the source of a program": b"byte[] k = { "
    + ", ".join(f"0x{byte:02X}" for byte in CAPI).encode()
    + b" };",
    "an exported registry": exported("Data", DER),
    "text in an exported registry": exported("Data", base64_of(CAPI)),
    "text in a hive": hive([*OTHERS, ("k", REG_SZ, (base64_of(DER) + "\0").encode("utf-16-le"))]),
}


@pytest.mark.parametrize("form", WRITTEN)
def test_a_private_key_that_is_written_down(form):
    (found,) = scan(b"some text " + WRITTEN[form], Clues(guesses=True), finders=(written_blobs.FINDER,))
    assert found.kind is KeyKind.RSA
    assert rsa.numbers(found.data).d == PRIVATE.d


def test_dumps_are_not_read_for_what_is_written():
    assert not scan(WRITTEN["hexadecimal"], finders=(written_blobs.FINDER,))


def test_a_value_of_a_hive_is_found_whatever_stands_before_it():
    made = hive([*OTHERS, ("a", REG_BINARY, bytes(32)), ("b", REG_BINARY, KEY), ("c", REG_BINARY, KEY * 3)])
    (found,) = scan(made, finders=(registry_values.FINDER,))
    assert found.data == KEY
    assert made[found.offset : found.offset + 32] == KEY
    assert not scan(b"x" + made, finders=(registry_values.FINDER,))


@given(st.data())
def test_what_is_damaged_hurts_nobody(data):
    form = bytearray(data.draw(st.sampled_from([*WRITTEN.values(), hive([("b", REG_BINARY, KEY)])])))
    for at in data.draw(st.lists(st.integers(0, len(form) - 1), max_size=8)):
        form[at] = data.draw(st.integers(0, 255))
    piece = bytes(form[: data.draw(st.integers(0, len(form)))])
    for each in scan(piece, Clues(guesses=True), finders=(written_blobs.FINDER, registry_values.FINDER)):
        assert each.kind is KeyKind.RAW or rsa.numbers(each.data).p > 1
