"""Thanatos: AES-256-CBC over the whole file with a zero IV; the key is the SHA-256 of 20 digits.

The digits are drawn with the C library's random numbers from the milliseconds that Windows had been up,
for every file anew, and thrown away: a search finds them. Nothing is added but PKCS #7 padding.
"""

from __future__ import annotations

import hashlib

from unransom.catalog.schemes.family import BadMarkError, Family, FileKey, Locked, Mark, Plan, Unlock
from unransom.catalog.schemes.padding import PADDING_BITS, padding_size
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.crypto.ciphers.aes import BLOCK, AesCbc

DIGITS, KEY_SIZE = 20, 32
SIZE_BITS = 4  # of a size that whole blocks leave


def read(locked: Locked) -> Mark | None:
    """Return a weak mark: whole blocks."""
    if not locked.size or locked.size % BLOCK:
        return None
    end = locked.read_at(max(locked.size - 2 * BLOCK, 0), 2 * BLOCK)
    named = not locked.name or FAMILY.original_name(locked.name) is not None
    return Mark(bits=SIZE_BITS, fields={"end": end}, numbers={"named": named})


def secret(digits: bytes) -> bytes:
    """Return the AES key that Windows derives from the text of a password: its SHA-256."""
    return hashlib.sha256(digits).digest()


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Take the digits, or the AES key; the padding at the end of the file must hold.

    With the key alone a file that is not called like Thanatos' is like one of any home-made locker.
    """
    data = key.data
    if len(data) == DIGITS and data.isdigit():
        data = secret(data)
    elif len(data) != KEY_SIZE or not mark.numbers["named"]:
        return None
    padding = padding_size((bytes(BLOCK) + mark.fields["end"])[-2 * BLOCK :], data)
    if padding is None:
        return None
    return FileKey({"key": data, "padding": bytes([padding])}, PADDING_BITS, say("PKCS #7 padding"))


def plan(locked: Locked, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the whole file.

    Raises:
        BadMarkError: It is no whole number of blocks.
    """
    del mark
    if locked.size % BLOCK:
        raise BadMarkError(say("the locked part is no whole number of AES blocks"))
    cipher = AesCbc(key.parts["key"], bytes(BLOCK))
    return Plan(locked.size - key.parts["padding"][0], iter([Unlock(0, locked.size, cipher)]))


FAMILY = Family(
    name="thanatos",
    title="Thanatos",
    extensions=(r"\.THANATOS",),
    notes=(r"(?i)readme\.txt",),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the 20 digits that the file's key is the SHA-256 of, or the AES-256 key"),
    references=("https://github.com/Cisco-Talos/ThanatosDecryptor",),
    limitations=(
        "The file carries no mark: without its extension the family shows only by a key that opens it.",
        "Held to files made after a public decryptor; no real file was at hand.",
    ),
)
