"""Which of several patterns a file was locked by, where nothing in it says so.

Lockers go by the original's extension, or by what they were told when they were started.

Bytes say it for sure: those that only the second pattern locks are plain, or they become plain when
decrypted. Where they look random both times, as compressed files do, the name tells, if it still is the
one that the locker gave. Else the two originals are judged by their formats.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import islice

from unransom.catalog.formats.identify import extension_of, identify
from unransom.catalog.oracle import judge
from unransom.catalog.schemes.assemble import assemble_in_memory, beginning
from unransom.catalog.schemes.family import Keep, Plan, Unlock
from unransom.core.records import Grade
from unransom.core.streams import BytesReader, Reader, Salvage
from unransom.crypto.ciphers.aes import BLOCK
from unransom.crypto.ciphers.at_once import decrypted
from unransom.crypto.noise import is_noise

SAMPLE = 4096  # bytes
SAMPLES = 64
LARGEST = 32 << 20  # bytes of an original that is judged in memory
DECRYPTED = 16 << 20  # bytes of a pattern's beginning that are decrypted to see whether it is the right one
PIECES = 64  # of it
RANK = {Grade.GOOD: 3, Grade.PARTIAL: 2, Grade.UNKNOWN: 1, Grade.BAD: 0}

Make = Callable[[], Plan]


def choose(
    locked: Reader,
    usual: Make,
    listed: Make,
    places: Iterable[int],
    opened: Callable[[int, bytes], bytes],
    extensions: Collection[str],
    name: bytes | None = None,
) -> Plan:
    """Return the plan by which the file was locked.

    Args:
        locked: The locked file.
        usual: Makes the plan for most files.
        listed: Makes the plan for files with one of ``extensions``.
        places: Where ``SAMPLE`` bytes are locked by ``listed`` only.
        opened: Takes such a place and its bytes; returns them decrypted as ``listed`` would.
        extensions: Lower case, without the dot.
        name: The original's, None where the file was renamed since.
    """
    votes = _votes(locked, places, opened)
    if votes == 0 and name:
        votes = 1 if extension_of(name) in extensions else -1
    begins = _extensions(locked, usual) if votes == 0 else frozenset()
    if begins:  # else the key is wrong, or no judge knows the format
        votes = _judged(locked, listed) - _judged(locked, usual)
    if votes == 0:
        votes = 1 if begins & set(extensions) else -1
    return listed() if votes > 0 else usual()


def _votes(locked: Reader, places: Iterable[int], opened: Callable[[int, bytes], bytes]) -> int:
    """Return how many samples speak for the listed pattern, less those that speak against it."""
    votes = 0
    for place in islice(places, SAMPLES):
        sample = locked.read_at(place, SAMPLE)
        if not is_noise(sample):
            votes -= 1
        elif not is_noise(opened(place, sample)):
            votes += 1
    return votes


def _judged(locked: Reader, make: Make) -> int:
    """Return how well the original of a plan holds; 0 where it is too large to be judged here."""
    data = assemble_in_memory(Salvage(locked), make(), LARGEST)
    return RANK[judge(BytesReader(data)).validation.grade] if data is not None else 0


def _extensions(locked: Reader, make: Make) -> frozenset[str]:
    """Return the extensions of the format that the original begins with."""
    found = identify(beginning(Salvage(locked), make()))
    return frozenset(found.format.extensions) if found else frozenset()


def most_shown(locked: Reader, makes: Sequence[Make]) -> Plan:
    """Return the plan whose areas end where they do most often; the first where the content says nothing."""
    shown = [_shown(locked, make()) for make in makes]
    return makes[shown.index(max(shown))]()


def _shown(locked: Reader, plan: Plan) -> tuple[int, int]:
    """Return how many areas end where the plan says, and how many begin there.

    An end is plain behind, and plain before it when decrypted. At a beginning the first block has no byte
    that those behind it have not: what is wrong with CBC's IV is that block only.
    """
    ends, begins, left, end = 0, 0, DECRYPTED, b""
    for piece in islice(plan.pieces, PIECES):
        if isinstance(piece, Unlock):
            left -= piece.length
            if left < 0:
                break
            data = decrypted(piece.cipher, locked.read_at(piece.offset, piece.length))
            end = data[-SAMPLE:]
            begins += set(data[BLOCK:SAMPLE]).issuperset(data[:BLOCK])
        elif isinstance(piece, Keep) and end and piece.length:
            behind = locked.read_at(piece.offset, min(SAMPLE, piece.length))
            ends += not is_noise(behind) and not is_noise(end)
            end = b""
    return ends, begins if ends else 0
