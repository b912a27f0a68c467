"""Rhysida: AES-256-CTR with a little-endian counter, key and counter each in a block of RSA-4096.

Tail, from the end: u32 number of the way of locking, u32 bytes of a block, the block, u32 bytes of another
block, that block. They hold key and counter, padded by OAEP with LibTomCrypt's CHC and the program's name
as label. Up to four areas of 1 MiB are locked, the parts of the file beginning with one each; a file with
smaller parts has fewer, and one up to 1 MiB is locked whole. The stream goes on over all areas.
"""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.extents import pieces
from unransom.catalog.schemes.family import Family, FileKey, Locked, Mark, Plan
from unransom.catalog.schemes.layout import Field, Number, Tail
from unransom.catalog.schemes.wraps import OAEP
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
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
LABELS: tuple[tuple[rsa.OaepHash, bytes], ...] = (
    ("chc", b"Rhysida-0.1"),
    *((kind, b"") for kind in OAEP.values()),  # not seen, but cheap to try
)
AREAS, AREA = 4, 1 << 20


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open both blocks, with whichever hash and label the padding has, or take key and counter themselves."""
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
    blob = mark.fields[name]
    messages = (rsa.decrypt_oaep(key.data, blob, kind, "big", label) for kind, label in LABELS)
    return next((message for message in messages if message is not None), None)


def areas(size: int) -> Iterator[Span]:
    """Yield what is locked of a file of ``size`` bytes."""
    count = AREAS
    while count > 1 and size // count < AREA:
        count -= 1
    step = size // count
    for start in range(0, count * step, step or 1):
        yield Span(start, start + min(AREA, step))


def plan(locked: Locked, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the areas."""
    del locked
    size = mark.plain_size or 0
    return Plan(size, pieces(size, areas(size), CIPHER.start(key)))


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
        "https://github.com/raviyelna/raviyelna.github.io",
    ),
    limitations=(
        "Files above 1 MiB are held to vectors after a public analysis; no real file was at hand.",
        "The PowerShell version was not at hand.",
    ),
)
