"""Sicarii: early builds lock with a key pair that they make and forget."""

from unransom.catalog.losses.loss import Clues, Loss, Rule
from unransom.catalog.schemes.family import Locked
from unransom.core.messages import say

EXTENSION = r"\.(?i:sicarii)"


def judge(locked: Locked, clues: Clues) -> Loss | None:
    """Warn of files with Sicarii's extension: which build locked them is not written in them."""
    if not locked.size or not clues.without(EXTENSION):
        return None
    why = say(
        "builds of Sicarii before 2026-02 make a key pair of their own and forget the private key: no one can"
        " open what they locked, unless a memory dump of the running locker holds the key"
    )
    return Loss(bits=0, why=why)


RULE = Rule(
    name="sicarii",
    title="Sicarii, early builds",
    references=(
        "https://www.halcyon.ai/ransomware-alerts/alert-sicarii-ransomware-encryption-key-handling-defect",
        "https://research.checkpoint.com/2026/sicarii-ransomware-truth-vs-myth/",
    ),
    judge=judge,
    limitations=("A warning only: later builds keep the key.",),
)
