"""Magniber of 2023: AES-256-CBC over the whole file, a key for every file under RSA-2048.

Tail, 256 bytes: the blob (PKCS #1 v1.5, little-endian) with the key of 32 bytes, of which every second
byte is the IV. The last block is padded as PKCS #7 says.
"""

from __future__ import annotations

from unransom.catalog.schemes.family import BadMarkError, Family, FileKey, Locked, Mark, Plan, Unlock
from unransom.catalog.schemes.layout import Field, Tail
from unransom.catalog.schemes.padding import PADDING_BITS, padding_size
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.crypto import rsa
from unransom.crypto.ciphers.aes import BLOCK, AesCbc
from unransom.crypto.noise import is_noise

TAIL = Tail((Field("blob", 256),), wrapped="blob")
KEY_SIZE = 32
PKCS1_BITS = 24  # two bytes of padding and a zero at the place that the length demands
SIZE_BITS = 4  # of a size that whole blocks leave


def read(locked: Locked) -> Mark | None:
    """Return a weak mark: whole blocks, and a tail that looks random."""
    mark = TAIL(locked)
    if mark is None or not mark.plain_size or mark.plain_size % BLOCK or not is_noise(mark.fields["blob"]):
        return None
    end = locked.read_at(max(mark.plain_size - 2 * BLOCK, 0), min(mark.plain_size, 2 * BLOCK))
    return Mark(bits=SIZE_BITS, fields={**mark.fields, "end": end}, wrapped=mark.wrapped)


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open the blob; what it holds must be a key, and give a padding at the end of the file."""
    secret = rsa.decrypt_pkcs1(key.data, mark.fields["blob"], "little")
    if secret is None or len(secret) != KEY_SIZE:
        return None
    iv = secret[::2]
    padding = padding_size((iv + mark.fields["end"])[-2 * BLOCK :], secret)
    if padding is None:
        return None
    parts = {"key": secret, "iv": iv, "padding": bytes([padding])}
    return FileKey(parts, PKCS1_BITS + PADDING_BITS, say("padding and length of the RSA message"))


def plan(locked: Locked, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the whole file.

    Raises:
        BadMarkError: There are no whole blocks.
    """
    del mark
    stored, padding = locked.size - TAIL.size, key.parts["padding"][0]
    if stored < BLOCK or stored % BLOCK or padding > BLOCK:
        raise BadMarkError(say("the locked part is no whole number of AES blocks"))
    cipher = AesCbc(key.parts["key"], key.parts["iv"])
    return Plan(stored - padding, iter([Unlock(0, stored, cipher)]))


FAMILY = Family(
    name="magniber",
    title="Magniber",
    notes=(r"(?i)readme\.html?", r"(?i)read_me\.html?"),
    read=read,
    takes=(KeyKind.RSA,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the RSA-2048 private key of the build"),
    references=("https://github.com/rivitna/Malware/tree/main/Magniber",),
    limitations=(
        "Without a key only whole blocks and a random tail are to be seen; extensions are the victims' own.",
        "The AES-128 versions of 2017 and 2018 are not opened.",
    ),
)
