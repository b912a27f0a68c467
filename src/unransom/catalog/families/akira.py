"""Akira of 2023 on Windows: ChaCha8, RSA-4096, the whole file, its beginning or spots of it.

The tail is Conti's. Modes: 0 whole, for the files of virtual machines; 1 the first percent of files up
to 2,000,000 bytes; 2 chunks of larger ones. The chunks of mode 2 overlap from 56 percent on.
"""

from __future__ import annotations

from unransom.catalog.schemes import conti
from unransom.catalog.schemes.family import Family
from unransom.core.keys import KeyKind
from unransom.core.messages import say

FULL, PART, SPOT = 0, 1, 2
MODES = {FULL: "full", PART: "part", SPOT: "spot"}


def _chunks(mode: int, size: int, percent: int) -> tuple[list[int], int]:
    """Return where the chunks start and the bytes of each."""
    if mode == FULL:
        return [0], size
    share = size * percent // 100
    if mode == PART:
        return [0], share
    parts, count = (3, 2) if percent < 50 else (5, 4)
    length = share // parts
    step = (size - length * count) // parts
    return [index * step for index in range(count)], length


SCHEME = conti.Chunked(MODES, _chunks)
FAMILY = Family(
    name="akira",
    title="Akira (2023, Windows)",
    extensions=(r"\.(?i:akira)",),
    notes=(r"(?i)akira_readme\.txt",),
    read=SCHEME.read,
    takes=(KeyKind.RSA,),
    unwrap=conti.UNWRAP,
    plan=SCHEME.plan,
    wanted=say("the RSA-4096 private key of the campaign"),
    references=("https://github.com/rivitna/Malware/tree/main/Akira",),
    limitations=(
        "Files of the first Akira for Linux are not recognised.",
        "Full and spot mode follow a public decryptor; only part mode was seen in a real file.",
    ),
)
