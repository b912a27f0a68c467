"""The pages that keep the books of a tablespace: which extents and pages are used, and by what."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from unransom.catalog.databases.innodb.graft_pages import NIL, Shape, blank, seal

SPACE_HEADER, BITMAP_PAGE, INODE_PAGE, XDES_PAGE = 8, 5, 3, 9
FREE, FREE_FRAG, FULL_FRAG, SEGMENT = 1, 2, 3, 4  # states of extents
ENTRIES, NODE_AT, STATE_AT, BITMAP_AT = 150, 8, 20, 24
MAGIC = 97937874
INODES = 50  # where the segments begin on their page
TOP, LEAF = 1, 2  # ids of the segments: pages above the rows, and rows with what lies off their pages
NO_ADDRESS = struct.pack(">IH", NIL, 0)
ROOT = 3


def extent_pages(size: int) -> int:
    """Return the pages of an extent."""
    return max((1 << 20) // size, 64)


def fragments(size: int) -> int:
    """Return how many single pages a segment may have."""
    return extent_pages(size) // 2


class Books:
    """Who owns which page of a tablespace that is being built."""

    def __init__(self, shape: Shape, count: int) -> None:
        """Begin the books of ``count`` pages, a whole number of extents."""
        self.shape = shape
        self.extent = extent_pages(shape.size)
        self.count = count
        self._entry = BITMAP_AT + self.extent // 4
        self._owner: dict[int, int] = {}  # of each used page
        self.fragments: dict[int, list[int]] = {TOP: [], LEAF: []}
        for page in range(0, count, shape.size):
            self._owner[page] = self._owner[page + 1] = 0
        self._owner[2] = 0

    def is_shared(self, page: int) -> bool:
        """Return whether the page's extent also holds pages of the books, so that pages are taken singly."""
        return page // self.extent * self.extent % self.shape.size == 0

    def use(self, page: int, segment: int) -> bool:
        """Note that ``segment`` has ``page``; False where it can have no more single pages."""
        if self.is_shared(page):
            if len(self.fragments[segment]) >= fragments(self.shape.size):
                return False
            self.fragments[segment].append(page)
        self._owner[page] = segment
        return True

    def drop(self, page: int) -> None:
        """Note that nothing has ``page`` any more."""
        segment = self._owner.pop(page, 0)
        if page in self.fragments.get(segment, ()):
            self.fragments[segment].remove(page)

    def is_used(self, page: int) -> bool:
        """Return whether something owns ``page``."""
        return page in self._owner

    def pages(self, flags: int) -> Iterator[tuple[int, bytes]]:
        """Yield the numbers and bytes of the pages of the books."""
        lists, states = self._lists()
        links = {extent: link for members in lists.values() for extent, link in self._linked(members).items()}
        for number in range(0, self.count, self.shape.size):
            page = blank(self.shape, number, XDES_PAGE if number else SPACE_HEADER)
            for extent in range(
                number // self.extent, min(number + self.shape.size, self.count) // self.extent
            ):
                self._describe(page, extent, states[extent], links[extent])
            if number == 0:
                self._header(page, lists, flags)
            yield number, seal(page, self.shape)
            yield number + 1, seal(blank(self.shape, number + 1, BITMAP_PAGE), self.shape)
        yield 2, seal(self._inodes(lists), self.shape)

    def _lists(self) -> tuple[dict[tuple[int, int], list[int]], dict[int, tuple[int, int]]]:
        """Return the extents by segment and state, and segment and state by extent."""
        lists: dict[tuple[int, int], list[int]] = {}
        states: dict[int, tuple[int, int]] = {}
        for extent in range(self.count // self.extent):
            first = extent * self.extent
            owners = [self._owner[page] for page in range(first, first + self.extent) if page in self._owner]
            full = len(owners) == self.extent
            if self.is_shared(first):
                segment, state = 0, FULL_FRAG if full else FREE_FRAG
            elif owners:
                segment, state = owners[0], SEGMENT
            else:
                segment, state = 0, FREE
            states[extent] = segment, state
            kind = state if segment == 0 else SEGMENT + full
            lists.setdefault((segment, kind), []).append(extent)
        return lists, states

    def _address(self, extent: int) -> bytes:
        """Return where an extent's node in its list is."""
        holder = extent * self.extent // self.shape.size * self.shape.size
        place = extent - holder // self.extent
        return struct.pack(">IH", holder, ENTRIES + place * self._entry + NODE_AT)

    def _linked(self, members: Sequence[int]) -> dict[int, bytes]:
        addresses = [NO_ADDRESS, *map(self._address, members), NO_ADDRESS]
        return {extent: addresses[place] + addresses[place + 2] for place, extent in enumerate(members)}

    def _base(self, members: Sequence[int]) -> bytes:
        ends = (
            (self._address(members[0]), self._address(members[-1])) if members else (NO_ADDRESS, NO_ADDRESS)
        )
        return struct.pack(">I", len(members)) + ends[0] + ends[1]

    def _describe(self, page: bytearray, extent: int, state: tuple[int, int], links: bytes) -> None:
        holder = extent * self.extent // self.shape.size * self.shape.size
        at = ENTRIES + (extent - holder // self.extent) * self._entry
        first = extent * self.extent
        bits = 0
        for place in range(self.extent):
            # Two bits a page: it is free; it is clean, which is always set.
            bits |= (2 | (first + place not in self._owner)) << 2 * place
        segment = state[0] if state[1] == SEGMENT else 0
        struct.pack_into(">Q12sI", page, at, segment, links, state[1])
        page[at + BITMAP_AT : at + self._entry] = bits.to_bytes(self.extent // 4, "little")

    def _header(self, page: bytearray, lists: dict[tuple[int, int], list[int]], flags: int) -> None:
        single = sum(self.is_shared(number) for number in self._owner if number // self.extent in
                     lists.get((0, FREE_FRAG), ()))  # fmt: skip
        struct.pack_into(">IIIIII", page, 38, self.shape.space, 0, self.count, self.count, flags, single)
        bases = b"".join(self._base(lists.get((0, state), ())) for state in (FREE, FREE_FRAG, FULL_FRAG))
        inode = struct.pack(">IH", 2, 38)
        page[62:150] = (
            bases + (LEAF + 1).to_bytes(8, "big") + self._base(()) + bytes([0, 0, 0, 1]) + inode + inode
        )

    def _inodes(self, lists: dict[tuple[int, int], list[int]]) -> bytearray:
        page = blank(self.shape, 2, INODE_PAGE)
        page[38:50] = NO_ADDRESS + NO_ADDRESS
        slots = fragments(self.shape.size)
        for place, segment in enumerate((TOP, LEAF)):
            partial = lists.get((segment, SEGMENT), [])
            used = sum(
                page in self._owner
                for extent in partial
                for page in range(extent * self.extent, (extent + 1) * self.extent)
            )
            singles = self.fragments[segment] + [NIL] * (slots - len(self.fragments[segment]))
            inode = struct.pack(">QI", segment, used) + self._base(()) + self._base(partial)
            inode += self._base(lists.get((segment, SEGMENT + 1), ())) + struct.pack(">I", MAGIC)
            inode += struct.pack(f">{slots}I", *singles)
            page[INODES + place * len(inode) : INODES + (place + 1) * len(inode)] = inode
        return page

    def segment_headers(self) -> bytes:
        """Return what the root says of its segments: rows, then the pages above them."""
        size = 64 + 4 * fragments(self.shape.size)
        leaf = struct.pack(">IIH", self.shape.space, 2, INODES + size)
        return leaf + struct.pack(">IIH", self.shape.space, 2, INODES)
