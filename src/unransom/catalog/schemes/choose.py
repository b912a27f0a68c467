"""Which of several patterns a file was locked by, where nothing in it says so.

Lockers go by the original's extension, or by what they were told when they were started.

Bytes say it for sure: those that only the second pattern locks are plain, or they become plain when
decrypted. Where they look random both times, as compressed files do, the originals are judged by their
formats. Where that says nothing either, the name tells, if it still is the one that the locker gave.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import islice

import numpy as np

from unransom.catalog.formats.identify import extension_of, identify
from unransom.catalog.oracle import judge
from unransom.catalog.schemes.assemble import assemble_in_memory, beginning
from unransom.catalog.schemes.family import Keep, Plan, Unlock
from unransom.catalog.schemes.replay import Replay, TooLongError
from unransom.core.records import Grade
from unransom.core.streams import BytesReader, Reader, Salvage, chunks
from unransom.crypto.ciphers.aes import BLOCK
from unransom.crypto.ciphers.at_once import decrypted
from unransom.crypto.noise import is_noise

SAMPLE = 4096  # bytes
SAMPLES = 64
LARGEST = 32 << 20  # bytes of an original that is judged in memory
JUDGED = 256 << 20  # bytes of all the originals that are judged for a file
REPLAYED = 2 << 30  # bytes that are decrypted to judge originals which are larger
DECRYPTED = 16 << 20  # bytes of a pattern's beginning that are decrypted to see whether it is the right one
PIECES = 64  # of it
VALUES = 256  # that bytes can have
RANK = {Grade.GOOD: 3, Grade.PARTIAL: 2, Grade.UNKNOWN: 1, Grade.BAD: 0}
SURE = RANK[Grade.GOOD], -VALUES  # a state than which none is better, of content that has bytes of all values

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
    if votes:
        return listed() if votes > 0 else usual()
    says = {extension_of(name)} if name else _extensions(locked, usual)
    return best_held(locked, (listed, usual) if says & set(extensions) else (usual, listed))


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


def _judged(locked: Reader, make: Make) -> tuple[int, int]:
    """Return how well the original of a plan holds; zeros where a part of it cannot be read.

    A few bytes at the end that are decrypted, or left, by mistake break no text, but are of other values
    than its bytes: of two originals in the same state the one with fewer values is better.
    """
    data = assemble_in_memory(Salvage(locked), make(), LARGEST)
    return (0, 0) if data is None else _state(BytesReader(data))


def _state(original: Reader) -> tuple[int, int]:
    """Return the state of an original, and the values that its bytes have, as a negative number."""
    counts = np.zeros(VALUES, np.int64)
    for piece in chunks(original):
        counts += np.bincount(np.frombuffer(piece, np.uint8), minlength=VALUES)
    return RANK[judge(original).validation.grade], -int(np.count_nonzero(counts))


def _best_replayed(locked: Reader, makes: Iterable[Make], first: Make) -> Make:
    """Return what makes the plan whose original holds best, where these are too large for memory.

    The first one where too much had to be decrypted to judge all of them, unless one is good.
    """
    best, held, left = first, (-1, 0), REPLAYED
    for make in makes:
        original = Replay(Salvage(locked), make, left)
        try:
            now = _state(original)
        except TooLongError:
            return best if held[0] == RANK[Grade.GOOD] else first
        left -= original.followed
        if not original.lost and now > held:
            best, held = make, now
        if held == SURE:
            break
    return best


def _extensions(locked: Reader, make: Make) -> frozenset[str]:
    """Return the extensions of the format that the original begins with."""
    found = identify(beginning(Salvage(locked), make()))
    return frozenset(found.format.extensions) if found else frozenset()


def most_shown(locked: Reader, makes: Sequence[Make]) -> Plan:
    """Return the plan whose areas end where they do most often; of several the one that holds best."""
    shown = [_shown(locked, make()) for make in makes]
    most = max(shown)
    return best_held(locked, [make for make, each in zip(makes, shown, strict=True) if each == most])


def best_held(locked: Reader, makes: Sequence[Make]) -> Plan:
    """Return the plan whose original holds best by its format, the first one that leaves no doubt.

    Args:
        locked: The locked file.
        makes: Plans that decrypt the same beginning, the likeliest first.

    Returns:
        The first one where no format is recognised, or where it would take too long to judge them.
    """
    best, held = makes[0], (-1, 0)
    size = best().size
    if len(makes) == 1 or not _extensions(locked, best):
        return best()
    if size > LARGEST:
        return _best_replayed(locked, makes, best)()
    for make in islice(makes, JUDGED // max(size, 1)):
        now = _judged(locked, make)
        if now > held:
            best, held = make, now
        if now == SURE:
            break
    return best()


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
