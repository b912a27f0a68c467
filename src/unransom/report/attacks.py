"""What an attack on keys would cost, and what came of it."""

from __future__ import annotations

from unransom.core.messages import Message
from unransom.report.tallies import Part


class CostFacts(Part, frozen=True, kw_only=True):
    """How long a search takes, on one machine and on several.

    Attributes:
        cores: Of this machine.
        seconds_here: On all of them.
        machines: How many machines like this one.
        seconds_together: On all cores of these.
    """

    cores: int
    seconds_here: float
    machines: int
    seconds_together: float


class AttackFacts(Part, frozen=True, kw_only=True):
    """An attack on the keys of files that no given key opens: what it would cost, and what came of it.

    Attributes:
        attack: Its short name, as in ``unransom list attacks``.
        title: What people call it.
        weakness: Which flaw it needs, ``T1`` to ``T19``.
        family: Whose files it is for; "" where no family is known.
        family_title: What the press calls that family, "" where none is known.
        outcome: ``found`` (it opened files); ``searched`` (all was tried, without success); ``stopped`` (a
            part was tried); ``waiting`` (nothing was tried yet); ``ruled_out`` (it cannot be tried on what
            there is).
        each: Every file has a key of its own: candidates and seconds are for one file.
        candidates: Keys that there are to try.
        seconds: Of one core of this machine for all of them.
        cost: The same on all cores of this machine and on several machines, null where it is ruled out.
        tried: Keys that were tried.
        done: Part of the search that is done, 0.0 to 1.0.
        chance: That it finds the key, 0.0 to 1.0, as estimated before it began.
        why: What speaks for it, what rules it out, or the proof of the key that it found.
        helps: What more input would help most, null where nothing would.
    """

    attack: str
    title: Message
    weakness: str
    family: str = ""
    family_title: str = ""
    outcome: str
    each: bool = False
    candidates: int = 0
    seconds: float = 0.0
    cost: CostFacts | None = None
    tried: int = 0
    done: float = 0.0
    chance: float = 0.0
    why: Message
    helps: Message | None = None
