"""Azov: every second 666 bytes are overwritten with noise, up to 4 GiB."""

from unransom.catalog.losses._evidence import is_random
from unransom.catalog.losses.loss import Clues, Loss, Rule, Stripes
from unransom.catalog.schemes.edges import edge_bits
from unransom.catalog.schemes.family import Locked
from unransom.core.messages import say
from unransom.crypto.noise import is_noise

EXTENSION = r"\.azov"
BLOCK = 666
PERIOD = 2 * BLOCK
END = 1 << 32  # nothing behind is overwritten
LOOKED_AT = 64  # periods
EQUAL = 3  # blocks with the same bytes


def judge(locked: Locked, clues: Clues) -> Loss | None:
    """Tell every second block, by the edges of the noise or by noise that is the same in each block."""
    end = min(locked.size, END)
    count = (end + BLOCK) // PERIOD
    if not clues.without(EXTENSION) or count < EQUAL:
        return None
    why = say(
        "Azov overwrites every second 666 bytes with noise that depends on nothing: there is no key for them"
    )
    parts = (Stripes(0, BLOCK, PERIOD, count),)
    return Loss(bits=_edge_bits(locked, count) or _repeated_bits(locked), why=why, parts=parts)


def _edge_bits(locked: Locked, count: int) -> int:
    """Return the bits of the edges of the noise, 0 where what ought to be noise is not."""
    starts = range(0, min(count, LOOKED_AT) * PERIOD, PERIOD)
    noise = [locked.read_at(at, BLOCK) for at in starts]
    if not all(is_noise(each) for each in noise) or not is_random(b"".join(noise)):
        return 0
    bits = sum(edge_bits(locked, at, PERIOD, begins=True) for at in starts)
    bits += sum(edge_bits(locked, at + BLOCK, PERIOD, begins=False) for at in starts)
    return int(bits)


def _repeated_bits(locked: Locked) -> int:
    """Return the bits of blocks that are the same while those between them are not."""
    data = locked.read_at(0, EQUAL * PERIOD)
    noise = {data[at : at + BLOCK] for at in range(0, EQUAL * PERIOD, PERIOD)}
    kept = {data[at : at + BLOCK] for at in range(BLOCK, EQUAL * PERIOD, PERIOD)}
    return (EQUAL - 1) * 8 * BLOCK if len(noise) == 1 and noise.isdisjoint(kept) and len(kept) > 1 else 0


RULE = Rule(
    name="azov",
    title="Azov wiper (.azov)",
    references=(
        "https://research.checkpoint.com/2022/"
        "pulling-the-curtains-on-azov-ransomware-not-a-skidsware-but-polymorphic-wiper/",
    ),
    judge=judge,
    limitations=(
        "Where the original is compressed its own bytes look like noise, too: then it is a warning.",
        "The bytes between are the original's.",
    ),
)
