"""Which format a file is in, by its head and its name."""

from __future__ import annotations

from typing import NamedTuple

from unransom.catalog.formats import FORMATS
from unransom.catalog.formats.format import HEAD, Format


class Identified(NamedTuple):
    """A format, and how many bits of the head speak for it."""

    format: Format
    bits: int


def extension_of(name: bytes) -> str:
    """Return the extension of a file name, lower case without the dot; "" where it has none."""
    stem, dot, extension = name.rpartition(b"/")[2].rpartition(b".")
    return extension.decode("ascii", "replace").lower() if dot and stem and len(extension) <= 16 else ""


def by_name(name: bytes) -> tuple[Format, ...]:
    """Return the formats that files called ``name`` usually are in."""
    extension = extension_of(name)
    return tuple(each for each in FORMATS if extension in each.extensions) if extension else ()


def identify(head: bytes, name: bytes = b"") -> Identified | None:
    """Return the format that ``head`` speaks for most, None where no format takes it.

    A format that the name speaks for too wins over one with as many bits.

    Args:
        head: The first ``HEAD`` bytes, fewer where the file is shorter.
        name: Name or path of the file.
    """
    extension = extension_of(name)
    best: tuple[int, bool] = (0, False)
    chosen: Format | None = None
    for each in FORMATS:
        rank = (each.recognise(head[:HEAD]), extension in each.extensions)
        if rank[0] and rank > best:
            best, chosen = rank, each
    return Identified(chosen, best[0]) if chosen else None
