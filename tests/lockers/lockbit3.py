"""Seals like LockBit 3: Salsa20 from a raw random state, metadata in the tail, raw little-endian RSA."""

import struct

from Cryptodome.PublicKey import RSA

from tests.lockers import Made, content, drawn

BLOCK = 128 * 1024
STEP = 0x8088405


def _rotate(value: int, count: int) -> int:
    return (value << count | value >> (32 - count)) & 0xFFFFFFFF


def _quarter(x: list[int], a: int, b: int, c: int, d: int) -> None:
    x[b] ^= _rotate((x[a] + x[d]) & 0xFFFFFFFF, 7)
    x[c] ^= _rotate((x[b] + x[a]) & 0xFFFFFFFF, 9)
    x[d] ^= _rotate((x[c] + x[b]) & 0xFFFFFFFF, 13)
    x[a] ^= _rotate((x[d] + x[c]) & 0xFFFFFFFF, 18)


def salsa_block(state: bytes, block: int) -> bytes:
    """Return one block of keystream, written after the specification, a quarter round at a time."""
    words = list(struct.unpack("<16I", state))
    counter = words[8] + (words[9] << 32) + block
    words[8], words[9] = counter & 0xFFFFFFFF, counter >> 32 & 0xFFFFFFFF
    x = list(words)
    for _ in range(10):
        for quarter in ((0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11)):
            _quarter(x, *quarter)
        for quarter in ((0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14)):
            _quarter(x, *quarter)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(words, x, strict=True)))


def _xor(data: bytes, state: bytes) -> bytes:
    stream = b"".join(salsa_block(state, block) for block in range((len(data) + 63) // 64))[: len(data)]
    return (int.from_bytes(data) ^ int.from_bytes(stream)).to_bytes(len(data))


def checksum(blob: bytes, modulus: int) -> int:
    """Return the checksum in the tail."""
    value = 0x0D6917A
    for _ in range(3):
        low, high = value & 0xFFFF, value >> 16
        for byte in blob:
            low = (low + byte) % 0x1000F
            high = (high + low) % 0x1000F
        value = struct.unpack(">I", struct.pack("<I", (low + (high << 16) & 0xFFFFFFFF) ^ modulus))[0]
    return value


def pack(name: str) -> bytes:
    """Return ``name`` as an aPLib stream of literals only."""
    data = (name + "\0").encode("utf-16-le")
    bits = [0] * (len(data) - 1) + [1, 1, 0]
    out, literals = bytearray(data[:1]), iter(data[1:])
    for start in range(0, len(bits), 8):
        group = bits[start : start + 8]
        out.append(int("".join(map(str, group)).ljust(8, "0"), 2))
        out += bytes(next(literals) for bit in group if not bit and literals.__length_hint__())
    return bytes(out + b"\0")


def seal(
    plain: bytes,
    name: str,
    numbers: tuple[int, int],
    states: tuple[bytes, bytes],
    areas: tuple[int, int, int],
    packed: bytes = b"",
) -> bytes:
    """Return ``plain`` locked.

    Args:
        plain: The original.
        name: Its name.
        numbers: Modulus and public exponent of the build's RSA-1024 key.
        states: The file's Salsa20 state, 64 bytes, and the first 64 of the 128 bytes under RSA.
        areas: Bytes skipped between locked areas, then the index of the last block of the first area
            and of the later ones.
        packed: The packed name; literals only where empty.
    """
    modulus, exponent = numbers
    skip, first, later = areas
    stream_of = _Stream(states[0])
    locked = bytearray(plain)
    start, blocks = 0, first + 1
    while start < len(plain):
        end = min(start + blocks * BLOCK, len(plain))
        locked[start:end] = stream_of.xor(plain[start:end])
        if not skip:
            break
        start += (blocks - 1) * BLOCK + skip
        blocks = later + 1
    packed = packed or pack(name)
    metadata = packed + struct.pack("<HQII", len(packed), skip, first, later) + states[0]
    opened = bytearray(states[1] + bytes(64))
    place = (struct.unpack_from("<I", opened, 124)[0] * STEP + 1 & 0xFFFFFFFF) * 0x78 >> 32
    choice = 1
    while not 64 <= place <= 120:  # the first 64 bytes are the key: a place behind them
        struct.pack_into("<I", opened, 124, choice)
        place = (choice * STEP + 1 & 0xFFFFFFFF) * 0x78 >> 32
        choice += 1
    opened[127] &= 0x3F  # below the modulus
    struct.pack_into("<I", opened, place, modulus & 0xFFFFFFFF)
    blob = pow(int.from_bytes(opened, "little"), exponent, modulus).to_bytes(128, "little")
    tail = struct.pack("<HI", len(metadata), checksum(blob, modulus & 0xFFFFFFFF)) + blob
    return bytes(locked) + _xor(metadata, bytes(opened[:64])) + tail


class _Stream:
    """Keystream that goes on from area to area."""

    def __init__(self, state: bytes) -> None:
        self._state = state
        self._used = 0

    def xor(self, data: bytes) -> bytes:
        first, skip = divmod(self._used, 64)
        count = (skip + len(data) + 63) // 64
        stream = b"".join(salsa_block(self._state, first + block) for block in range(count))[skip:]
        self._used += len(data)
        return (int.from_bytes(data) ^ int.from_bytes(stream[: len(data)])).to_bytes(len(data))


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is private exponent and modulus, little-endian."""
    key = RSA.import_key(vector["rsa_key"])
    seed = vector["seed"]
    plain = content(seed, vector["size"])
    states = (drawn(seed + " state", 64), drawn(seed + " footer", 64))
    locked = seal(plain, vector["name"], (key.n, key.e), states, tuple(vector["areas"]))
    return Made(plain, locked, key.d.to_bytes(128, "little") + key.n.to_bytes(128, "little"))
