"""Hive v6: nine XChaCha20 ciphers by turns of 512 bytes over everything behind a marker in the head."""

from unransom.catalog.schemes.family import Family
from unransom.catalog.schemes.hive import HIVE6, TAKES, ByTurns, unwrap
from unransom.core.messages import say
from unransom.core.spans import Span

FAMILY = Family(
    name="hive6",
    title="Hive v6",
    notes=(r"HOW_TO_DECRYPT\.txt",),
    read=HIVE6,
    takes=TAKES,
    unwrap=unwrap,
    plan=ByTurns(HIVE6, lambda size: [Span(0, size)] if size else []),
    wanted=say("one of the two RSA-5120 private keys of the build"),
    references=("https://github.com/rivitna/Malware/tree/main/Hive/hive_v6",),
    limitations=("Only the marker of one build is known.",),
)
