"""Seals a small made disk like Petya: the file table under Salsa20, the boot sector moved."""

import struct

from Cryptodome.Cipher import Salsa20

from tests.lockers import Made, content, drawn

SECTOR, CLUSTER, RECORD = 512, 4096, 1024
VOLUME, SIZE = 2048 * SECTOR, 3 << 20
RUNS = [(16, 10), (40, 6)]  # clusters of the file table
CODE = bytes.fromhex("fa6631c08ed08ec08ed8bc007cfb8816")
COLUMNS = [(0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11)]
ROWS = [(0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14)]


def block16(key: bytes, nonce: bytes, number: int) -> bytes:
    """Return a block of the keystream whose words were cut to 16 bits."""
    parts = b"expa", key[:16], b"nd 3", nonce, number.to_bytes(8, "little"), b"2-by", key[16:], b"te k"
    start = [word & 0xFFFF for word in struct.unpack("<16I", b"".join(parts))]
    x = list(start)
    for _ in range(10):
        for a, b, c, d in (*COLUMNS, *ROWS):
            for to, one, two, count in ((b, a, d, 7), (c, b, a, 9), (d, c, b, 13), (a, d, c, 18)):
                value = x[one] + x[two] & 0xFFFF
                x[to] ^= value << count & 0xFFFF | value >> 32 - count
    return struct.pack("<16I", *(one + two & 0xFFFF for one, two in zip(x, start, strict=True)))


def keystream(key: bytes, nonce: bytes, size: int, *, wide: bool) -> bytes:
    """Return the first ``size`` bytes of the keystream, of 32 bits where it is ``wide``."""
    if wide:
        return Salsa20.new(key=key, nonce=nonce).encrypt(bytes(size))
    return b"".join(block16(key, nonce, number) for number in range(-(-size // 64)))[:size]


def boot_sector(table: bytes, code: bytes) -> bytes:
    """Return a sector that ends like a boot sector, with ``table`` before that."""
    return code.ljust(446, b"\x90") + table + b"\x55\xaa"


def record(number: int, attribute: bytes) -> bytes:
    """Return a record of the file table as it stands on a disk."""
    body = b"FILE" + struct.pack("<HHQHHHHIIQ", 48, 3, number, 1, 1, 56, 1, 56 + len(attribute), RECORD, 0)
    whole = bytearray((body.ljust(56, b"\0") + attribute).ljust(RECORD, b"\0"))
    whole[600:1024] = content(f"record {number}", 424)
    update = struct.pack("<H", number + 7)
    whole[48:54] = update + bytes(whole[510:512]) + bytes(whole[1022:1024])
    whole[510:512] = whole[1022:1024] = update
    return bytes(whole)


def file_table() -> list[bytes]:
    """Return the records: the table's own, others, and some that were never used."""
    runs, last = b"", 0
    for start, length in RUNS:
        runs += b"\x11" + struct.pack("<Bb", length, start - last)
        last = start
    data = struct.pack("<IIBBHHHQQH", 0x80, 80, 1, 0, 0, 0, 0, 0, 15, 64).ljust(64, b"\0") + runs
    name = struct.pack("<IIBB", 0x30, 40, 0, 0).ljust(40, b"\0")
    own = name + data.ljust(80, b"\0") + struct.pack("<I", 0xFFFFFFFF)
    others = name + struct.pack("<I", 0xFFFFFFFF)
    used = [record(number, own if number == 0 else others) for number in range(50)]
    return used + [bytes(RECORD)] * (sum(length for _, length in RUNS) * CLUSTER // RECORD - 50)


def disk(seed: str) -> bytes:
    """Return the disk before it is locked."""
    image = bytearray(content(seed, SIZE))
    partition = struct.pack("<B3sB3sII", 0x80, b"\0\0\0", 7, b"\0\0\0", 2048, 4096)
    image[:SECTOR] = boot_sector(partition.ljust(64, b"\0"), b"\x33\xc0\x8e\xd0")
    image[SECTOR:VOLUME] = bytes(VOLUME - SECTOR)
    volume = b"\xebR\x90NTFS    " + struct.pack("<HB34xQQb", SECTOR, 8, RUNS[0][0], 2, -10)
    image[VOLUME : VOLUME + SECTOR] = volume.ljust(510, b"\0") + b"\x55\xaa"
    records = file_table()
    for start, length in RUNS:
        for at in range(VOLUME + start * CLUSTER, VOLUME + (start + length) * CLUSTER, RECORD):
            image[at : at + RECORD] = records.pop(0)
    return bytes(image)


def seal(image: bytes, key: bytes, nonce: bytes, vector: dict) -> bytes:
    """Return the disk with every record of the file table locked that the vector does not leave."""
    locked = bytearray(image)
    golden, wide = vector.get("golden", False), vector.get("wide", False)
    spot, byte = (32, 0x07) if golden else (54, 0x37)
    step, at_once = vector.get("step", 1), vector.get("at_once", 2)
    table = (VOLUME + RUNS[0][0] * CLUSTER) // SECTOR
    origin = {"disk": 0, "volume": VOLUME // SECTOR, "table": table}[vector.get("origin", "disk")]
    stream = keystream(key, nonce, SIZE if step > 1 else SIZE // SECTOR + CLUSTER, wide=wide)
    done = 0
    for start, length in RUNS:
        first = (VOLUME + start * CLUSTER) // SECTOR
        for sector in range(first, first + length * CLUSTER // SECTOR):
            asked = sector - (sector - table) % at_once
            place = (asked - origin) * step + (sector - asked) * SECTOR
            done += 1
            if done <= vector.get("stopped", 1 << 30) * RECORD // SECTOR:
                at = sector * SECTOR
                part = zip(image[at : at + SECTOR], stream[place : place + SECTOR], strict=True)
                locked[at : at + SECTOR] = bytes(one ^ two for one, two in part)
    address = b"http://petya37h5tbhyvki.onion/abcdef"
    state = (b"\1" + bytes(32) + nonce).ljust(0x69 if golden else 0x29, b"\0") + address
    locked[spot * SECTOR : (spot + 1) * SECTOR] = state.ljust(SECTOR, b"\0")
    check = bytes(one ^ byte for one in stream[:SECTOR])
    locked[(spot + 1) * SECTOR : (spot + 2) * SECTOR] = check
    locked[(spot + 2) * SECTOR : (spot + 3) * SECTOR] = bytes(one ^ byte for one in image[:SECTOR])
    locked[:SECTOR] = boot_sector(image[446:510], b"" if vector.get("repaired") else CODE)
    return bytes(locked)


def make(vector: dict) -> Made:
    """Return the locked disk of a vector; its key file is the characters, or the key they give."""
    seed, text = vector["seed"], vector.get("text", "").encode()
    key = drawn(seed + " key", 32)
    if text:
        sixteen = text if len(text) == 16 else b"".join(bytes([byte]) + b"x" for byte in text)
        key = b"".join(bytes([byte + 0x7A & 0xFF, byte * 2 & 0xFF]) for byte in sixteen)
    image, nonce = disk(seed), drawn(seed + " nonce", 8)
    locked = seal(image, key, nonce, vector)
    spot = 32 if vector.get("golden") else 54
    own = slice(spot * SECTOR, (spot + 3) * SECTOR)  # what was there before, nobody knows
    return Made(image[: own.start] + locked[own] + image[own.stop :], locked, text or key)
