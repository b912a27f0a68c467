"""DeadBolt (on QNAP and Asustor storage): AES-128-CBC over the whole file, with one key per victim.

Tail, 128 bytes: "DEADBOLT", u64 bytes of the original, identifier of the victim 16, IV 16, SHA-256 of the
victim's key, SHA-256 of the master key, 16 zeros. A victim's key is the SHA-256 of the master key and
the identifier, cut to 16 bytes. The original is filled up with zeros to whole blocks.
"""

from __future__ import annotations

import hashlib

import msgspec

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.family import Family, FileKey, Locked, Mark
from unransom.catalog.schemes.layout import Field, Magic, Number, Tail
from unransom.catalog.schemes.plans import Behind
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.crypto.ciphers.aes import BLOCK

TAIL = Tail(
    (
        Magic(b"DEADBOLT".hex()),
        Number("size", 8),
        Field("victim", 16),
        Field("iv", 16),
        Field("hash", 32),
        Field("master", 32),
        Magic(bytes(16).hex()),
    ),
    wrapped="hash",
    campaign="victim",
)
SIZE_BITS = 60  # of the size, the file's leaves 16 values
KEY_SIZE = 16


def read(locked: Locked) -> Mark | None:
    """Return the mark: the size in the tail must agree with the file's."""
    mark = TAIL(locked)
    if mark is None or mark.plain_size is None:
        return None
    size = mark.numbers["size"]
    if size + -size % BLOCK != mark.plain_size:
        return None
    return msgspec.structs.replace(mark, bits=mark.bits + SIZE_BITS, plain_size=size)


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Take the victim's key, or the master key that it follows from: the tail has the hashes of both."""
    if len(key.data) != KEY_SIZE:
        return None
    secret = key.data
    if hashlib.sha256(secret).digest() == mark.fields["master"]:
        secret = hashlib.sha256(secret + mark.fields["victim"]).digest()[:KEY_SIZE]
    if hashlib.sha256(secret).digest() != mark.fields["hash"]:
        return None
    parts = {"key": secret, "iv": mark.fields["iv"]}
    return FileKey(parts, 8 * len(mark.fields["hash"]), say("the file holds the hash of the key"))


FAMILY = Family(
    name="deadbolt",
    title="DeadBolt",
    extensions=(r"\.(?i:deadbolt)",),
    notes=(r"!!!_IMPORTANT_README_WHERE_ARE_MY_FILES_!!!\.txt",),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=unwrap,
    plan=Behind(Cipher("aes-cbc"), 0),
    wanted=say("the AES-128 key of the victim, 32 hexadecimal digits, or the master key"),
    references=("https://github.com/rivitna/Malware/tree/main/DeadBolt",),
    limitations=("Held to files made after a public demonstration of the layout; no real file was at hand.",),
)
