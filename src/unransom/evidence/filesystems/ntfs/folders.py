"""Which path a name had: folders by the numbers of their records, which are given out again."""

from __future__ import annotations

from typing import NamedTuple, Self

ROOT = 5
DEEPEST = 128  # folders in each other
NUMBER = 48  # bits of a record's number
ORPHANS = b"$OrphanFiles/"  # what The Sleuth Kit calls the folder of what is in none


class Reference(NamedTuple):
    """A record of the master file table, and how often it had been given out; 0 where that is not known."""

    record: int
    sequence: int

    @classmethod
    def of(cls, word: int) -> Self:
        """Return what a reference of 64 bits says."""
        return cls(word & (1 << NUMBER) - 1, word >> NUMBER)


class Folders:
    """The folders of a volume, those that are gone included."""

    def __init__(self) -> None:
        self._known: dict[Reference, tuple[bytes, Reference]] = {}
        self._latest: dict[int, Reference] = {}

    def add(self, folder: Reference, name: bytes, parent: Reference) -> None:
        """Keep what a folder is called, and in which other one it is; the first that is said of it counts."""
        self._known.setdefault(folder, (name, parent))
        if folder.sequence >= self._latest.get(folder.record, folder).sequence:
            self._latest[folder.record] = folder

    def records(self) -> set[int]:
        """Return the numbers of the records that are or were folders."""
        return {ROOT, *self._latest}

    def path(self, name: bytes, parent: Reference) -> bytes:
        """Return the path of a name; without what is not known of it."""
        return self._path(name, parent)[0]

    def path_or_orphan(self, name: bytes, parent: Reference) -> bytes:
        """Return the path of a name; below the number of the first folder that is not known of it."""
        path, top = self._path(name, parent)
        return path if top == ROOT else b"%s%d/%s" % (ORPHANS, top, path)

    def _path(self, name: bytes, parent: Reference) -> tuple[bytes, int]:
        """Return what is known of a path, and the number of the folder that this is in."""
        parts = [name]
        while parent.record != ROOT and len(parts) < DEEPEST:
            known = self._known.get(parent if parent.sequence else self._latest.get(parent.record, parent))
            if known is None:
                break
            part, parent = known
            parts.append(part)
        return b"/".join(reversed(parts)), parent.record
