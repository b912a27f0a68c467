"""BlackByte of 2021: AES-128-CBC with one key and IV for all files, and nothing added to them.

Files up to 3 MiB are locked whole, with PKCS #7 padding. Of larger ones the first and the last 1 MiB are,
each from the same IV; 5 MiB of those above 15 MiB, 50 MiB of those above 150 MiB. Key and IV are PBKDF2
of a password; the file forest.png, which the locker fetched, has it under 3DES with a key further behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.padding import PKCS7

from unransom.catalog.schemes.family import (
    Decryptor,
    Family,
    FileKey,
    Keep,
    Mark,
    Piece,
    Plan,
    Unlock,
)
from unransom.catalog.schemes.padding import PADDING_BITS, padding_size
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.crypto.ciphers.aes import BLOCK, AesCbc

MIB = 1 << 20
SMALL = 3 * MIB  # bytes of the largest file that is locked whole
LARGEST_PADDED = SMALL + BLOCK  # bytes: as large as a large file may be, whose end holds no padding
AREAS = ((150 * MIB, 50 * MIB), (15 * MIB, 5 * MIB), (SMALL, MIB))  # above that size, bytes of an area
KEY_SIZE = 16
SEALED, SEALED_SIZE = 0, 40  # the password in forest.png
SECRET, SECRET_SIZE = 1064, 32  # what its key is the MD5 of
SALT, ROUNDS = bytes(range(1, 9)), 1000


def read(locked: Reader) -> Mark | None:
    """Return the weakest of marks: whole blocks in a small file, nothing at all in a large one."""
    size = locked.size
    if size == 0 or (size <= SMALL and size % BLOCK):
        return None
    fields = {"end": locked.read_at(max(size - 2 * BLOCK, 0), 2 * BLOCK)}
    if size <= SMALL:
        return Mark(bits=1, fields=fields, variant="small")
    if size == LARGEST_PADDED:
        return Mark(bits=1, fields=fields, variant="large")
    return Mark(bits=1, plain_size=size, variant="large")


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Take forest.png, or 32 bytes of key and IV, which a small file's padding must not contradict."""
    data = key.data if len(key.data) == KEY_SIZE + BLOCK else _from_picture(key.data)
    if data is None:
        return None
    parts = {"key": data[:KEY_SIZE], "iv": data[KEY_SIZE:]}
    last = (parts["iv"] + mark.fields.get("end", b""))[-2 * BLOCK :]
    size = padding_size(last, parts["key"]) if "end" in mark.fields else None
    if mark.variant == "large" and size != BLOCK:
        return FileKey(parts)
    if size is None:
        return None
    return FileKey({**parts, "padding": bytes([size])}, PADDING_BITS, say("PKCS #7 padding"))


def _from_picture(picture: bytes) -> bytes | None:
    """Return key and IV that follow from forest.png, None where it does not hold a password."""
    secret = picture[SECRET : SECRET + SECRET_SIZE]
    if len(secret) != SECRET_SIZE:
        return None
    key = hashlib.md5(secret, usedforsecurity=False).digest()
    opened = Cipher(TripleDES(key + key[:8]), modes.ECB()).decryptor()  # noqa: S305 what the locker chose
    unpadder = PKCS7(64).unpadder()
    try:
        password = (
            unpadder.update(opened.update(picture[SEALED : SEALED + SEALED_SIZE])) + unpadder.finalize()
        )
    except ValueError:
        return None
    return hashlib.pbkdf2_hmac("sha1", password, SALT, ROUNDS, KEY_SIZE + BLOCK)


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the whole of a small file, beginning and end of a large one."""
    del mark
    size = locked.size
    if "padding" in key.parts:
        return Plan(size - key.parts["padding"][0], iter([Unlock(0, size, _start(key))]))
    area = next(area for above, area in AREAS if size > above)
    return Plan(size, _ends(size, area, key))


def _ends(size: int, area: int, key: FileKey) -> Iterator[Piece]:
    yield Unlock(0, area, _start(key))
    yield Keep(area, size - 2 * area)
    yield Unlock(size - area, area, _start(key))


def _start(key: FileKey) -> Decryptor:
    return AesCbc(key.parts["key"], key.parts["iv"])


FAMILY = Family(
    name="blackbyte1",
    title="BlackByte (2021)",
    extensions=(r"\.blackbyte",),
    notes=(r"(?i)blackbyte_?restoremyfiles\.(hta|txt)",),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the file forest.png that the locker fetched, or the AES-128 key and its IV, 32 bytes"),
    references=(
        "https://github.com/SpiderLabs/BlackByteDecryptor",
        "https://www.trustwave.com/en-us/resources/blogs/spiderlabs-blog/blackbyte-ransomware-pt-1-in-depth-analysis/",
    ),
    limitations=(
        "The file carries no mark: without its extension the family shows only by a key that opens it.",
        "Of large files only the public description was at hand, no real file.",
    ),
)
