"""Small healthy files of lesser system formats, made here."""

from __future__ import annotations

import marshal
import random
import struct
from importlib.util import MAGIC_NUMBER


def pyc() -> bytes:
    source = "\n".join(
        f"def function_{n}(a, b={n}, *, c='text {n}'):\n    return a * {n}.5 + b, c" for n in range(400)
    )
    tree = compile(source + "BIG = 10**40, 1j, b'bytes', {'a', 'b'}, None, ...\n", "made.py", "exec")
    return MAGIC_NUMBER + bytes(12) + marshal.dumps(tree)


def mo() -> bytes:
    texts = [b"message %d" % n for n in range(600)]
    texts += [f"Nachricht {n} für die Straße, Größe: {n * 7919}".encode() for n in range(600)]
    at, rows = 28 + 8 * len(texts), b""
    for text in texts:
        rows += struct.pack("<II", len(text), at)
        at += len(text) + 1
    return struct.pack("<7I", 0x950412DE, 0, 600, 28, 28 + 4800, 0, 0) + rows + b"\0".join(texts) + b"\0"


def dbf(rows: int = 700) -> bytes:
    fields = b"".join(
        name.ljust(11, b"\0") + kind + bytes(4) + bytes((width,)) + bytes(15)
        for name, kind, width in ((b"ID", b"N", 10), (b"NAME", b"C", 30), (b"SUM", b"N", 12))
    )
    head = struct.pack("<BBBBIHH", 3, 124, 5, 17, rows, 32 + len(fields) + 1, 53).ljust(32, b"\0")
    records = (b" %10d%-30s%12.2f" % (n, b"customer %d" % (n * 7919), n / 3) for n in range(rows))
    return head + fields + b"\r" + b"".join(records) + b"\x1a"


def value(tag: int, body: bytes) -> bytes:
    """Return a value of ASN.1 in DER."""
    size = len(body).to_bytes(4, "big").lstrip(b"\0")
    return (
        bytes((tag,)) + (bytes((len(body),)) if len(body) < 128 else bytes((128 + len(size),)) + size) + body
    )


def der() -> bytes:
    noise = random.Random(9)
    rows = (
        value(0x30, value(2, b"\1" + noise.randbytes(16)) + value(0x17, b"260102030405Z")) for _ in range(400)
    )
    return value(0x30, value(0x30, b"".join(rows)) + value(3, b"\0" + noise.randbytes(256)))
