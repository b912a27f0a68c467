"""Kinds of databases whose pages say whose they are, and what page 0 says of the file."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats import innodb, mssql
from unransom.catalog.formats.format import HEAD
from unransom.core.spans import Span
from unransom.core.streams import CHUNK, BytesReader, Reader
from unransom.recover.carve.signatures import BEGINNINGS, FURTHER
from unransom.recover.carve.space import NOWHERE, Space, Spliced

MOST_PAGES = 1 << 24
SUMMED = 60  # bits of a page with a checksum at least
UNSUMMED = b"\xde\xad\xbe\xef"  # what InnoDB writes in place of one where that is switched off
FREE_LIMIT = 50  # offset in page 0 of the first page of InnoDB that was never used


class Owner(NamedTuple):
    """The file that pages are looked for: its page 0.

    Attributes:
        head: Where page 0 stands in the space.
        size: Bytes of a page.
        pages: How many there are, ``MOST_PAGES`` while that is not known.
        number: Space id of InnoDB, file number of SQL Server.
    """

    head: int
    size: int
    pages: int
    number: int


class Kind(Protocol):
    """A kind of database.

    Attributes:
        name: Of its format.
        mark: What page 0 has, ``mark_at`` bytes behind its beginning.
    """

    name: str
    mark: bytes
    mark_at: int

    def identifiers(self, heads: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return which file the page at each cluster is of, by the number that `Owner` has."""
        ...

    def owner(self, space: Space, head: int) -> Owner | None:
        """Return the file whose page 0 stands at ``head``."""
        ...

    def count(self, page: bytes) -> int:
        """Return how many pages the file has, by its page 0; 0 where that does not say."""
        ...

    def numbers(self, heads: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the number of the page at each cluster whose first bytes are given; -1 for none."""
        ...

    def bits(self, page: bytes, number: int, owner: Owner) -> int:
        """Return by how many bits ``page`` is page ``number``: `SUMMED` and more with a checksum."""
        ...

    def age(self, page: bytes) -> int:
        """Return a number that is greater for newer pages."""
        ...

    def is_used(self, reader: Reader, number: int, owner: Owner) -> bool:
        """Return whether the database has given page ``number`` out, by its own map of the file."""
        ...


class InnoDb:
    """Tablespaces of MySQL and MariaDB."""

    name = "innodb"
    mark_at, mark = FURTHER["innodb"]

    def identifiers(self, heads: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the space ids."""
        return heads[:, 34:38].copy().view(">u4")[:, 0].astype(np.int64)

    def owner(self, space: Space, head: int) -> Owner | None:
        """Return the tablespace whose page 0 stands at ``head``."""
        page = space.read_at(head, HEAD)
        if not innodb.recognise(page):
            return None
        found = innodb.space_header(page)
        if found is None or found.number is None or found.pages > MOST_PAGES:
            return None
        return Owner(head, found.size, found.pages, found.number)

    def count(self, page: bytes) -> int:
        """Return how many pages the tablespace has."""
        found = innodb.space_header(page)
        return found.pages if found else 0

    def numbers(self, heads: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the numbers of pages."""
        return heads[:, 4:8].copy().view(">u4")[:, 0].astype(np.int64)

    def bits(self, page: bytes, number: int, owner: Owner) -> int:
        """Return by how many bits the page's number, owner and checksum are right."""
        space = innodb.Space(owner.size, owner.pages, owner.number)
        bits = innodb.page_bits(page, number, space) if len(page) == owner.size else 0
        return min(bits, SUMMED - 1) if page.startswith(UNSUMMED) else bits

    def age(self, page: bytes) -> int:
        """Return the log sequence number."""
        return int.from_bytes(page[16:24])

    def is_used(self, reader: Reader, number: int, owner: Owner) -> bool:
        """Return whether the descriptor of the page's extent does not call it free."""
        if number >= int.from_bytes(reader.read_at(FREE_LIMIT, 4)):
            return False
        per_extent = max(64, CHUNK // owner.size)
        width = 24 + per_extent // 4  # of a descriptor: two bits a page behind its head
        extent, page = divmod(number % owner.size, per_extent)
        place = number // owner.size * owner.size * owner.size + 150 + extent * width + 24 + page // 4
        state = reader.read_at(place, 1)
        return not state or not state[0] >> (page % 4 * 2) & 1


class SqlServer:
    """Data files of SQL Server."""

    name = "mssql"
    mark, mark_at = BEGINNINGS["mssql"][0], 0

    def identifiers(self, heads: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the numbers of files."""
        return heads[:, 36:38].copy().view("<u2")[:, 0].astype(np.int64)

    def owner(self, space: Space, head: int) -> Owner | None:
        """Return the data file whose page 0 stands at ``head``."""
        page = space.read_at(head, mssql.PAGE)
        if len(page) < mssql.PAGE or not mssql.recognise(page[:HEAD]):
            return None
        pages = self.count(page)
        return Owner(head, mssql.PAGE, pages or MOST_PAGES, int.from_bytes(page[36:38], "little"))

    def count(self, page: bytes) -> int:
        """Return how many pages the file has, by the record at the end of page 0."""
        room = [Span(0, len(page)), Span(NOWHERE, NOWHERE + MOST_PAGES * mssql.PAGE)]
        return mssql.stated_pages(Spliced(BytesReader(page), room))

    def numbers(self, heads: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the numbers of pages."""
        words = heads[:, 32:36].copy().view("<u4")[:, 0].astype(np.int64)
        sane = (heads[:, 0] == 1) & (heads[:, 1] >= 1) & (heads[:, 1] <= 20)
        return np.where(sane, words, -1)

    def bits(self, page: bytes, number: int, owner: Owner) -> int:
        """Return by how many bits the page's number and checksum are right."""
        if len(page) < owner.size:
            return 0
        bits = int(mssql.page_bits(np.frombuffer(page, np.uint8).reshape(1, -1), number)[0])
        return bits if int.from_bytes(page[4:6], "little") & mssql.CHECKSUM else min(bits, SUMMED - 1)

    def age(self, page: bytes) -> int:
        """Return the log sequence number."""
        return int.from_bytes(page[44:48], "little") << 48 | int.from_bytes(page[40:44], "little")

    def is_used(self, reader: Reader, number: int, owner: Owner) -> bool:
        """Return whether the page of free space calls it allocated."""
        return mssql.is_allocated(reader, number)


KINDS: tuple[Kind, ...] = (InnoDb(), SqlServer())
