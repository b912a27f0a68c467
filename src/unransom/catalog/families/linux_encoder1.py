"""Linux.Encoder.1 (.encrypted): AES-128-CBC over the whole file.

Head: u32 the original's file mode, u32 length of the RSA blob, the blob, the IV. The lower half of the
IV's last byte is overwritten, before it is used, with the bytes in the last block; 0 stands for all 16.
"""

from __future__ import annotations

import struct

from unransom.catalog.schemes.family import Family, FileKey, Mark, Plan, Unlock
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.crypto.ciphers.aes import BLOCK, AesCbc

BLOBS = (128, 256, 512)  # bytes of an RSA blob
REGULAR = 0o100000  # a regular file, in the upper four bits of a file mode
BITS = 20 + 30 + 4  # file mode and its type; one of three lengths; whole blocks
KEY_SIZE = 16


def read(locked: Reader) -> Mark | None:
    """Return the mark: a file mode, the length of a blob, an IV, and whole blocks to the end."""
    numbers = locked.read_at(0, 8)
    if len(numbers) < 8:
        return None
    mode, length = struct.unpack("<II", numbers)
    start = 8 + length + BLOCK
    if mode & ~0o7777 != REGULAR or length not in BLOBS or locked.size < start:
        return None
    if (locked.size - start) % BLOCK:
        return None
    blob, iv = locked.read_at(8, length), locked.read_at(8 + length, BLOCK)
    missing = -(iv[-1] & 15) % BLOCK if locked.size > start else 0
    return Mark(
        bits=BITS,
        fields={"blob": blob, "iv": iv},
        numbers={"mode": mode, "start": start},
        plain_size=locked.size - start - missing,
        wrapped=blob,
    )


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Take the AES key of the file. It proves nothing by itself."""
    return FileKey({"key": key.data, "iv": mark.fields["iv"]}) if len(key.data) == KEY_SIZE else None


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt everything behind the head."""
    start = mark.numbers["start"]
    cipher = AesCbc(key.parts["key"], key.parts["iv"])
    return Plan(mark.plain_size or 0, iter([Unlock(start, locked.size - start, cipher)]))


FAMILY = Family(
    name="linux_encoder1",
    title="Linux.Encoder.1",
    extensions=(r"\.encrypted",),
    notes=(r"(?i)readme_for_decrypt\.txt",),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the AES-128 key of the file, 16 characters that follow from the time of the attack"),
    references=("https://github.com/eugenekolo/linux-ransomware-decrypter",),
    limitations=(
        "The head proves no key: a key is proven on files whose format is known.",
        "How the RSA blob is padded is not published, so the attacker's RSA key is not taken.",
    ),
)
