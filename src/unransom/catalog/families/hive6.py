"""Hive v6: nine XChaCha20 ciphers by turns of 512 bytes over everything behind a marker in the head."""

from unransom.catalog.schemes.family import Family
from unransom.catalog.schemes.hive import TAKES, ByTurns, Marker, unwrap
from unransom.core.messages import say
from unransom.core.spans import Span

MARKER = Marker(0x3E, bytes.fromhex("6b5b59d507836e28a251f33bda52"))

FAMILY = Family(
    name="hive6",
    title="Hive v6",
    notes=(r"HOW_TO_DECRYPT\.txt",),
    read=MARKER,
    takes=TAKES,
    unwrap=unwrap,
    plan=ByTurns(MARKER, lambda size: [Span(0, size)] if size else []),
    wanted=say("one of the two RSA-5120 private keys of the build"),
    references=("https://github.com/rivitna/Malware/tree/main/Hive/hive_v6",),
    limitations=("Only the marker of one build is known.",),
)
