"""Files of databases, by the numbers that their pages carry: any number and order of fragments.

Page 0 says whose pages to look for and how many there are. Every page has its own number and a checksum, so
each is found by itself; of old copies the newest is taken. A page that a fragment ends in is put together
with the bytes before the next page. What is found nowhere is listed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice, permutations, product

import numpy as np
from numpy.typing import NDArray

from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.recover.carve.board import Board
from unransom.recover.carve.classes import DENSE, OTHER, TEXT, ZERO
from unransom.recover.carve.found import Found, Proof
from unransom.recover.carve.reassembly.page_kinds import KINDS, MOST_PAGES, SUMMED, Kind, Owner
from unransom.recover.carve.space import NOWHERE, Spliced

BITS = 96  # of a page with number, owner and checksum
LISTED = 12  # missing pages that are named
COPIES = 4  # of one page that are looked at
MOST_OWNERS, NAMESAKES = 1 << 16, 64  # files that are put together, and those of them with one number
TRIALS = 1 << 18  # ways to put a page together that are tried for one file
LEFT_OVER = 1 << 13  # clusters in which the middle of a page is looked for
FIELDS = 64  # bytes of a page's header that are looked at


class Pages:
    """The pages of a board."""

    def __init__(self, board: Board, kind: Kind) -> None:
        self._board = board
        self._space = board.space
        self._kind = kind

    def find(self, heads: list[int]) -> Iterator[Found]:
        """Yield the files whose page 0 stands at one of ``heads``."""
        owners = self._owners(heads)
        if not owners:
            return
        starts, fields = first_bytes(self._board)
        identifiers = self._kind.identifiers(fields)
        order = np.argsort(identifiers, kind="stable")
        sorted_by = identifiers[order]
        for owner in owners:
            bounds = np.searchsorted(sorted_by, [owner.number, owner.number + 1])
            rows = order[slice(*bounds.tolist())]
            numbers = self._kind.numbers(fields[rows], owner)
            places = self._places(owner, numbers, starts[rows])
            if (found := self._assembled(owner, places)) is not None:
                yield found

    def _owners(self, heads: list[int]) -> list[Owner]:
        """Return the files whose page 0 stands at one of ``heads``, of those with one number so many."""
        owners: list[Owner] = []
        seen: Counter[int] = Counter()
        for head in heads:
            owner = self._kind.owner(self._space, head) if seen.total() < MOST_OWNERS else None
            if owner is not None and seen[owner.number] < NAMESAKES:
                seen[owner.number] += 1
                owners.append(owner)
        return owners

    def _places(
        self, owner: Owner, numbers: NDArray[np.int64], starts: NDArray[np.int64]
    ) -> dict[int, list[int]]:
        """Return where each page may stand, those nearest to page 0 first."""
        mine = np.flatnonzero(numbers >= 0)
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
        spans, unseen = self._strung(owner, sound)
        reader = Spliced(self._space, spans)
        missing = [
            number
            for number in sorted({*unseen, *self._unsound(owner, sound, reader)})
            if self._kind.is_used(reader, number, owner)
        ]
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
            page = self._space.read_at(place, owner.size)
            if self._kind.bits(page, number, owner) and self._kind.age(page) > newest:
                best, newest = place, self._kind.age(page)
        return best

    def _mend(self, owner: Owner, places: dict[int, list[int]], sound: dict[int, list[Span]]) -> None:
        """Add the pages that fragments end in: what is left of one stands before the next page, or alone."""
        broken = [number for number in places if number not in sound]
        for number in broken:
            ends = [span[0].start for span in [sound.get(number + 1)] if span] or places.get(number + 1, [])
            self._try(owner, number, sound, self._in_two(owner, places[number], ends))
        left, trials = self._left_over(sound), TRIALS
        for ways in (self._in_three, self._in_four, self._apart):
            for number in broken:
                if number not in sound and trials > 0:
                    ends = places.get(number + 1, [])[:1]
                    every = islice(ways(owner, places[number][0], left, ends), trials)
                    trials -= self._try(owner, number, sound, every)
                    used = self._clusters(sound.get(number, []))
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
        free = self._board.free((OTHER, TEXT, DENSE, ZERO)).tolist()
        return [number * cluster for number in free if number not in used][:LEFT_OVER]

    def _clusters(self, spans: Iterable[Span]) -> set[int]:
        """Return the numbers of the clusters that ``spans`` touch."""
        cluster = self._board.cluster
        return {at for span in spans for at in range(span.start // cluster, -(-span.end // cluster))}

    def _strung(self, owner: Owner, sound: dict[int, list[Span]]) -> tuple[list[Span], list[int]]:
        """Return the spans of the file, and the pages that are missing.

        Pages that were never used have no number: they are zeros, or stand where they should between others.
        """
        spans: list[Span] = []
        missing: list[int] = []
        for number in range(owner.pages):
            for span in sound.get(number) or self._unnumbered(owner, number, spans[-1].end, sound):
                if span.start >= NOWHERE:
                    missing.append(number)
                if spans and spans[-1].end == span.start:
                    spans[-1] = Span(spans[-1].start, span.end)
                else:
                    spans.append(span)
        return spans, missing

    def _unsound(self, owner: Owner, sound: dict[int, list[Span]], reader: Reader) -> Iterator[int]:
        """Yield the pages that hold something which is no page of the file."""
        for number in range(owner.pages):
            if number not in sound and any(reader.read_at(number * owner.size, owner.size)):
                yield number

    def _unnumbered(self, owner: Owner, number: int, behind: int, sound: dict[int, list[Span]]) -> list[Span]:
        """Return where an unused page stands whose predecessor ends at ``behind``."""
        if behind < NOWHERE:
            page = self._space.read_at(behind, owner.size)
            if len(page) == owner.size and (not any(page) or self._is_between(owner, number, behind, sound)):
                return [Span(behind, behind + owner.size)]
        start = NOWHERE + number * owner.size
        return [Span(start, start + owner.size)]

    def _is_between(self, owner: Owner, number: int, place: int, sound: dict[int, list[Span]]) -> bool:
        """Return whether the next sound page stands as far behind ``place`` as it should."""
        for step in range(1, 64):
            if number + step in sound:
                return sound[number + step][0].start == place + step * owner.size
        return False


def first_bytes(board: Board) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return where the free clusters begin, and the first bytes of each."""
    free = board.free((OTHER, TEXT, DENSE))
    rows = [data.reshape(-1, board.cluster)[:, :FIELDS].copy() for _, data in board.runs(free)]
    return free * board.cluster, np.concatenate([np.zeros((0, FIELDS), np.uint8), *rows])


def find(board: Board, part: int, parts: int) -> Iterator[Found]:
    """Yield the files of one share of the kinds of databases."""
    for kind in KINDS[part::parts]:
        yield from Pages(board, kind).find(board.free_heads(kind.mark, kind.mark_at))
