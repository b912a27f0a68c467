"""Registry hives and exported registries with values, as Windows writes them."""

from __future__ import annotations

import struct
from functools import reduce
from operator import xor

PAGE, BIN = 4096, 32
REG_SZ, REG_BINARY, REG_DWORD = 1, 3, 4
NONE = 0xFFFFFFFF

Value = tuple[str, int, bytes]  # name, type, data


class _Cells:
    """The cells of a bin, each at a multiple of eight."""

    def __init__(self) -> None:
        self.data = bytearray()

    def add(self, body: bytes) -> int:
        """Return where the cell is, counted from the end of the base block."""
        at, size = BIN + len(self.data), -(-(4 + len(body)) // 8) * 8
        self.data += struct.pack("<i", -size) + body.ljust(size - 4, b"\0")
        return at

    def value(self, name: str, kind: int, data: bytes) -> int:
        if len(data) > 4:
            size, place = len(data), self.add(data)
        else:
            size, place = len(data) | 0x80000000, int.from_bytes(data, "little")
        return self.add(b"vk" + struct.pack("<HIIIHH", len(name), size, place, kind, 1, 0) + name.encode())


def hive(values: list[Value]) -> bytes:
    """Return a hive whose root has ``values``."""
    cells = _Cells()
    places = [cells.value(*each) for each in values]
    listed = cells.add(struct.pack(f"<{len(places)}I", *places))
    security = cells.add(struct.pack("<2sHIIII", b"sk", 0, 0, 0, 1, 20) + bytes(20))
    root = struct.pack("<2sHQIIIIII", b"nk", 0x2C, 0, 0, 0, 0, 0, NONE, NONE)
    root += (
        struct.pack("<IIIIIIIIIHH", len(places), listed, security, NONE, 0, 0, 40, 1200, 0, 4, 0) + b"ROOT"
    )
    top = cells.add(root)
    size = -(-(BIN + 8 + len(cells.data)) // PAGE) * PAGE
    free = size - BIN - len(cells.data)
    body = b"hbin" + struct.pack("<II", 0, size) + bytes(20) + cells.data + struct.pack("<i", free)
    head = struct.pack("<4sIIQIIIIIII", b"regf", 1, 1, 0, 1, 5, 0, 1, top, size, 1).ljust(508, b"\0")
    total = reduce(xor, struct.unpack("<127I", head))
    return (head + struct.pack("<I", total)).ljust(PAGE, b"\0") + body.ljust(size, b"\0")


def exported(name: str, data: bytes | str) -> bytes:
    """Return what regedit exports of a value, bytes or text, in lines of 80 characters."""
    if isinstance(data, str):
        lines = [f'"{name}"="{data}"']
    else:
        lines, line = [], f'"{name}"=hex:'
        for digits in ",".join(f"{byte:02x}" for byte in data).replace(",", ",\0").split("\0"):
            if len(line) + len(digits) > 77:
                lines.append(line + "\\")
                line = "  "
            line += digits
        lines.append(line)
    head = ["Windows Registry Editor Version 5.00", "", "[HKEY_CURRENT_USER\\Software\\Acme]"]
    return "\r\n".join([*head, *lines, '"Version"=dword:00000007', "", ""]).encode("utf-16")
