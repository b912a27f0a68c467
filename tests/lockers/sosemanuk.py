"""Sosemanuk in plain Python, written after its specification (Berbain et al., 2008), a word at a time."""

import struct

MASK = 0xFFFFFFFF
BOXES = [
    "38f1a65bed42709c",
    "fc27905a1be86d34",
    "86793cafd1e40b52",
    "0fb8c963d124a75e",
    "1f83c0b6254a9e7d",
    "f52b4a9c03e8d671",
    "72c5846be91fd3a0",
    "1df0e82b74ca9356",
]  # Serpent's, by input from 0 to 15
ALPHA, OVER_ALPHA = (23, 245, 48, 239), (16, 39, 6, 64)  # powers of beta


def _left(value: int, count: int) -> int:
    return (value << count | value >> (32 - count)) & MASK


def _box(number: int, words: list[int]) -> list[int]:
    out = [0, 0, 0, 0]
    for bit in range(32):
        column = sum((word >> bit & 1) << row for row, word in enumerate(words))
        value = int(BOXES[number][column], 16)
        for row in range(4):
            out[row] |= (value >> row & 1) << bit
    return out


def _mixed(words: list[int]) -> list[int]:
    a, b, c, d = words
    a, c = _left(a, 13), _left(c, 3)
    b, d = _left(b ^ a ^ c, 1), _left(d ^ c ^ a << 3 & MASK, 7)
    a, c = _left(a ^ b ^ d, 5), _left(c ^ d ^ b << 7 & MASK, 22)
    return [a, b, c, d]


def _subkeys(key: bytes) -> list[list[int]]:
    padded = (key + b"\x01")[:32].ljust(32, b"\0")
    words = list(struct.unpack("<8I", padded))
    for index in range(100):
        fresh = words[-8] ^ words[-5] ^ words[-3] ^ words[-1] ^ 0x9E3779B9 ^ index
        words.append(_left(fresh, 11))
    return [_box((3 - group) % 8, words[8 + 4 * group : 12 + 4 * group]) for group in range(25)]


def _multiplied(left: int, right: int) -> int:
    product = 0
    while right:
        product ^= left if right & 1 else 0
        left = left << 1 ^ (0x1A9 if left & 0x80 else 0)
        right >>= 1
    return product


def _table(powers: tuple[int, ...]) -> list[int]:
    beta = [1]
    for _ in range(254):
        beta.append(_multiplied(beta[-1], 2))
    return [int.from_bytes(bytes(_multiplied(byte, beta[power]) for power in powers)) for byte in range(256)]


TIMES, OVER = _table(ALPHA), _table(OVER_ALPHA)


def _start(key: bytes, iv: bytes) -> tuple[list[int], int, int]:
    keys = _subkeys(key)
    words, after = list(struct.unpack("<4I", iv)), {}
    for number in range(24):
        words = _mixed(_box(number % 8, [word ^ sub for word, sub in zip(words, keys[number], strict=True)]))
        after[number + 1] = words
    last = [word ^ sub for word, sub in zip(words, keys[24], strict=True)]
    register = [*last[::-1], after[18][1], after[18][3], *after[12][::-1]]
    return register, after[18][0], after[18][2]


def sosemanuk(data: bytes, key: bytes, iv: bytes) -> bytes:
    """Return ``data`` under the keystream of ``key`` and ``iv``."""
    s, r1, r2 = _start(key, iv)
    stream = bytearray()
    while len(stream) < len(data):
        outputs, dropped = [], []
        for _ in range(4):
            r1, r2 = (
                (r2 + (s[1] ^ s[8] if r1 & 1 else s[1])) & MASK,
                _left(r1 * 0x54655307 & MASK, 7),
            )
            outputs.append((s[9] + r1 & MASK) ^ r2)
            fresh = s[9] ^ s[3] >> 8 ^ OVER[s[3] & 0xFF] ^ s[0] << 8 & MASK ^ TIMES[s[0] >> 24]
            dropped.append(s[0])
            s = [*s[1:], fresh]
        for word, old in zip(_box(2, outputs), dropped, strict=True):
            stream += struct.pack("<I", word ^ old)
    return bytes(left ^ right for left, right in zip(data, stream, strict=False))
