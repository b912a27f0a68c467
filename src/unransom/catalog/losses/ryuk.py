"""Ryuk: the attackers' own decryptor cuts the last byte off large files."""

import re

from unransom.catalog.losses.loss import Clues, Loss, Rule
from unransom.catalog.schemes.family import Locked
from unransom.core.messages import say

LARGE = 57_000_000  # bytes from which a count of blocks stands beside the marker
TAIL = 512
MARKER = re.compile(rb"HERMES\D{0,8}\d{1,4}|\d{1,4}\D{0,8}HERMES")


def judge(locked: Locked, clues: Clues) -> Loss | None:
    """Warn of large files that Ryuk locked in part."""
    del clues
    if locked.size <= LARGE or not MARKER.search(locked.read_at(locked.size - TAIL, TAIL)):
        return None
    why = say(
        "Ryuk's own decryptor cuts the last byte off such files and deletes the locked ones: keep copies of"
        " these before anything opens them"
    )
    return Loss(bits=0, why=why)


RULE = Rule(
    name="ryuk",
    title="Ryuk, files above 57 MB",
    references=("https://www.emsisoft.com/en/blog/35023/bug-in-latest-ryuk-decryptor-may-cause-data-loss/",),
    judge=judge,
    limitations=("A warning only: the byte is lost to the attackers' decryptor, not to the locker.",),
)
