"""Keys as Windows keeps and exports them: CryptoAPI's and CNG's blobs and key objects."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from unransom.core.keys import KeyKind
from unransom.core.messages import say
from unransom.crypto.noise import is_noise
from unransom.crypto.search.memory.candidate import Candidate, Memory

NAME = "Windows keys"
KEY_OBJECT = b"KSSM"  # BCRYPT_KEY, and the opaque blob that a program exports of it
KEY_DATA = b"KDBM"  # BCRYPT_KEY_DATA_BLOB
# CALG_AES_256, CALG_AES_128, CALG_AES_192, CALG_3DES: as they stand in blobs and in key objects.
ALGORITHMS = {b"\x10\x66\0\0": 32, b"\x0e\x66\0\0": 16, b"\x0f\x66\0\0": 24, b"\x03\x66\0\0": 24}
SIZES = (16, 24, 32)
PLAIN_BLOB = b"\x08\x02\0\0"  # PLAINTEXTKEYBLOB, version 2; the algorithm follows
OBJECT_FIELDS = range(0x10, 0x60, 4)  # behind the magic, where versions of Windows put the key's length
REACH = 0x80 + max(SIZES)


def key_object(memory: Memory, at: int) -> Iterator[Candidate]:
    """Yield the key of a CNG key object whose magic stands at ``at``: a length, then as many bytes."""
    data = memory[at : at + REACH].tobytes()
    for place in OBJECT_FIELDS:
        size = int.from_bytes(data[place : place + 4], "little")
        if size in SIZES and place + 4 + size <= len(data):
            yield from _candidate(data[place + 4 : place + 4 + size], at, 64, "KSSM")


def key_data(memory: Memory, at: int) -> Iterator[Candidate]:
    """Yield the key of a ``BCRYPT_KEY_DATA_BLOB``: magic, version 1, length, key."""
    data = memory[at : at + 12 + max(SIZES)].tobytes()
    if len(data) >= 12:
        version, size = struct.unpack_from("<II", data, 4)
        if version == 1 and size in SIZES and 12 + size <= len(data):
            yield from _candidate(data[12 : 12 + size], at, 88, "BCRYPT_KEY_DATA_BLOB")


def algorithm(memory: Memory, at: int) -> Iterator[Candidate]:
    """Yield the key behind an algorithm's number, in a ``PLAINTEXTKEYBLOB`` or in CryptoAPI's key data.

    CryptoAPI's ``key_data`` (algorithm, flags, length, then a pointer) yields the pointer, 4 and 8 bytes,
    as part ``pointer`` and no key: where it points to, only the map of the process knows.
    """
    data = memory[at : at + 24 + max(SIZES)].tobytes()
    size = ALGORITHMS.get(data[:4])
    if size is None or len(data) < 24:
        return
    if memory[max(at - 4, 0) : at].tobytes() == PLAIN_BLOB and data[4:8] == struct.pack("<I", size):
        yield from _candidate(data[8 : 8 + size], at - 4, 88, "PLAINTEXTKEYBLOB")
    flags, length = struct.unpack_from("<II", data, 4)
    if flags <= 7 and length == size and any(data[12:24]):
        yield Candidate(
            finder=NAME,
            kind=KeyKind.RAW,
            data=b"",
            offset=at,
            bits=88,
            why=say("CryptoAPI's key data, which points to a key of {size} bytes", size=size),
            parts={"pointer": data[16:24], "size": struct.pack("<I", size)},
        )


def _candidate(key: bytes, offset: int, bits: int, name: str) -> Iterator[Candidate]:
    if is_noise(key):
        why = say("a {name} structure around it", name=name)
        yield Candidate(finder=NAME, kind=KeyKind.RAW, data=key, offset=offset, bits=bits, why=why)
