"""Seals whole blocks with AES-ECB, one key for all files, as careless lockers do."""

import struct

from Cryptodome.Cipher import AES

from tests.lockers import drawn


def seal(plain: bytes, key: bytes) -> bytes:
    """Return ``plain`` with its whole blocks locked; what is left over stays."""
    whole = len(plain) // 16 * 16
    return AES.new(key, AES.MODE_ECB).encrypt(plain[:whole]) + plain[whole:]


def database(seed: str, pages: int) -> bytes:
    """Return something like a table space: pages of 4 KiB with a header, records of 32 bytes and zeros."""
    out = bytearray()
    for page in range(pages):
        records = drawn(f"{seed} {page}", 40)
        body = b"".join(
            struct.pack("<I", value % 16).ljust(16, b" ")
            + (b"shipped" if value % 3 else b"open").ljust(16, b"\0")
            for value in records
        )
        out += (b"PAGE" + struct.pack(">III", page, 1, len(records)) + body).ljust(4096, b"\0")
    return bytes(out)
