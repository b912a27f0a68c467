"""Small healthy files of lesser system formats, made here."""

from __future__ import annotations

import hashlib
import io
import marshal
import random
import struct
import zlib
from importlib.util import MAGIC_NUMBER

import numpy as np


def pyc() -> bytes:
    lines = (
        f"def function_{n}(a, b={n}, *, c='text {n}'):\n    return a * {n}.5 + b, c\n" for n in range(400)
    )
    tree = compile("".join(lines) + "BIG = 10**40, 1j, b'bytes', {'a', 'b'}, None, ...\n", "made.py", "exec")
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


def java_class() -> bytes:
    texts = [b"method_%d" % n for n in range(900)] + [b"Code", "Größe".encode()]
    pool = b"".join(b"\1" + struct.pack(">H", len(text)) + text for text in texts)
    pool += b"\7\0\1" + b"\5" + bytes(8)  # a class, and a long number that takes two places
    code = struct.pack(">HI", 901, 24) + bytes(24)
    methods = b"".join(struct.pack(">HHHH", 1, 1 + n, 2, 1) + code for n in range(900))
    head = b"\xca\xfe\xba\xbe" + struct.pack(">HHH", 0, 61, len(texts) + 4)
    return head + pool + struct.pack(">HHHHHH", 33, 903, 0, 0, 0, 900) + methods + bytes(2)


def icc(*, identity: bool = True) -> bytes:
    tags = [(b"desc", b"desc" + b"A colour profile. " * 300), (b"A2B0", b"mft2" + bytes(range(200)) * 90)]
    at, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags:
        table += struct.pack(">4sII", name, at + len(body), len(data))
        body += data
    head = bytearray(
        struct.pack(">I4sI12s", at + len(body), b"lcms", 0x04000000, b"mntrRGB XYZ ").ljust(128, b"\0")
    )
    head[36:40] = b"acsp"
    if identity:
        head[84:100] = hashlib.md5(bytes(head) + table + body).digest()
    return bytes(head) + table + body


def dex() -> bytes:
    body = struct.pack("<III", 0, 112, 0x12345678)[4:] + b"classes and strings " * 1500
    rest = struct.pack("<I", 36 + len(body)) + body
    hashed = hashlib.sha1(rest).digest() + rest
    return b"dex\n035\0" + struct.pack("<I", zlib.adler32(hashed)) + hashed


def npy(kind: str = "<f8") -> bytes:
    out = io.BytesIO()
    np.save(out, np.random.default_rng(1).normal(20, 3, (40, 100)).astype(kind))
    return out.getvalue()
