"""Files of databases, by the numbers that their pages carry: any number and order of fragments.

Page 0 says whose pages to look for and how many there are. Every page has its own number and a checksum, so
each is found by itself; of old copies the newest is taken. A page that a fragment ends in is put together
with the bytes before the next page. What is found nowhere is listed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain, islice, permutations, product

import numpy as np
from numpy.typing import NDArray

from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.recover.carve.board import Board
from unransom.recover.carve.classes import DENSE, OTHER, TEXT, ZERO
from unransom.recover.carve.found import Found, Proof
from unransom.recover.carve.reassembly.page_kinds import KINDS, MOST_PAGES, SUMMED, Kind, Owner
from unransom.recover.carve.reassembly.seams import Cost
from unransom.recover.carve.scan import Places
from unransom.recover.carve.space import NOWHERE, Spliced

BITS = 96  # of a page with number, owner and checksum
LISTED = 12  # missing pages that are named
COPIES = 4  # of one page that are looked at
MOST_OWNERS, NAMESAKES = 1 << 16, 64  # files that are put together, and those of them with one number
TRIALS = 1 << 18  # ways to put a page together of pieces from anywhere that are tried for one file
TRIALS_A_PAGE = 1 << 12  # ways in all that are tried for one file, for each of its pages that is sound
ALLOWANCE, PATIENCE = 8 << 30, 16  # bytes that all files may cost: so many, and so many times the space
ROOM = 4  # times the space that pages which are found nowhere may take in all files
LEFT_OVER = 1 << 13  # clusters in which the middle of a page is looked for
FIELDS = 64  # bytes of a page's header that are looked at
ROWS = 1 << 14  # clusters whose first bytes are looked at together


class Pages:
    """The pages of a board."""

    def __init__(self, board: Board, kind: Kind) -> None:
        self._board = board
        self._space = board.space
        self._kind = kind
        self._cost = Cost(ALLOWANCE + PATIENCE * board.space.size)
        self._room = Cost(ROOM * board.space.size)

    def find(self, heads: Iterable[int]) -> Iterator[Found]:
        """Yield the files whose page 0 stands at one of ``heads``.

        What page 0 says is not believed: all files together cost no more than the space is worth.
        """
        owners = self._owners(heads)
        if not owners:
            return
        identifiers, numbers, starts = self._numbered(owners)
        for owner in owners:
            if self._cost.left <= 0:
                return
            first, last = np.searchsorted(identifiers, [owner.number, owner.number + 1]).tolist()
            places = self._places(owner, numbers[first:last], starts[first:last])
            if (found := self._assembled(owner, places)) is not None:
                yield found

    @cached_property
    def _free(self) -> NDArray[np.int64]:
        """The numbers of the clusters that may hold the middle of a page."""
        return self._board.free((OTHER, TEXT, DENSE, ZERO))

    def _owners(self, heads: Iterable[int]) -> list[Owner]:
        """Return the files whose page 0 stands at one of ``heads``, of those with one number so many."""
        owners: list[Owner] = []
        seen: Counter[int] = Counter()
        for head in heads:
            owner = self._kind.owner(self._space, head) if seen.total() < MOST_OWNERS else None
            if owner is not None and seen[owner.number] < NAMESAKES:
                seen[owner.number] += 1
                owners.append(owner)
        return owners

    def _numbered(self, owners: list[Owner]) -> NDArray[np.int64]:
        """Return the pages that may be of ``owners``: of which file, its number, and where it stands.

        They are sorted by their files, in columns.
        """
        wanted = np.unique([owner.number for owner in owners])
        most = max(owner.pages for owner in owners)
        kept = [np.zeros((3, 0), np.int64)]
        for starts, fields in first_bytes(self._board):
            identifiers, numbers = self._kind.identifiers(fields), self._kind.numbers(fields)
            fits = np.isin(identifiers, wanted) & (numbers >= 0) & (numbers < most)
            kept.append(np.stack([identifiers[fits], numbers[fits], starts[fits]]))
        columns = np.concatenate(kept, axis=1)
        return columns[:, np.argsort(columns[0], kind="stable")]

    def _places(self, owner: Owner, numbers: NDArray[np.int64], starts: Places) -> dict[int, list[int]]:
        """Return where each page may stand, those nearest to page 0 first."""
        mine = np.flatnonzero(numbers < owner.pages)
        places: dict[int, list[int]] = {}
        for number, place in zip(numbers[mine].tolist(), starts[mine].tolist(), strict=True):
            places.setdefault(number, []).append(place)
        for copies in places.values():
            copies.sort(key=lambda place: abs(place - owner.head))
        places[0] = [owner.head]
        return places

    def _assembled(self, owner: Owner, places: dict[int, list[int]]) -> Found | None:
        """Return the file of ``owner``; None where hardly any of its pages are there."""
        sound: dict[int, list[Span]] = {}
        for number, copies in places.items():
            best = self._newest(owner, number, copies)
            if best is not None:
                sound[number] = [Span(best, best + owner.size)]
        self._mend(owner, places, sound)
        if len(sound) < 2 or 0 not in sound:
            return None
        pages = self._kind.count(Spliced(self._space, sound[0]).read_at(0, owner.size))
        if not 0 < pages <= MOST_PAGES:
            return None
        owner = owner._replace(pages=pages)
        spans, unsure = self._strung(owner, sound)
        missing = self._missing(owner, Spliced(self._space, spans), unsure)
        why = say("{count} pages have their own numbers and checksums", count=len(sound))
        if missing:
            why = say(
                "{count} pages have their own numbers and checksums; missing: {pages}",
                count=len(sound),
                pages=", ".join(map(str, missing[:LISTED])) + (" …" if len(missing) > LISTED else ""),
            )
        elif len(spans) > 1 and not self._summed(owner, sound):
            why = say("{count} pages have their own numbers, but not all have checksums", count=len(sound))
            return Found(self._kind.name, spans, Proof.HEURISTIC, BITS, why)
        proof = Proof.HEURISTIC if missing else Proof.CHECKSUM
        return Found(self._kind.name, spans, proof, min(BITS * len(sound), 1024), why)

    def _summed(self, owner: Owner, sound: dict[int, list[Span]]) -> bool:
        """Return whether all pages have checksums: of one without, the second half may be another's."""
        pages = ((number, Spliced(self._space, spans)) for number, spans in sound.items())
        return all(
            self._kind.bits(page.read_at(0, owner.size), number, owner) >= SUMMED for number, page in pages
        )

    def _newest(self, owner: Owner, number: int, copies: list[int]) -> int | None:
        """Return where the newest sound copy of a page stands."""
        best, newest = None, -1
        for place in copies[:COPIES]:
            if not self._cost.spend(owner.size):
                break
            page = self._space.read_at(place, owner.size)
            if self._kind.bits(page, number, owner) and self._kind.age(page) > newest:
                best, newest = place, self._kind.age(page)
        return best

    def _mend(self, owner: Owner, places: dict[int, list[int]], sound: dict[int, list[Span]]) -> None:
        """Add the pages that fragments end in: what is left of one stands before the next page, or alone."""
        trials = min(TRIALS_A_PAGE * len(sound), max(self._cost.left, 0) // (2 * owner.size))
        broken = [number for number in places if number not in sound] if trials else []
        for number in broken:
            ends = [span[0].start for span in [sound.get(number + 1)] if span] or places.get(number + 1, [])
            every = islice(self._in_two(owner, places[number], ends), trials)
            trials -= self._try(owner, number, sound, every)
        if all(number in sound for number in broken):
            return
        left, trials = self._left_over(sound), min(trials, TRIALS)
        for ways in (self._in_three, self._in_four, self._apart):
            for number in broken:
                if number not in sound and trials:
                    ends = places.get(number + 1, [])[:1]
                    every = islice(ways(owner, places[number][0], left, ends), trials)
                    trials -= self._try(owner, number, sound, every)
                    if used := self._clusters(sound.get(number, [])):
                        left = [place for place in left if place // self._board.cluster not in used]

    def _try(
        self, owner: Owner, number: int, sound: dict[int, list[Span]], ways: Iterable[list[Span]]
    ) -> int:
        """Add the first of ``ways`` in which page ``number`` holds; return how many were tried."""
        tried = 0
        for spans in ways:
            tried += 1
            page = Spliced(self._space, spans).read_at(0, owner.size)
            if self._kind.bits(page, number, owner):
                sound[number] = spans
                break
        self._cost.spend(tried * owner.size)
        return tried

    def _in_two(self, owner: Owner, copies: list[int], ends: list[int]) -> Iterator[list[Span]]:
        """Yield ways in which a page may lie whose end stands before one of ``ends``."""
        for place, end in product(copies[:COPIES], ends[:COPIES]):
            for first in range(self._board.cluster, owner.size, self._board.cluster):
                yield [Span(place, place + first), Span(end - owner.size + first, end)]

    def _in_three(self, owner: Owner, place: int, left: list[int], ends: list[int]) -> Iterator[list[Span]]:
        """Yield ways in which a page may lie that goes on in a cluster that is left over."""
        cluster = self._board.cluster
        for first, middle in product(range(cluster, owner.size, cluster), left):
            yield [Span(place, place + first), Span(middle, middle + owner.size - first)]
            for end, last in product(ends, range(cluster, owner.size - first, cluster)):
                length = owner.size - first - last
                yield [Span(place, place + first), Span(middle, middle + length), Span(end - last, end)]

    def _in_four(self, owner: Owner, place: int, left: list[int], ends: list[int]) -> Iterator[list[Span]]:
        """Yield ways in which two pieces between a page's beginning and its end are left over."""
        cluster = self._board.cluster
        for end, first in product(ends, range(cluster, owner.size, cluster)):
            for second in range(cluster, owner.size - first, cluster):
                for third in range(cluster, owner.size - first - second, cluster):
                    last = owner.size - first - second - third
                    for one, other in permutations(left, 2):
                        middle = [Span(one, one + second), Span(other, other + third)]
                        yield [Span(place, place + first), *middle, Span(end - last, end)]

    def _apart(self, owner: Owner, place: int, left: list[int], _ends: list[int]) -> Iterator[list[Span]]:
        """Yield ways in which a page may lie whose end stands before no other page of the file."""
        cluster = self._board.cluster
        for first in range(cluster, owner.size, cluster):
            for length in range(cluster, owner.size - first, cluster):
                last = owner.size - first - length
                for middle, end in product(left, left):
                    yield [Span(place, place + first), Span(middle, middle + length), Span(end, end + last)]

    def _left_over(self, sound: dict[int, list[Span]]) -> list[int]:
        """Return the free clusters that no sound page touches."""
        cluster = self._board.cluster
        used = self._clusters(span for spans in sound.values() for span in spans)
        free = self._free[: LEFT_OVER + len(used)].tolist()
        self._cost.spend(len(free) * FIELDS)
        return [number * cluster for number in free if number not in used][:LEFT_OVER]

    def _clusters(self, spans: Iterable[Span]) -> set[int]:
        """Return the numbers of the clusters that ``spans`` touch."""
        cluster = self._board.cluster
        return {at for span in spans for at in range(span.start // cluster, -(-span.end // cluster))}

    def _strung(self, owner: Owner, sound: dict[int, list[Span]]) -> tuple[list[Span], list[range]]:
        """Return the spans of the file, and the pages that are not sound; it ends where there is no room.

        Pages that were never used have no number: they are zeros, or stand where they should between others.
        """
        spans: list[Span] = []
        unsure: list[range] = []
        room = Cost(self._room.left // 2)  # the other half is for those to come
        after = 0
        for number in (*sorted(number for number in sound if number < owner.pages), owner.pages):
            if after < number:
                gap = range(after, number)
                idle, doubtful = self._unnumbered(owner, gap, spans[-1].end, sound)
                _add(spans, Span(spans[-1].end, spans[-1].end + idle * owner.size))
                nowhere = gap[idle:]
                unsure += [*doubtful, nowhere]
                size = len(nowhere) * owner.size
                if not room.spend(size):
                    break
                self._room.spend(size)
                start = NOWHERE + nowhere.start * owner.size
                _add(spans, Span(start, start + size))
            for span in sound[number] if number < owner.pages else ():
                _add(spans, span)
            after = number + 1
        return spans, unsure

    def _unnumbered(
        self, owner: Owner, gap: range, behind: int, sound: dict[int, list[Span]]
    ) -> tuple[int, list[range]]:
        """Return how many unused pages of ``gap`` stand at ``behind``, and which of these hold something."""
        doubtful: list[range] = []
        for number in gap:
            page = self._space.read_at(behind, owner.size) if self._cost.spend(owner.size) else b""
            if len(page) < owner.size:
                return number - gap.start, doubtful
            if page.count(0) < owner.size:
                if not self._is_between(owner, number, behind, sound):
                    return number - gap.start, doubtful
                doubtful.append(range(number, number + 1))
            behind += owner.size
        return len(gap), doubtful

    def _missing(self, owner: Owner, reader: Reader, unsure: list[range]) -> list[int]:
        """Return the first pages of ``unsure`` that the database uses; all behind the end count as such."""
        used = (
            number
            for number in chain.from_iterable(unsure)
            if number * owner.size >= reader.size
            or not self._cost.spend(owner.size // 4)
            or self._kind.is_used(reader, number, owner)
        )
        return list(islice(used, LISTED + 1))

    def _is_between(self, owner: Owner, number: int, place: int, sound: dict[int, list[Span]]) -> bool:
        """Return whether the next sound page stands as far behind ``place`` as it should."""
        for step in range(1, 64):
            if number + step in sound:
                return sound[number + step][0].start == place + step * owner.size
        return False


def _add(spans: list[Span], span: Span) -> None:
    """Add ``span`` to ``spans``, as a part of the last one where it goes on from there."""
    if spans and spans[-1].end == span.start:
        spans[-1] = Span(spans[-1].start, span.end)
    elif span:
        spans.append(span)


def first_bytes(board: Board) -> Iterator[tuple[Places, NDArray[np.uint8]]]:
    """Yield where free clusters begin, many at once, and the first bytes of each."""
    free = board.free((OTHER, TEXT, DENSE))
    for first in range(0, len(free), ROWS):
        some = free[first : first + ROWS]
        rows = [data.reshape(-1, board.cluster)[:, :FIELDS].copy() for _, data in board.runs(some)]
        yield some * board.cluster, np.concatenate(rows)


def find(board: Board, part: int, parts: int) -> Iterator[Found]:
    """Yield the files of one share of the kinds of databases."""
    for kind in KINDS[part::parts]:
        yield from Pages(board, kind).find(map(int, board.free_heads(kind.mark, kind.mark_at)))
