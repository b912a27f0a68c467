"""Nitrogen on ESXi: the program overwrites a part of the public key before it uses it."""

from unransom.catalog.losses.loss import Clues, Loss, Rule
from unransom.catalog.schemes.family import Locked
from unransom.core.messages import say

EXTENSION = r"\.(?i:vmdk|vmem|vmsn|vmsd|vmx|vmxf|vswp|nvram|vhd|vhdx|ova|iso|log)\.(?i:nba)"


def judge(locked: Locked, clues: Clues) -> Loss | None:
    """Warn of files of virtual machines with Nitrogen's extension: they do not hold the key that was used."""
    if not locked.size or not clues.without(EXTENSION):
        return None
    why = say(
        "Nitrogen's program for ESXi damages its public key before it locks with it, so that nobody has the"
        " private key: do not pay before the locker's program has been looked at"
    )
    return Loss(bits=0, why=why)


RULE = Rule(
    name="nitrogen",
    title="Nitrogen for VMware ESXi",
    references=("https://www.coveware.com/blog/2026/2/2/nitrogen-ransomware-esxi-malware-has-a-bug",),
    judge=judge,
    limitations=("A warning only: the damaged public key is in the locker's program, not in the files.",),
)
