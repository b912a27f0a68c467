"""What the step is given: a damaged file of a database, and the files that may help with it."""

from __future__ import annotations

from unransom.core.records import FileRef, Record

METHOD = "databases"  # of outputs


class Place(Record, frozen=True, kw_only=True):
    """A file, and where what came back of it is.

    Attributes:
        ref: The file in the evidence.
        output: Path below the case folder of what was recovered of it, b"" where it is read as it lies.
        name: Last part of its path before the attack.
    """

    ref: FileRef
    output: bytes = b""
    name: str


class DatabaseFile(Record, frozen=True, kw_only=True):
    """A damaged data file.

    Attributes:
        file: The file.
        others: Files of the same database: definitions, logs, backups, old copies, scripts.
    """

    file: Place
    others: tuple[Place, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all of them."""
        return sum(each.ref.size for each in (self.file, *self.others))
