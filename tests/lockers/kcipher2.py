"""KCipher-2 in plain Python, written after RFC 7008, one word pair at a time."""

import struct

MASK = 0xFFFFFFFF


def _multiplied(left: int, right: int, polynomial: int) -> int:
    product = 0
    while right:
        product ^= left if right & 1 else 0
        left = left << 1 ^ (polynomial if left & 0x80 else 0)
        right >>= 1
    return product


def _table(polynomial: int, powers: tuple[int, ...]) -> list[int]:
    field = [1]
    for _ in range(254):
        field.append(_multiplied(field[-1], 2, polynomial))
    rows = [[_multiplied(byte, field[power], polynomial) for power in powers] for byte in range(256)]
    return [int.from_bytes(bytes(row)) for row in rows]


TIMES = [
    _table(0x1C3, (24, 3, 12, 71)),
    _table(0x12D, (230, 156, 93, 29)),
    _table(0x14D, (34, 16, 199, 248)),
    _table(0x165, (157, 253, 56, 16)),
]


def _box() -> list[int]:
    inverse = [0] * 256
    for byte in range(1, 256):
        inverse[byte] = next(one for one in range(1, 256) if _multiplied(byte, one, 0x11B) == 1)
    turned = [[value << count | value >> 8 - count for count in range(5)] for value in inverse]
    return [(a ^ b ^ c ^ d ^ e ^ 0x63) & 0xFF for a, b, c, d, e in turned]


BOX = _box()
COLUMNS = [
    [_multiplied(BOX[byte], 2, 0x11B), BOX[byte], BOX[byte], _multiplied(BOX[byte], 3, 0x11B)]
    for byte in range(256)
]
PLACED = [  # what the byte at each place of a word, from the lowest, adds to all of it
    [sum(COLUMNS[byte][(row - place) % 4] << 8 * row for row in range(4)) for byte in range(256)]
    for place in range(4)
]


def _sub(word: int) -> int:
    return (
        PLACED[0][word & 0xFF]
        ^ PLACED[1][word >> 8 & 0xFF]
        ^ PLACED[2][word >> 16 & 0xFF]
        ^ PLACED[3][word >> 24]
    )


def _start(key: bytes, iv: bytes) -> tuple[list[int], list[int], list[int]]:
    words, ivs = list(struct.unpack(">4I", key)), struct.unpack(">4I", iv)
    for index in range(4, 12):
        last = words[-1]
        if index % 4 == 0:
            last = _sub((last << 8 | last >> 24) & MASK) ^ (1 << 24) * (index // 4)
        words.append(words[-4] ^ last)
    a = words[4::-1]
    b = [*words[10:12], ivs[0], ivs[1], words[8], words[9], ivs[2], ivs[3], words[7], words[5], words[6]]
    return a, b, [0, 0, 0, 0]


def kcipher2_stream(key: bytes, iv: bytes, size: int) -> bytes:
    """Return ``size`` bytes of keystream."""
    a, b, fsm = _start(key, iv)
    out, count = [], -24
    while count * 8 < size:
        l1, r1, l2, r2 = fsm
        high, low = (b[10] + l2 & MASK) ^ l1 ^ a[0], (b[0] + r2 & MASK) ^ r1 ^ a[4]
        if count >= 0:
            out += (high, low)
        fsm = [_sub(r2 + b[4] & MASK), _sub(l2 + b[9] & MASK), _sub(l1), _sub(r1)]
        new_a = (a[0] << 8 & MASK) ^ TIMES[0][a[0] >> 24] ^ a[3]
        table = TIMES[1] if a[2] >> 30 & 1 else TIMES[2]
        new_b = (b[0] << 8 & MASK) ^ table[b[0] >> 24] ^ b[1] ^ b[6]
        new_b ^= (b[8] << 8 & MASK) ^ TIMES[3][b[8] >> 24] if a[2] >> 31 else b[8]
        if count < 0:
            new_a, new_b = new_a ^ low, new_b ^ high
        a, b, count = [*a[1:], new_a], [*b[1:], new_b], count + 1
    return struct.pack(f">{len(out)}I", *out)[:size]
