"""Files overwritten with zeros by what calls itself ransomware: GermanWiper, and lockers that fail."""

from unransom.catalog.formats.identify import by_name
from unransom.catalog.losses._evidence import is_filled
from unransom.catalog.losses.loss import Clues, Loss, Rule
from unransom.catalog.schemes.family import Locked
from unransom.core.messages import say

SMALLEST = 16  # bytes: fewer zeros may be what a cipher made
GERMANWIPER = r"\.(?=.*[a-z])(?=..*[A-Z])[A-Za-z0-9]{5}"  # a capital that is not the first


def judge(locked: Locked, clues: Clues) -> Loss | None:
    """Tell files of nothing but zeros whose name gives a locker away.

    A cipher would have to make the original's every byte a zero: that many bits speak for the loss.
    """
    if locked.size < SMALLEST or not (clues.locker or _germanwiper(clues)) or not is_filled(locked, 0):
        return None
    why = say("it carries a locker's extension, and every byte of it is zero: there is nothing to decrypt")
    return Loss(bits=8 * locked.size, why=why, whole=True)


def _germanwiper(clues: Clues) -> bool:
    """Return whether five random characters are added to the extension of a format."""
    return bool(by_name(clues.without(GERMANWIPER))) and not by_name(clues.path)


RULE = Rule(
    name="zeroed",
    title="Overwritten with zeros (GermanWiper)",
    references=(
        "https://www.zdnet.com/article/germanwiper-ransomware-hits-germany-hard-destroys-files-asks-for-ransom/",
    ),
    judge=judge,
    limitations=("Files without a locker's extension are left alone: many healthy files hold only zeros.",),
)
