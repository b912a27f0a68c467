"""What a section of the key benchmarks hands to the table."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """A measured rate.

    Attributes:
        what: What was done.
        unit: Of what.
        rate: A second, on all cores that took part.
        core: In a second of processor time of one core; 0 where that is not known.
        cores: How many took part.
        wanted: The rate that is demanded, 0 where none is.
        note: What it is compared with, and the like.
    """

    what: str
    unit: str
    rate: float
    core: float = 0
    cores: int = 1
    wanted: float = 0
    note: str = ""
