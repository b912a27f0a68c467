"""Files that a locker left without a byte."""

from unransom.catalog.losses.loss import Clues, Loss, Rule
from unransom.catalog.schemes.family import PROVEN, Locked
from unransom.core.messages import say


def judge(locked: Locked, clues: Clues) -> Loss | None:
    """Tell empty files whose name gives a locker away: whatever they held, a key has nothing to work on."""
    if locked.size or not clues.locker:
        return None
    why = say("it carries a locker's extension and is empty: nothing is left in it that a key could open")
    return Loss(bits=PROVEN, why=why, whole=True)


RULE = Rule(
    name="emptied",
    title="Cut off to nothing",
    references=("https://attack.mitre.org/techniques/T1485/",),
    judge=judge,
    limitations=(
        "Files without a locker's extension are left alone: many healthy files are empty.",
        "That the original held anything is not shown.",
    ),
)
