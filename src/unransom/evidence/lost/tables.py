"""Opens a virtual disk whose head and tables are lost.

What file systems say of their own places puts some blocks where they belong, and the order of the file the
blocks between them. Then the files that can be read so tell which places must have a block, and the blocks
are put once more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from unransom.core.errors import UnreadableError
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.evidence.containers.opening import Opening
from unransom.evidence.lost.align import Edges, align
from unransom.evidence.lost.runs import Extent, file_runs
from unransom.evidence.lost.sightings import Sighting, sightings
from unransom.evidence.lost.slots import CLUSTER, MIB, NOWHERE, Regrained, Slots, layout
from unransom.evidence.lost.tails import Withheld, certain, ends, landmarks, tails
from unransom.evidence.lost.volumes import Seen, seen_volumes
from unransom.evidence.volumes.rebuilt import OLD_START, is_bare, partitions

ROUNDS = 3  # in which what can be read becomes more
LEAST = 2  # blocks that are sure
MOST_PLACES = 1 << 26  # blocks of a disk: 4 TiB of 64 KiB
EDGE = 512  # zeros at which a block may border on blocks of zeros
MOST_KNOWN = 8


class Order(NamedTuple):
    """Where the blocks belong, the bytes of the disk, and what of its files it is open which block has."""

    places: np.ndarray
    size: int
    withheld: list[Span]


KNOWN: dict[tuple[bytes, str], Order | None] = {}  # images that this process has looked through


def open_lost(opening: Opening) -> Reader | None:
    """Open the disk in an image without a head and tables; None where nothing in it says how."""
    try:
        if is_bare(opening.reader):
            return None
        slots = layout(opening.reader)
        key = (opening.path, opening.files.fingerprint())
        if slots and key not in KNOWN:
            KNOWN[key] = _ordered(slots)
            while len(KNOWN) > MOST_KNOWN:
                KNOWN.pop(next(iter(KNOWN)))
        found = _disk(slots, known) if slots and (known := KNOWN[key]) else None
    except (OSError, UnreadableError):
        return None
    if found:
        opening.note(
            say("the head and the tables of the image are lost"),
            say(
                "its blocks were put where file systems say that they belong;"
                " bytes of files for which more than one block may be meant are lost"
            ),
        )
    return found


def _disk(slots: Slots, order: Order) -> Reader:
    return Withheld(Regrained(slots, order.places, order.size), order.withheld)


class _Looked:
    """What a first look at all blocks brought: structures, and which blocks are what."""

    def __init__(self, slots: Slots) -> None:
        self.found: list[Sighting] = []
        self._slots = slots
        kept, tail, head = [], [], []
        for number in range(slots.count):
            block = slots.read(number)
            if len(block) < slots.unit // 2 or (
                slots.unit == CLUSTER and _is_table(block, slots.reader.size)
            ):
                continue
            kept.append(number)
            tail.append(not any(block[-EDGE:]))
            head.append(not any(block[:EDGE]))
            self.found += sightings(block, slots.first + number * slots.stride)
        self.kept = np.array(kept, np.int64)
        self.edges = Edges(np.array(tail, bool), np.array(head, bool))

    @cached_property
    def last(self) -> np.ndarray:
        """Where the sectors of the blocks that are kept end; read for it once more, as few images need it."""
        blocks = (self._slots.read(number) for number in self.kept.tolist())
        return np.array([ends(block.ljust(self._slots.unit, b"\0")) for block in blocks], np.uint16)


def _ordered(slots: Slots) -> Order | None:
    """Return where the blocks belong, and the bytes of the disk; None where nothing says so."""
    looked = _Looked(slots)
    if _is_plain(looked.found):
        return None
    size, sure, tabled = _placed(slots, looked)
    if not sure or (len(sure) < LEAST and not tabled) or size > MOST_PLACES * slots.unit:
        return None
    places = -(-size // slots.unit)
    wanted = np.zeros(places, bool)
    whole = np.full(slots.count, NOWHERE, np.int64)
    order, known, withheld = np.empty(0), sure, []
    for _ in range(ROUNDS):
        found = align(known, len(looked.kept), places, wanted, looked.edges)
        if np.array_equal(found, order):
            break
        order = found
        whole[looked.kept] = order
        extents = [each for each in file_runs(Regrained(slots, whole, size)) if each.start < size]
        wanted = _wanted(extents, slots.unit, places)
        stops = tails(extents, slots.unit)
        known = landmarks(sure, looked.last, stops, places)
        unchecked = _wanted([each for each in extents if not each.checked], slots.unit, places)
        open_places = ~certain(order, known, sure, wanted, looked.last, stops, unchecked)
        withheld = [each for extent in extents for each in _open(extent, open_places, slots.unit)]
    return Order(whole, size, withheld)


def _wanted(extents: list[Extent], unit: int, places: int) -> np.ndarray:
    """Return which places files have that were not deleted."""
    found = np.zeros(places, bool)
    for each in extents:
        if each.used:
            found[each.start // unit : -(-each.end // unit)] = True
    return found


def _open(extent: Extent, places: np.ndarray, unit: int) -> Iterator[Span]:
    """Yield what of a file is at places of which it is not certain what is there."""
    if extent.system:
        return
    first = extent.start // unit
    for place in np.flatnonzero(places[first : -(-extent.end // unit)]) + first:
        yield Span(max(extent.start, int(place) * unit), min(extent.end, (int(place) + 1) * unit))


def _is_plain(found: list[Sighting]) -> bool:
    """Return whether everything lies as on a disk that is in no container."""
    copies = [each.place - each.offset for each in found if each.kind == "gpt"]
    for volume in seen_volumes(found):
        shifts = Counter(mark.place - mark.offset for mark in volume.marks)
        shift, count = shifts.most_common(1)[0]
        if 2 * count < len(volume.marks) or shift % MIB not in {0, OLD_START}:
            return False
    return not any(copies)


def _placed(slots: Slots, looked: _Looked) -> tuple[int, dict[int, int], bool]:
    """Return the bytes of the disk, the places of the blocks that are sure, and whether it has a table."""
    number_of = {int(number): index for index, number in enumerate(looked.kept)}
    marks: list[tuple[int, int]] = []  # byte of the file, byte of the disk
    table: list[tuple[int, int, str]] = []
    size = slots.size
    for copy in (each for each in looked.found if each.kind == "gpt"):
        table = _table(slots, copy) or table
        marks.append((copy.place, copy.offset))
        size = max(size, copy.offset + EDGE)
    end, slack = MIB, MIB // slots.unit  # what is in the first megabyte may not be of the disk
    for volume in seen_volumes(looked.found):
        first, last = min(volume.marks), max(volume.marks)
        least = ((first.place - slots.first) // slots.stride - slack) * slots.unit - first.offset
        start = _start(volume, slots, table, max(end, least))
        end = start + volume.size
        slack = (last.place - slots.first) // slots.stride - (start + last.offset) // slots.unit
        marks += [(mark.place, start + mark.offset) for mark in volume.marks]
    size = max(size, end)
    votes: dict[int, Counter[int]] = {}
    for place, offset in marks:
        slot, inside = divmod(place - slots.first, slots.stride)
        if offset % slots.unit == inside and offset < size and slot in number_of:
            votes.setdefault(number_of[slot], Counter())[offset // slots.unit] += 1
    return size, {slot: count.most_common(1)[0][0] for slot, count in votes.items()}, bool(table)


def _table(slots: Slots, copy: Sighting) -> list[tuple[int, int, str]]:
    """Return the partitions that the copy of a GPT names, by its own block and the one before."""
    slot = (copy.place - slots.first) // slots.stride
    places = np.full(slots.count, NOWHERE, np.int64)
    last = copy.offset // slots.unit
    places[slot] = last
    if slot and last:
        places[slot - 1] = last - 1
    return partitions(Regrained(slots, places, copy.offset + EDGE))


def _start(volume: Seen, slots: Slots, table: list[tuple[int, int, str]], least: int) -> int:
    """Return where a volume begins: in the partition that it fits best, or else as early as it can."""
    mark = min(volume.marks)
    residue = ((mark.place - slots.first) % slots.stride - mark.offset) % slots.unit
    fitting = [
        (size - volume.size, start)
        for start, size, _ in table
        if start % slots.unit == residue and size >= volume.size and start >= least
    ]
    if fitting:
        return min(fitting)[1]
    start = -(-least // MIB) * MIB
    return start if start % slots.unit == residue else least + (residue - least) % slots.unit


def _is_table(block: bytes, size: int) -> bool:
    """Return whether a cluster of QCOW2 is a table of clusters, or of their counts."""
    counts = np.frombuffer(block[: len(block) // 8 * 8], ">u2")
    if counts.any() and (counts <= 1).all():
        return True
    words = np.frombuffer(block[: len(block) // 8 * 8], ">u8")
    used = words[words != 0]
    plain = used & np.uint64((1 << 63) - 1)
    marked = (used >> np.uint64(63) == 1).all()
    return bool(len(used) and marked and (plain % CLUSTER == 0).all() and (plain < size).all())
