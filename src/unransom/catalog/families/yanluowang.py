"""Yanluowang: Sosemanuk, its key under RSA-1024 behind the file.

Files up to 3 GB are locked whole, larger ones in 5 MB of every 200 MB. Whether a megabyte is a million bytes,
what is counted to the next area, and whether every area starts the stream anew is not documented: that is
seen from what becomes plain, as is the beginning of the first area.
"""

from __future__ import annotations

import functools
import itertools

from unransom.catalog.schemes.choose import most_shown
from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.edges import areas_bits
from unransom.catalog.schemes.extents import Behind, Repeat, Whole
from unransom.catalog.schemes.family import Family, FileKey, Locked, Mark, Plan
from unransom.catalog.schemes.layout import Field, Tail
from unransom.catalog.schemes.plans import stream_plan
from unransom.catalog.schemes.stream_secret import opened
from unransom.core.keys import KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span

TAIL = Tail((Field("blob", 128, random=True),), wrapped="blob")
CIPHER = Cipher("sosemanuk")
MEGABYTES = (1_000_000, 1 << 20)
LARGE = 3000, 3072  # megabytes up to which a file is locked whole
ON, STEPS = 5, (200, 205)  # megabytes locked, and from one area to the next


def read(locked: Locked) -> Mark | None:
    """Return a weak mark: the tail looks random, and all of a file that is not large."""
    mark = TAIL(locked)
    if mark is None or mark.plain_size is None:
        return None
    whole = [Span(0, mark.plain_size)] if mark.plain_size <= LARGE[0] * MEGABYTES[0] else []
    if areas_bits(locked, whole, mark.plain_size) is None:
        return None
    return Mark(1, mark.fields, plain_size=mark.plain_size, wrapped=mark.wrapped)


def plan(locked: Locked, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the whole file, or the areas that the content speaks for."""
    size = mark.plain_size or 0
    whole = functools.partial(stream_plan, size, Whole(), CIPHER, key, anew=False)
    least, most = (count * megabyte for count, megabyte in zip(LARGE, MEGABYTES, strict=True))
    if size <= least:
        return whole()
    makes = [] if size > most else [whole]
    for megabyte, step, anew in itertools.product(MEGABYTES, STEPS, (False, True)):
        areas = Repeat(on=ON * megabyte, off=(step - ON) * megabyte)
        for first in (0, step - ON):
            late = Behind(first * megabyte, areas)
            makes.append(functools.partial(stream_plan, size, late, CIPHER, key, anew=anew))
    return most_shown(locked, makes)


FAMILY = Family(
    name="yanluowang",
    title="Yanluowang",
    extensions=(r"\.(?i:yanluowang)",),
    notes=(r"(?i)readme\.txt",),
    read=read,
    takes=(KeyKind.RSA, KeyKind.RAW),
    unwrap=opened,
    plan=plan,
    wanted=say("the RSA-1024 private key of the build, or the file's Sosemanuk key, 32 bytes"),
    references=(
        "https://www.techtarget.com/searchsecurity/news/252516152/Kaspersky-releases-decryptor-for-Yanluowang-ransomware",
        "https://lists.immunityinc.com/pipermail/mart/2022-April/000204.html",
    ),
    limitations=(
        "What the wrapped key holds besides the key, and its padding, is not documented: the usual ways are "
        "tried, the IV is zero where none is there. No real file was at hand.",
        "Which parts of files above 3 GB are locked is seen from the content, where it is not compressed.",
    ),
)
