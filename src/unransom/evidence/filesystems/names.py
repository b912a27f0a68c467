"""Which names stood for which numbers of inodes, and when: numbers are given out again."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

NOW = 1 << 62  # order of what stands in the file system itself, after all that a journal has
DEEPEST = 128  # folders in each other


class Name(NamedTuple):
    """A name that stood for an inode.

    Attributes:
        order: When it was seen: the larger, the later.
        folder: Inode of its folder, 0 where that is not known.
        name: The name.
        live: It counted then; else it stood in a gap.
    """

    order: int
    folder: int
    name: bytes
    live: bool


class Names:
    """The names that were seen."""

    def __init__(self, root: int) -> None:
        """Keep names of a volume whose topmost folder is the inode ``root``."""
        self._root = root
        self._of: dict[int, list[Name]] = defaultdict(list)
        self._parents: dict[int, tuple[int, bytes]] = {}

    def add(self, inode: int, name: Name, *, folder: bool) -> None:
        """Keep that ``name`` stood for ``inode``, which is a folder or not."""
        self._of[inode].append(name)
        if folder:
            self._parents.setdefault(inode, (name.folder, name.name))

    def path(self, inode: int, after: int, at: int) -> bytes:
        """Return the path of an inode as it was ``at``, its number given out ``after`` an earlier time.

        A name that stands for the number now is of another file. b"" where no name is known, a name alone
        where its folder is not.
        """
        every = self._of.get(inode, ())
        now = {each.name for each in every if each.order == NOW and each.live}
        old = [each for each in every if each.name not in now]
        within = [each for each in old if each.live and after < each.order < NOW]
        if within:
            nearest = min(within, key=lambda each: (not each.folder, abs(each.order - at), each.order))
            return self._path(nearest)
        different = {(each.folder, each.name): each for each in old}
        return self._path(next(iter(different.values()))) if len(different) == 1 else b""

    def _path(self, name: Name) -> bytes:
        parts = [name.name]
        folder = name.folder
        while folder != self._root and folder in self._parents and len(parts) < DEEPEST:
            folder, part = self._parents[folder]
            parts.append(part)
        return b"/".join(reversed(parts))
