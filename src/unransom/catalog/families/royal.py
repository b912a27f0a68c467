"""Royal and its successor BlackSuit: AES-256-CBC over a percentage of every tenth of a file, RSA-4096.

Tail: the RSA blob with key 32 and IV 16, u64 the original's size, u64 percentage; accounts differ in whether
it has 528 bytes or 532. The original is filled up to whole blocks of AES before. Small files, and all of
them where the percentage is 100, are locked whole. Which blocks of a tenth count is not documented to the
byte: that, and whether each area starts anew, is seen from what becomes plain.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from itertools import pairwise, product

import msgspec

from unransom.catalog.schemes.choose import best_held
from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.extents import each_piece
from unransom.catalog.schemes.family import Family, FileKey, Locked, Mark, Plan
from unransom.catalog.schemes.layout import Field, Number, Tail
from unransom.catalog.schemes.stream_secret import opened
from unransom.core.keys import KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.crypto.ciphers.aes import BLOCK, AesCbc
from unransom.crypto.ciphers.at_once import decrypted
from unransom.crypto.noise import is_noise

_PARTS = (Field("blob", 512, random=True), Number("size", 8), Number("percent", 8, most=100))
TAILS = (Tail(_PARTS, wrapped="blob"), Tail((*_PARTS, Field("end", 4)), wrapped="blob"))
SIZE_BITS = 60  # of the original's size, given the file's
CIPHER = Cipher("aes-cbc")
SMALL, LARGE = 5_242_880, 5_245_000  # bytes between which accounts differ on what is locked whole
TENTHS, ALL = 10, 100
SAMPLE = 4096  # bytes


def read(locked: Locked) -> Mark | None:
    """Return the mark: a random blob, the original's size, which the file's must agree with, a percentage."""
    for tail in TAILS:
        mark = tail(locked)
        if mark is None or mark.plain_size is None or not mark.numbers["percent"]:
            continue
        stored, size = mark.plain_size, mark.numbers["size"]
        if size <= stored < size + BLOCK and stored % BLOCK == 0:
            numbers = {**mark.numbers, "stored": stored}
            bits = mark.bits + SIZE_BITS
            return msgspec.structs.replace(mark, bits=bits, numbers=numbers, plain_size=size)
    return None


def ways(size: int, stored: int, percent: int) -> Iterator[list[Span]]:
    """Yield what may be locked of a file, the likeliest first.

    Args:
        size: Bytes of the original.
        stored: Bytes of it in the locked file.
        percent: Share of a large file that is locked.
    """
    whole = [Span(0, stored)] if stored else []
    if size <= LARGE or percent == ALL:
        yield whole
    if size <= SMALL or percent == ALL:
        return
    lengths = (percent * size // 1000, percent // TENTHS * (size // ALL))
    for length in dict.fromkeys(each // BLOCK * BLOCK for each in lengths if each >= BLOCK):
        left = (ALL - percent) * size // 1000
        steps = (
            size // TENTHS,
            size // TENTHS // BLOCK * BLOCK,
            length + left // BLOCK * BLOCK,
            length + left,
        )
        for step in dict.fromkeys(steps):
            yield [Span(at, at + length) for at in range(0, step * TENTHS, step)]


def plan(locked: Locked, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the areas that the content speaks for most; of several those whose original holds best."""
    size, stored = mark.numbers["size"], mark.numbers["stored"]
    every = list(ways(size, stored, mark.numbers["percent"]))
    noise = [_noise(locked, spans, key.parts["key"]) for spans in every]
    order = sorted(range(len(every)), key=noise.__getitem__)
    fitting = [every[index] for index in order if noise[index] == 0] or [every[index] for index in order]
    makes = [
        functools.partial(_made, size, stored, spans, key, anew=anew)
        for spans in fitting
        for anew in _anew(locked, spans, key)
    ]
    return best_held(locked, makes)


def _made(size: int, stored: int, spans: list[Span], key: FileKey, *, anew: bool) -> Plan:
    """Return the plan for areas that each start with the IV, or that one chain goes over."""
    one = CIPHER.start(key)
    return Plan(size, each_piece(stored, spans, lambda _: CIPHER.start(key) if anew else one))


def _noise(locked: Locked, spans: list[Span], key: bytes) -> float:
    """Return the share of noise in what is plain if these areas are locked."""
    blocks = [is_noise(block) for block in _blocks(locked, spans, key) if block]
    return sum(blocks) / max(len(blocks), 1)


def _blocks(locked: Locked, spans: list[Span], key: bytes) -> Iterator[bytes]:
    """Yield what is plain if these areas are locked: blocks at their edges, those inside decrypted."""
    for span in spans:
        yield locked.read_at(max(span.start - BLOCK, 0), min(span.start, BLOCK))
        for at in (span.start + BLOCK, span.end - BLOCK):
            iv, block = locked.read_at(at - BLOCK, BLOCK), locked.read_at(at, BLOCK)
            if span.start < at < span.end:
                yield decrypted(AesCbc(key, iv), block)
        yield locked.read_at(span.end, BLOCK)


def _anew(locked: Locked, spans: list[Span], key: FileKey) -> tuple[bool, ...]:
    """Return whether every area starts with the IV, and not with the last block of the one before it.

    Both answers are returned, the likelier first, where the content of several areas does not tell.

    The first block of what is decrypted with the right one has hardly a byte that those behind it have not.
    """
    fitting = {b"": 0, key.parts["iv"]: 0}
    for (before, span), iv in product(pairwise(spans), fitting):
        first = iv or locked.read_at(before.end - BLOCK, BLOCK)
        data = decrypted(AesCbc(key.parts["key"], first), locked.read_at(span.start, min(SAMPLE, len(span))))
        fitting[iv] += set(data[BLOCK:]).issuperset(data[:BLOCK])
    anew, chained = fitting[key.parts["iv"]], fitting[b""]
    return (False, True) if anew == chained and len(spans) > 1 else (anew > chained,)


FAMILY = Family(
    name="royal",
    title="Royal and BlackSuit",
    aliases=("blacksuit",),
    extensions=(r"\.(?i:royal|royal_w|royal_u|blacksuit)",),
    notes=(r"(?i)readme\.blacksuit\.txt",),
    read=read,
    takes=(KeyKind.RSA, KeyKind.RAW),
    unwrap=opened,
    plan=plan,
    wanted=say("the RSA-4096 private key of the build, or the file's AES-256 key and IV, 48 bytes"),
    references=(
        "https://www.cybereason.com/blog/royal-ransomware-analysis",
        "https://dxc.com/us/en/insights/perspectives/report/dxc-security-threat-intelligence-report/2023/july/"
        "royal-ransomware-how-it-works-and-what-to-look-for",
    ),
    limitations=(
        "Held to vectors after public descriptions; no real file was at hand.",
        "How far the areas are from each other to the byte, and whether each starts the cipher anew, is not "
        "documented: it is seen from the content, of compressed files up to 32 MiB from their checksums.",
        "The padding of the wrapped key is not documented either: the usual ways are tried.",
        "Files whose metadata has another order or length than was described are not recognised.",
    ),
)
