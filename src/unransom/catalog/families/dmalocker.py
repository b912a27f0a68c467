"""DMA Locker: AES-256-ECB over 45 chunks and the rest of a file, up to a billion bytes of it.

The file begins with "!DMALOCK" and 128 bytes with the wrapped key. Bytes behind the last whole block of
a chunk stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.schemes.extents import each_piece
from unransom.catalog.schemes.family import Family, FileKey, Locked, Mark, Plan
from unransom.catalog.schemes.layout import Field, Head, Magic
from unransom.catalog.schemes.wraps import RunKey
from unransom.core.keys import KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.crypto.ciphers.aes import BLOCK, AesEcb

HEAD = Head((Magic(b"!DMALOCK".hex()), Field("wrapped", 128, random=True)), wrapped="wrapped")
CHUNKS = 45
MOST = 1_000_000_000  # bytes that are locked
KEY_SIZE = 32


def spans(size: int) -> Iterator[Span]:
    """Yield what is locked of an original of ``size`` bytes: the whole blocks of each chunk."""
    locked = min(size, MOST)
    length = locked // CHUNKS
    starts = [index * length for index in range(CHUNKS + 1)]
    for start, end in zip(starts, (*starts[1:], locked), strict=True):
        whole = (end - start) // BLOCK * BLOCK
        if whole:
            yield Span(start, start + whole)


def plan(locked: Locked, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the chunks behind the head."""
    del mark
    size = locked.size - HEAD.size
    cipher = AesEcb(key.parts["key"])
    return Plan(size, each_piece(size, spans(size), lambda _: cipher, HEAD.size))


FAMILY = Family(
    name="dmalocker",
    title="DMA Locker",
    read=HEAD,
    takes=(KeyKind.RAW,),
    unwrap=RunKey({"key": (0, KEY_SIZE)}, sizes=(KEY_SIZE,)),
    plan=plan,
    wanted=say("the AES-256 key of the victim, 32 characters or bytes"),
    references=("https://github.com/hasherezade/decryptors_archive/tree/master/dma_unlocker",),
    limitations=(
        "The padding of the wrapped key is not documented: the RSA private key itself is of no use here.",
        "Versions 3 and 4 have longer heads and are not opened.",
    ),
)
