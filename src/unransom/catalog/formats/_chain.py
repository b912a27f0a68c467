"""Files that are chains of parts, in which each says where the next one begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from unransom.catalog.formats._findings import Findings
from unransom.catalog.formats._reading import Cached, find
from unransom.core.messages import say
from unransom.core.streams import Reader

RESUMED = 1 << 16  # places at which a chain is taken up again, or that is tried
AFTER = 2  # parts that must follow each other there


class Link(NamedTuple):
    """A part: where it ends, how many of its bits are as they must be, and whether no other follows."""

    end: int
    bits: int
    last: bool = False


Step = Callable[[Reader, int], Link | None]


class Chain(msgspec.Struct):
    """What was found of a chain: its end, how many parts it has, and whether one says that it is the last."""

    end: int
    parts: int = 0
    closed: bool = False


def follow(reader: Reader, start: int, step: Step, findings: Findings, mark: bytes = b"") -> Chain:
    """Go from part to part.

    Args:
        reader: The file.
        start: Offset of the first part.
        step: Returns the part at an offset, None where there is none.
        findings: What holds is entered there, and what does not.
        mark: What parts begin with, by which the chain is taken up behind damage; b"" to stop there.
    """
    cached, chain, left = Cached(reader), Chain(start), RESUMED
    while chain.end < reader.size and not chain.closed:
        link = step(cached, chain.end)
        if link is not None and chain.end < link.end <= reader.size:
            findings.hold(link.bits)
            chain = Chain(link.end, chain.parts + 1, link.last)
            continue
        again, left = _taken_up(cached, chain.end + 1, step, mark, left)
        if again is None:
            if link is not None:
                findings.fault(
                    chain.end,
                    reader.size,
                    say("the last part, at byte {offset}, is cut off", offset=chain.end),
                )
            break
        why = say("the chain of parts breaks at byte {offset}", offset=chain.end)
        findings.fault(chain.end, again, why)
        chain.end = again
    return chain


def _taken_up(reader: Reader, start: int, step: Step, mark: bytes, left: int) -> tuple[int | None, int]:
    """Return where parts follow each other again, and how many more places may be tried."""
    at = find(reader, mark, start) if mark else -1
    while at >= 0 and left > 0:
        left -= 1
        end, links = at, 0
        while links < AFTER and (link := step(reader, end)) is not None and end < link.end <= reader.size:
            end, links = link.end, links + 1
            if link.last or end == reader.size:
                links = AFTER
        if links >= AFTER:
            return at, left
        at = find(reader, mark, at + 1)
    return None, left
