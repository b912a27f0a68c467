"""All sources of one database as one: of every page the best copy."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.mssql.pages import Kind, Soundness, headers_of, judge, protection_of, scan
from unransom.catalog.databases.mssql.patch import patched
from unransom.catalog.formats.mssql import PAGE, restore
from unransom.core.streams import Reader

BATCH = 128  # pages that are read at once: 1 MiB
CACHE = 512  # pages kept for look-ups: 4 MiB
PFS_STEP = 8088  # pages that one page of allocation bytes tells of
ALLOCATED = 0x40


class PageStore:
    """Pages of one database from some sources.

    Attributes:
        entries: The best copy of every page, sorted by file and number.
        older: For each source, whether its pages are older than those of another one.
    """

    def __init__(self, readers: Sequence[Reader], scanned: Sequence[NDArray[np.void]] | None = None) -> None:
        """Take the pages of ``readers``, as ``scan`` found them if that was done already."""
        self._readers = readers
        if scanned is None:
            scanned = [scan(reader, number) for number, reader in enumerate(readers)]
        found = scanned[0] if len(scanned) == 1 else np.concatenate(scanned)
        numbered = np.flatnonzero(found["page"] >= 0)
        order = numbered[_by_worth(_taken(found, numbered))]
        keys = keys_of(found)[order]
        first = np.append(True, keys[1:] != keys[:-1])[: len(keys)]
        self.older = _older(found[order], len(readers)) if len(readers) > 1 else (False,) * len(readers)
        self.entries = _taken(found, order[first])
        self._others = found[order[~first]]
        self._patches: set[tuple[int, int]] = set()
        self._cache: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._patch()
        self._keys = keys_of(self.entries)

    def _patch(self) -> None:
        """Put damaged copies of a page together, where that makes its checksum hold."""
        damaged = np.flatnonzero(self.entries["soundness"] < Soundness.UNCHECKED)
        for row in damaged[np.isin(keys_of(self.entries[damaged]), keys_of(self._others))].tolist():
            whole = self._put_together(self.entries[row])
            if whole is None:
                continue
            page = whole.reshape(1, PAGE)
            header = headers_of(page)
            for name in set(self.entries.dtype.names or ()) & set(header.dtype.names or ()):
                self.entries[name][row] = header[name][0]
            self.entries["soundness"][row] = judge(page, header)[0]
            self.entries["summed"][row] = protection_of(header)[0]
            self._patches.add((int(header["file"][0]), int(header["page"][0])))

    def _put_together(self, entry: np.void) -> NDArray[np.uint8] | None:
        others = self._others[keys_of(self._others) == keys_of(entry.reshape(1))[0]]
        copies = [self._raw(copy) for copy in (entry, *others)]
        return patched([copy for copy in copies if len(copy) == PAGE])

    def _raw(self, entry: np.void) -> NDArray[np.uint8]:
        reader = self._readers[int(entry["source"])]
        return np.frombuffer(reader.read_at(int(entry["offset"]), PAGE), np.uint8)

    def select(self, kinds: Sequence[int], soundness: int = Soundness.UNCHECKED) -> NDArray[np.void]:
        """Return the entries of pages of some kinds that are at least that sound."""
        return self.entries[np.isin(self.entries["type"], kinds) & (self.entries["soundness"] >= soundness)]

    def read(self, entries: NDArray[np.void]) -> NDArray[np.uint8]:
        """Return the pages of ``entries``, one a row, torn-page bits put back; zeros behind the end.

        Pages that have lost their header stay as they are: it is their header that has these bits.
        """
        out = self.raw(entries)
        told = entries["soundness"] >= Soundness.TORN
        pages = out[told]
        restore(pages)
        out[told] = pages
        return out

    @functools.cached_property
    def has_torn_bits(self) -> bool:
        """Most pages carry torn-page bits, so that pages without a header have bits that are others'."""
        sound = self.entries["summed"][self.entries["soundness"] >= Soundness.VALID]
        return bool((sound == 2).sum() > (sound == 1).sum())  # of them 2 says so

    def doubted(self, entries: NDArray[np.void]) -> NDArray[np.bool_]:
        """Tell of which pages nothing proves what they hold, where damage lies inside of pages as well.

        Torn-page bits tell nothing of the bytes between them, and pages without protection nothing at all;
        these are odd besides where most pages have checksums.
        """
        bare = entries["summed"] != 1
        return bare if self._is_hurt else bare & (entries["summed"] == 0) & self._is_summed

    @functools.cached_property
    def _is_hurt(self) -> bool:
        """Some pages in use are damaged behind a header that is not."""
        torn = self.entries[self.entries["soundness"] == Soundness.TORN]
        return bool(len(torn) and self.allocated(torn).any())

    @functools.cached_property
    def _is_summed(self) -> bool:
        """Most data pages have checksums."""
        kinds = self.select([Kind.DATA])["summed"]
        return bool((kinds == 1).sum() > (kinds == 0).sum())

    def raw(self, entries: NDArray[np.void]) -> NDArray[np.uint8]:
        """Return the pages of ``entries`` as they lie in their file, or as they were put together."""
        out = np.zeros((len(entries), PAGE), np.uint8)
        breaks = np.flatnonzero(
            (np.diff(entries["offset"]) != PAGE) | (np.diff(entries["source"].astype(int)) != 0)
        )
        for start, end in zip([0, *(breaks + 1)], [*(breaks + 1), len(entries)], strict=True):
            if end > start:
                reader = self._readers[int(entries["source"][start])]
                data = reader.read_at(int(entries["offset"][start]), (end - start) * PAGE)
                whole = len(data) // PAGE
                out[start : start + whole] = np.frombuffer(data, np.uint8)[: whole * PAGE].reshape(-1, PAGE)
        if self._patches:
            self._use_patches(entries, out)
        return out

    def _use_patches(self, entries: NDArray[np.void], out: NDArray[np.uint8]) -> None:
        for row, entry in enumerate(entries):
            if (int(entry["file"]), int(entry["page"])) in self._patches:
                whole = self._put_together(entry)
                if whole is not None:
                    out[row] = whole

    def batches(
        self, entries: NDArray[np.void], size: int = BATCH
    ) -> Iterator[tuple[NDArray[np.void], NDArray[np.uint8]]]:
        """Yield ``entries`` with their pages, some at a time."""
        for start in range(0, len(entries), size):
            part = entries[start : start + size]
            yield part, self.read(part)

    def places(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where in ``entries`` the pages of some keys are, -1 where they were not found."""
        if not len(self.entries):
            return np.full(len(keys), -1, np.int64)
        place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.where(self._keys[place] == keys, place, -1)

    def find(self, file: int, page: int) -> np.void | None:
        """Return the entry of a page, None where it was not found."""
        key = file << 32 | page
        row = int(np.searchsorted(self._keys, key))
        if row < len(self.entries) and self._keys[row] == key:
            return self.entries[row]
        return None

    def page(self, file: int, page: int) -> bytes | None:
        """Return a sound page by its number, None where it is lost."""
        if (file, page) in self._cache:
            self._cache.move_to_end((file, page))
            return self._cache[file, page]
        entry = self.find(file, page)
        if entry is None or entry["soundness"] < Soundness.UNCHECKED:
            return None
        data = self.read(entry.reshape(1))[0].tobytes()
        self._cache[file, page] = data
        if len(self._cache) > CACHE:
            self._cache.popitem(last=False)
        return data

    def allocated(self, entries: NDArray[np.void]) -> NDArray[np.bool_]:
        """Tell which pages are in use; where the page that would tell is lost, they are."""
        out = np.ones(len(entries), bool)
        homes = np.maximum(entries["page"] // PFS_STEP * PFS_STEP, 1)
        told_by = entries["file"].astype(np.int64) << 32 | homes
        for each in np.unique(told_by).tolist():
            page = self.page(each >> 32, each & 0xFFFFFFFF)
            if page is None or page[1] != Kind.PFS:
                continue
            mine = told_by == each
            uses = np.frombuffer(page, np.uint8)[100 + entries["page"][mine] % PFS_STEP]
            out[mine] = uses & ALLOCATED > 0
        return out


def _taken(entries: NDArray[np.void], order: NDArray[np.int64]) -> NDArray[np.void]:
    """Return ``entries`` in that order: themselves where it is theirs, as many of them fill much memory."""
    return entries if np.array_equal(order, np.arange(len(entries))) else entries[order]


def keys_of(entries: NDArray[np.void]) -> NDArray[np.int64]:
    """Return a number for each page that says its file and its place in it."""
    return entries["file"].astype(np.int64) << 32 | entries["page"]


def _by_worth(found: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the order by file and page, the best copy of each first."""
    keys = keys_of(found)
    if (keys[1:] > keys[:-1]).all():
        return np.arange(len(found))  # one whole file, where millions of pages need no sorting
    newest = (found["lsn_slot"], found["lsn_block"], found["lsn_file"], found["soundness"])
    falling = [np.iinfo(np.int64).max - column.astype(np.int64) for column in newest]
    return np.lexsort((found["source"], *falling, found["page"], found["file"]))


def _older(found: NDArray[np.void], sources: int) -> tuple[bool, ...]:
    """Tell which sources hold an older state: a page of theirs is older than another source's copy."""
    sound = found[found["soundness"] >= Soundness.UNCHECKED]
    same = keys_of(sound)[1:] == keys_of(sound)[:-1]
    behind = np.zeros(len(same), bool)
    for name in ("lsn_file", "lsn_block", "lsn_slot"):
        behind |= sound[name][1:] != sound[name][:-1]
    return tuple(bool((same & behind & (sound["source"][1:] == source)).any()) for source in range(sources))
