"""VECT 2.0: of the four nonces of a large file only the last one is stored."""

from unransom.catalog.losses._evidence import is_random
from unransom.catalog.losses.loss import Clues, Loss, Rule, Stripes
from unransom.catalog.schemes.edges import edge_bits
from unransom.catalog.schemes.family import Locked
from unransom.core.messages import say

EXTENSION = r"\.vect"
SMALL = 131_072  # bytes of the original up to which it is encrypted in one go
CHUNK = 32_768
CHUNKS = 4
NONCE = 12


def judge(locked: Locked, clues: Clues) -> Loss | None:
    """Tell the three chunks whose nonces are gone; a chunk of zeros was left as it is."""
    size = locked.size - NONCE
    if size <= SMALL or not clues.without(EXTENSION):
        return None
    quarter = size // CHUNKS
    found: list[int] = []
    for start in range(0, CHUNKS * quarter, quarter):
        data = locked.read_at(start, CHUNK)
        if not data.strip(b"\0"):
            continue
        if not is_random(data):
            return None  # it was renamed, and not encrypted
        found.append(start)
    lost = tuple(Stripes(start, CHUNK) for start in found[:-1])
    if not lost:
        return None
    bits = sum(edge_bits(locked, start, quarter, begins=True) for start in found)
    bits += sum(edge_bits(locked, start + CHUNK, quarter, begins=False) for start in found)
    why = say(
        "VECT encrypted {count} parts of 32 KiB, each with a nonce of its own, and stored only the last"
        " nonce: with any key only the last part opens",
        count=len(found),
    )
    return Loss(bits=int(bits), why=why, parts=lost)


RULE = Rule(
    name="vect",
    title="VECT 2.0, files above 128 KiB",
    references=("https://research.checkpoint.com/2026/vect-ransomware-by-design-wiper-by-accident/",),
    judge=judge,
    limitations=(
        "Where the original is compressed its own bytes look encrypted, too: then it is a warning.",
        "What lies between the four parts was never encrypted, and files up to 128 KiB open with the key.",
    ),
)
