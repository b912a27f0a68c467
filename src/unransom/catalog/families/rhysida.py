"""Rhysida: AES-256-CTR with a little-endian counter, key and counter each in a block of RSA-4096.

Tail, from the end: u32 number of the way of locking, u32 bytes of a block, the block, u32 bytes of another
block, that block. They hold key and counter, padded by OAEP. Files up to 1 MiB are locked whole.
"""

from __future__ import annotations

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.family import BadMarkError, Family, FileKey, Locked, Mark, Plan, Unlock
from unransom.catalog.schemes.layout import Field, Number, Tail
from unransom.catalog.schemes.wraps import OAEP
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.crypto import rsa

BLOB = 512  # bytes of a block of RSA-4096
TAIL = Tail(
    (
        Field("first", BLOB, random=True),
        Number("first size", 4, values=(BLOB,)),
        Field("second", BLOB, random=True),
        Number("second size", 4, values=(BLOB,)),
        Number("way", 4, most=255),
    ),
    wrapped="first",
)
CIPHER = Cipher("aes-ctr", order="little")
KEY, COUNTER = 32, 16  # bytes
OAEP_BITS = 128
SMALL = 1 << 20  # bytes up to which all of a file is locked


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open both blocks, with whichever hash the padding has, or take key and counter themselves."""
    if key.kind is KeyKind.RSA:
        found = {
            len(message): message for name in ("first", "second") if (message := _opened(mark, name, key))
        }
        if found.keys() != {KEY, COUNTER}:
            return None
        return FileKey(
            {"key": found[KEY], "iv": found[COUNTER]}, OAEP_BITS, say("the padding of the wrapped key")
        )
    if len(key.data) != KEY + COUNTER:
        return None
    return FileKey({"key": key.data[:KEY], "iv": key.data[KEY:]})


def _opened(mark: Mark, name: str, key: Key) -> bytes | None:
    """Return what a block holds, None where the private key is another one."""
    messages = (rsa.decrypt_oaep(key.data, mark.fields[name], kind, "big") for kind in OAEP.values())
    return next((message for message in messages if message is not None), None)


def plan(locked: Locked, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the whole file.

    Raises:
        BadMarkError: It is larger than those of which it is known what is locked.
    """
    del locked
    size = mark.plain_size or 0
    if size > SMALL:
        raise BadMarkError(say("it is not documented which parts of larger files are locked"))
    return Plan(size, iter([Unlock(0, size, CIPHER.start(key))]))


FAMILY = Family(
    name="rhysida",
    title="Rhysida",
    extensions=(r"\.(?i:rhysida)",),
    notes=(r"(?i)criticalbreachdetected\.pdf",),
    read=TAIL,
    takes=(KeyKind.RSA, KeyKind.RAW),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the file's AES-256 key and counter, 48 bytes, or the RSA-4096 private key of the victim"),
    references=(
        "https://arxiv.org/abs/2402.06440",
        "https://sigreturn.com/blog/rhysida-analysis-decryption/",
    ),
    limitations=(
        "Which parts of files above 1 MiB are locked is not documented: those are not opened.",
        "The hash of the padding is not documented: all usual ones are tried.",
        "The PowerShell version was not at hand.",
    ),
)
