"""WhisperGate: a file is replaced by one MiB of the byte 0xCC."""

from unransom.catalog.formats.identify import by_name, extension_of
from unransom.catalog.losses._evidence import is_filled
from unransom.catalog.losses.loss import Clues, Loss, Rule
from unransom.catalog.schemes.family import Locked
from unransom.core.messages import say

SIZE = 1 << 20
FILLING = 0xCC
EXTENSION = 4  # characters, random


def judge(locked: Locked, clues: Clues) -> Loss | None:
    """Tell files of exactly that size and filling, with an extension that no format has."""
    if locked.size != SIZE or len(extension_of(clues.path)) != EXTENSION or by_name(clues.path):
        return None
    if not is_filled(locked, FILLING):
        return None
    why = say("WhisperGate replaced it by one MiB of the byte CC: nothing of the original is left")
    return Loss(bits=8 * SIZE, why=why, whole=True)


RULE = Rule(
    name="whispergate",
    title="WhisperGate file corrupter",
    references=(
        "https://www.microsoft.com/en-us/security/blog/2022/01/15/"
        "destructive-malware-targeting-ukrainian-organizations/",
    ),
    judge=judge,
    limitations=("Its extension must have four characters, and belong to no format that is known.",),
)
