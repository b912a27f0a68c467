"""Makers of locked files for tests: they seal bytes in memory, and touch no disk.

Each follows a family's documented layout with pycryptodomex and plain Python, not with unransom's own
ciphers, so that what unransom opens was made by an independent implementation.
"""

import hashlib
import io
import zipfile
from typing import NamedTuple


class Made(NamedTuple):
    """A locked file: its original, itself, and the content of a key file that opens it.

    Its name is given where the locker reads or writes something there.
    """

    plain: bytes
    locked: bytes
    key_file: bytes
    name: bytes = b""


def content(seed: str, size: int) -> bytes:
    """Return ``size`` bytes that ``seed`` determines: half text that repeats, half without any order."""
    noise = hashlib.shake_128(seed.encode()).digest(size // 2)
    text = f"{seed}: order 10042, two lamps, shipped; ".encode()
    return (text * (size // len(text) + 1))[: size - len(noise)] + noise


def packed(seed: str, size: int) -> bytes:
    """Return a ZIP archive of ``size`` bytes, all but its ends without any order, as compressed files are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        member = zipfile.ZipInfo("a.bin", (2026, 1, 2, 3, 4, 6))
        file.writestr(member, drawn(seed, size - 108))  # what the records of one such member have
    return out.getvalue()


def drawn(seed: str, size: int) -> bytes:
    """Return ``size`` bytes for a key, a nonce or a state, determined by ``seed``."""
    return hashlib.shake_256(seed.encode()).digest(size)
