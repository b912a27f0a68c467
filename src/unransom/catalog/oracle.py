"""The plaintext oracle: does this content make sense, and how sure is that?

One service under every attack, unlock and triage. The answer is in bits: random bytes in place of the
content would pass with probability 2**-bits.
"""

from __future__ import annotations

import msgspec

from unransom.catalog.formats import FORMATS
from unransom.catalog.formats.format import HEAD, Known, Validation
from unransom.catalog.formats.identify import by_name, identify
from unransom.core.messages import say
from unransom.core.records import Grade
from unransom.core.streams import Reader


class Judgement(msgspec.Struct, frozen=True):
    """What the content of a file is, and how far it holds.

    Attributes:
        format: Name of the format, "" where no format takes the content.
        validation: How far the content is what the format demands.
    """

    format: str
    validation: Validation


def judge(content: Reader, name: bytes = b"") -> Judgement:
    """Return what ``content`` is by its own structure; ``name`` breaks ties and says what to expect.

    Content that no format takes is UNKNOWN, or BAD where the name promises a format that has a
    signature and the content does not begin with it.
    """
    found = identify(content.read_at(0, HEAD), name)
    if found:
        return Judgement(found.format.name, found.format.validate(content))
    if content.size == 0:
        return Judgement("", Validation(Grade.GOOD, 0, say("empty"), 0))
    promised = by_name(name)
    if promised:
        why = say("the name says {format}, the content does not begin like it", format=promised[0].title)
        return Judgement("", Validation(Grade.BAD, 0, why))
    return Judgement("", Validation(Grade.UNKNOWN, 0, say("no known format begins like this")))


def heads(name: bytes, bits: int, end: int) -> tuple[Known, ...]:
    """Return what the first bytes of a file may be: of the formats that ``name`` promises, else of all.

    Args:
        name: Name or path of the original, as far as it is known.
        bits: What is shorter than so many bits is left out: it would match by chance too often.
        end: What reaches behind so many bytes is left out.
    """
    chosen = by_name(name) or FORMATS
    every = (known for each in chosen for known in each.known)
    fitting = (each for each in every if each.offset >= 0 and each.offset + len(each.data) <= end)
    long = sorted((each for each in fitting if 8 * len(each.data) >= bits), key=lambda each: len(each.data))
    kept: list[Known] = []
    for each in long:  # the shorter one finds what a longer one with the same beginning would
        if not any(one.offset == each.offset and each.data.startswith(one.data) for one in kept):
            kept.append(each)
    return tuple(kept)
