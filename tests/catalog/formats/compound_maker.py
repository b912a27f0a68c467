"""Make small OLE2 compound files for tests."""

from __future__ import annotations

import struct

FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
SECTOR, MINI = 512, 64


def biff(seed: int, rows: int) -> bytes:
    """Return an Excel workbook stream with ``rows`` label records."""
    out = struct.pack("<HH", 0x0809, 16) + bytes([0, 6, 5, 0]) + bytes(12)
    for row in range(rows):
        text = b"cell %d" % (row * seed % 9973)
        body = struct.pack("<HHHHB", row, 1, 15, len(text), 0) + text
        out += struct.pack("<HH", 0x0204, len(body)) + body
    return out + struct.pack("<HH", 0x000A, 0)


def make_compound(streams: dict[str, bytes]) -> bytes:
    """Return a version-3 compound file with these streams below its root."""
    sectors: list[bytes] = []
    fat: list[int] = []

    def store(data: bytes) -> int:
        """Append ``data`` as a chain of sectors; return its first."""
        first = len(sectors)
        count = -(-len(data) // SECTOR)
        for index in range(count):
            sectors.append(data[index * SECTOR : (index + 1) * SECTOR].ljust(SECTOR, b"\0"))
            fat.append(first + index + 1 if index + 1 < count else END)
        return first

    entries, mini, mini_fat = [], b"", []
    for name, data in streams.items():
        if len(data) >= 4096:
            entries.append((name, store(data), len(data)))
            continue
        first, count = len(mini_fat), -(-len(data) // MINI)
        mini += data.ljust(count * MINI, b"\0")
        mini_fat += [first + index + 1 if index + 1 < count else END for index in range(count)]
        entries.append((name, first, len(data)))
    mini_start = store(mini) if mini else END
    mini_fat += [FREE] * (-len(mini_fat) % 128)
    mini_fat_start = store(struct.pack(f"<{len(mini_fat)}I", *mini_fat)) if mini_fat else END
    directory = _entry("Root Entry", 5, FREE, 1 if entries else FREE, mini_start, len(mini))
    for number, (name, start, size) in enumerate(entries, 1):
        right = number + 1 if number < len(entries) else FREE
        directory += _entry(name, 2, right, FREE, start, size)
    directory += bytes(-len(directory) % SECTOR)
    directory_start = store(directory)
    count = 1
    while (len(sectors) + count) > count * 128:
        count += 1
    numbers = list(range(len(sectors), len(sectors) + count))
    fat += [FAT] * count
    fat += [FREE] * (count * 128 - len(fat))
    packed = struct.pack(f"<{len(fat)}I", *fat)
    sectors += [packed[index * SECTOR : (index + 1) * SECTOR] for index in range(count)]
    header = struct.pack(
        "<8s16s5H6s9I",
        *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bytes(16), 0x3E, 3, 0xFFFE, 9, 6, bytes(6), 0, count),
        *(directory_start, 0, 4096, mini_fat_start, len(mini_fat) // 128, END, 0),
    )
    listed = numbers + [FREE] * (109 - count)
    return header + struct.pack("<109I", *listed) + b"".join(sectors)


def _entry(name: str, kind: int, right: int, child: int, start: int, size: int) -> bytes:
    encoded = name.encode("utf-16-le") + b"\0\0"
    fixed = struct.pack("<HBBIII", len(encoded), kind, 1, FREE, right, child)
    return encoded.ljust(64, b"\0") + fixed + bytes(16 + 4 + 16) + struct.pack("<IQ", start, size)
