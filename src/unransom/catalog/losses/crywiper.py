"""CryWiper: files are overwritten with pseudo-random bytes."""

from unransom.catalog.formats.identify import by_name
from unransom.catalog.losses._evidence import is_random
from unransom.catalog.losses.loss import Clues, Loss, Rule
from unransom.catalog.schemes.family import Locked
from unransom.core.messages import say

EXTENSION = r"\.CRY"
HEAD = 4096


def judge(locked: Locked, clues: Clues) -> Loss | None:
    """Warn of random files with CryWiper's extension: overwritten and encrypted bytes look the same."""
    head = locked.read_at(0, HEAD)
    if len(head) < HEAD or not by_name(clues.without(EXTENSION)) or not is_random(head):
        return None
    why = say(
        "CryWiper overwrites files with random bytes and asks for money all the same: ask for a file of your"
        " choice to be opened before anything else"
    )
    return Loss(bits=0, why=why)


RULE = Rule(
    name="crywiper",
    title="CryWiper (.CRY)",
    references=("https://www.kaspersky.com/blog/crywiper-pseudo-ransomware/46480/",),
    judge=judge,
    limitations=("A warning only: other lockers whose files can be opened have used this extension, too.",),
)
