"""Avaddon: AES-256-CBC with a zero IV over the first MiB, one key per run.

Behind the file's bytes, which may be padded, stand 512 bytes that identify the victim, and 24 bytes:
u64 the original's size, 8 bytes, u32 signature, 4 bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.family import Family, FileKey, Keep, Mark, Piece, Plan, Unlock
from unransom.catalog.schemes.layout import Field, Number, Tail
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.crypto.ciphers.aes import BLOCK
from unransom.crypto.noise import is_noise

TAIL = Tail(
    (Field("victim", 512), Number("size", 8), Field("between", 8), Field("signature", 4), Field("end", 4)),
    wrapped="victim",
)
LOCKED = 1 << 20  # bytes at the beginning
PADDING = 0x2000  # bytes that are locked at once: there is less padding than that
BITS = 64 - 13  # of the size, given the file's
SMALL_BITS = 32  # of a size that may be as small as 1: files are full of small numbers
SAMPLE = 4096  # bytes that must look random
KEY_SIZE = 32
CIPHER = Cipher("aes-cbc")


def read(locked: Reader) -> Mark | None:
    """Return the mark: the original's size must agree with the file's, and its beginning look random."""
    mark = TAIL(locked)
    if mark is None or mark.plain_size is None:
        return None
    stored, size = mark.plain_size, mark.numbers["size"]
    if not 0 < size <= stored < size + PADDING or min(stored, LOCKED) % BLOCK:  # zeros are no size
        return None
    # Filled up neither to a block nor to what is locked at once.
    if stored - size > BLOCK and stored % PADDING:
        return None
    if not is_noise(locked.read_at(0, min(stored, SAMPLE))):
        return None
    return Mark(
        bits=BITS if stored > PADDING else SMALL_BITS,
        fields=mark.fields,
        numbers={**mark.numbers, "stored": stored},
        plain_size=size,
        wrapped=mark.wrapped,
    )


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Take the AES key of the run. It proves nothing by itself."""
    del mark
    return FileKey({"key": key.data, "iv": bytes(BLOCK)}) if len(key.data) == KEY_SIZE else None


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the beginning, keep the rest."""
    del locked
    return Plan(mark.numbers["size"], _pieces(mark.numbers["stored"], key))


def _pieces(stored: int, key: FileKey) -> Iterator[Piece]:
    yield Unlock(0, min(stored, LOCKED), CIPHER.start(key))
    if stored > LOCKED:
        yield Keep(LOCKED, stored - LOCKED)


FAMILY = Family(
    name="avaddon",
    title="Avaddon",
    extensions=(r"\.(?i:avdn)", r"\.(?=[^.]*[A-E])(?=[^.]*[a-e])[A-Ea-e]{8,10}"),
    notes=(r"(?i)[A-Za-z0-9]+_readme_?\.txt", r"\d+-readme\.html"),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the AES-256 key of the run, 32 bytes, as the memory of the locker's process holds it"),
    references=("https://arxiv.org/abs/2102.04796", "https://github.com/JavierYuste/AvaddonDecryptor"),
    limitations=("The tail proves no key: a key is proven on files whose format is known.",),
)
