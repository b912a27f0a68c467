"""Known answers: what every primitive must give, from published vectors; ``unransom selftest`` checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from unransom.crypto import aplib
from unransom.crypto.ciphers.aes import AesCbc, AesCtr


class KnownAnswer(NamedTuple):
    """A computation and what it must give.

    Attributes:
        name: What is checked.
        source: Where the vector was published.
        compute: Does it.
        answer: What must come out.
    """

    name: str
    source: str
    compute: Callable[[], bytes]
    answer: bytes


KEY_128 = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
KEY_256 = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
PLAIN = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")


def _aes_ctr() -> bytes:
    data = bytes.fromhex("874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff")
    out = bytearray(len(data))
    AesCtr(KEY_128, bytes(range(0xF0, 0x100))).decrypt_into(memoryview(data), memoryview(out))
    return bytes(out)


def _aes_cbc() -> bytes:
    data = bytes.fromhex("f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d")
    out = bytearray(len(data))
    AesCbc(KEY_256, bytes(range(16))).decrypt_into(memoryview(data), memoryview(out))
    return bytes(out)


def _salsa20() -> bytes:
    from unransom.crypto.ciphers.salsa import Salsa  # noqa: PLC0415 numba takes half a second to import

    out = bytearray(64)
    Salsa.from_key(b"\x80" + bytes(31), bytes(8)).decrypt_into(memoryview(bytes(64)), memoryview(out))
    return bytes(out)


def _aplib() -> bytes:
    # A literal, a tag of seven literals and the first bit of the end, the other two bits, the end.
    return aplib.decompress(b"u\x01nransom\x80\x00", 64)


ANSWERS: tuple[KnownAnswer, ...] = (
    KnownAnswer("AES-128-CTR", "NIST SP 800-38A F.5.2", _aes_ctr, PLAIN),
    KnownAnswer("AES-256-CBC", "NIST SP 800-38A F.2.6", _aes_cbc, PLAIN),
    KnownAnswer(
        "Salsa20/20",
        "ECRYPT Stream Cipher Project, Salsa20 256-bit, set 1, vector 0",
        _salsa20,
        bytes.fromhex(
            "e3be8fdd8beca2e3ea8ef9475b29a6e7003951e1097a5c38d23b7a5fad9f6844"
            "b22c97559e2723c7cbbd3fe4fc8d9a0744652a83e72a9c461876af4d7ef1a117"
        ),
    ),
    KnownAnswer("aPLib", "written by hand after the format's description", _aplib, b"unransom"),
)
