"""Files of one run of LockBit 3 whose metadata is under one key, as in builds before the group fixed that."""

import struct

from tests.lockers import drawn, lockbit3

MODULUS_BITS = 1024


def run(
    files: dict[str, bytes], numbers: tuple[int, int], areas: tuple[int, int, int] = (0, 0, 0)
) -> dict[str, bytes]:
    """Return each file locked, by its name with the run's extension: one blob for all of them."""
    footer = drawn("lockbit3 run", 64)
    return {
        f"{name}.Ab3dE5gH9": lockbit3.seal(
            plain, name, numbers, (drawn(name, 64), footer), areas, usual(name)
        )
        for name, plain in files.items()
    }


def usual(name: str) -> bytes:
    """Return ``name`` packed like the real file of the family: zeros by their code, and pairs seen before."""
    data = (name + "\0").encode("utf-16-le")
    bits: list[str] = []
    literals: list[tuple[int, int]] = []  # how many bits stand before a whole byte, and the byte

    def write(digits: str, value: int | None = None) -> None:
        bits.extend(digits)
        if value is not None:
            literals.append((len(bits), value))

    position = 1
    while position < len(data):
        before = [
            back
            for back in range(1, min(position, 127) + 1)
            if data[position : position + 2] == _copied(data, position, back, 2) and position + 2 <= len(data)
        ]
        if before:
            write("110", before[0] << 1)
            position += 2
        elif data[position] == 0:
            write("1110000")
            position += 1
        else:
            write("0", data[position])
            position += 1
    write("110", 0)
    return bytes([data[0]]) + _interleaved("".join(bits), literals)


def _copied(data: bytes, position: int, back: int, length: int) -> bytes:
    return bytes(data[position - back + index % back] for index in range(length))


def _interleaved(bits: str, literals: list[tuple[int, int]]) -> bytes:
    """Return tag bytes, each before the first whole byte that comes after its first bit."""
    out = bytearray()
    waiting = list(literals)
    for start in range(0, len(bits), 8):
        out.append(int(bits[start : start + 8].ljust(8, "0"), 2))
        while waiting and waiting[0][0] <= start + 8:
            out.append(waiting.pop(0)[1])
    return bytes(out)


def longest_openable(names: list[str], known: str) -> list[str]:
    """Return the names whose files open where the name ``known`` is known: the published condition."""
    room = len(usual(known)) + struct.calcsize("<HQII")
    return [name for name in names if len(usual(name)) + 82 <= room]
