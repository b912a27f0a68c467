"""Ordinypt (HSDFSDCrypt): a file is replaced by random letters and digits under a random name."""

import re
import string

import numpy as np

from unransom.catalog.losses.loss import Clues, Loss, Rule
from unransom.catalog.schemes.family import Locked
from unransom.core.messages import say

NAME = re.compile(rb"[A-Za-z0-9]{14}")
ALPHABET = (string.ascii_letters + string.digits).encode()
SMALLEST, LARGEST = 8_000, 25_000  # bytes, whatever the original had
SPARED_BITS = 2  # of each byte: 62 values of 256 occur
NEAR = 5 * (2 * (len(ALPHABET) - 1)) ** 0.5  # of chi-square, from its mean


def judge(locked: Locked, clues: Clues) -> Loss | None:
    """Tell files of such a name and size with letters and digits in equal numbers, and nothing else.

    Base64 of encrypted data would have ``+`` and ``/`` as well: of so many characters one in 32.
    """
    if not SMALLEST <= locked.size <= LARGEST or not NAME.fullmatch(clues.path.rpartition(b"/")[2]):
        return None
    data = locked.read_at(0, locked.size)
    if data.strip(ALPHABET) or data.translate(None, ALPHABET):
        return None
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)[list(ALPHABET)]
    expected = len(data) / len(ALPHABET)
    if abs(float(((counts - expected) ** 2).sum()) / expected - (len(ALPHABET) - 1)) > NEAR:
        return None
    why = say("Ordinypt replaced it by random letters and digits: nothing of the original is left")
    return Loss(bits=SPARED_BITS * len(data), why=why, whole=True)


RULE = Rule(
    name="ordinypt",
    title="Ordinypt (HSDFSDCrypt)",
    references=("https://www.gdatasoftware.com/blog/2017/11/30151-ordinypt",),
    judge=judge,
    limitations=("The original's name is gone as well: which file it was, only a manifest can tell.",),
)
