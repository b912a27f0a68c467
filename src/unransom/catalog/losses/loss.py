"""What a rule that proves data to be lost is to unransom."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import msgspec

from unransom.catalog.formats.identify import by_name
from unransom.catalog.schemes.family import PROVEN, Locked, Mark
from unransom.core.messages import Message
from unransom.core.spans import ByteMap, Span
from unransom.core.streams import Reader

TELLING = 5  # bytes of an extension, with its dot, that hardly any other program's files have


class Stripes(msgspec.Struct, frozen=True):
    """Ranges of one length at equal distances; one range where ``count`` is 1.

    Attributes:
        start: Where the first begins.
        length: Bytes of each.
        step: Bytes from the beginning of one to the beginning of the next.
        count: How many there are.
    """

    start: int
    length: int
    step: int = 0
    count: int = 1

    def __str__(self) -> str:
        if self.count == 1:
            return f"{self.start}-{self.start + self.length}"
        return f"{self.length} of every {self.step} from {self.start}, {self.count} times"

    def spans(self) -> Iterator[Span]:
        """Yield each range."""
        for number in range(self.count):
            start = self.start + number * self.step
            yield Span(start, start + self.length)


class Loss(msgspec.Struct, frozen=True):
    """What a rule says of a file.

    Attributes:
        bits: How many bits of the file are as only this loss leaves them. From ``PROVEN`` on the loss is
            proven; below that it is a warning.
        why: The sentence for people.
        parts: Which bytes are lost for good, in order; none of a file that is ``whole`` or of a warning
            that does not know.
        whole: Nothing of the original is left in the file.
    """

    bits: int
    why: Message
    parts: tuple[Stripes, ...] = ()
    whole: bool = False

    @property
    def proven(self) -> bool:
        """Whether the loss is more than a warning."""
        return self.bits >= PROVEN

    @property
    def size(self) -> int:
        """Bytes in ``parts``."""
        return sum(part.length * part.count for part in self.parts)


class Clues(msgspec.Struct, frozen=True):
    """What is known about a file besides its bytes.

    Attributes:
        path: Its path as it was found.
        named: Families whose extension it carries, with the path without it; not those whose extension a
            dozen lockers share.
        marks: The marks that families find on it.
    """

    path: bytes
    named: Mapping[str, bytes] = {}
    marks: Mapping[str, Mark] = {}

    @property
    def locker(self) -> str:
        """The family that the name gives away, "" where it may as well be any other program's.

        An extension of a few letters proves nothing on a file without content: it must be a long one, on
        top of an extension that a format is known by.
        """
        for family, original in self.named.items():
            if len(self.path) - len(original) >= TELLING and by_name(original):
                return family
        return ""

    def without(self, extension: str) -> bytes:
        """Return the path without ``extension``, a pattern; b"" where another one, or nothing, ends it."""
        match = re.fullmatch(rb"(?s:(.*[^/]))" + extension.encode(), self.path)
        return match[1] if match else b""


class Rule(msgspec.Struct, frozen=True):
    """A way in which data is lost.

    Attributes:
        name: Lower-case short name, the same as its module's.
        title: What people call it.
        references: Where it is written down.
        judge: Takes a locked file and what is known about it; returns what is lost, None where the rule
            does not speak of it.
        judge_opened: Takes what a proven key made of a file, and where its bytes come from; returns what
            is lost in that, None where the rule does not speak of it.
        limitations: What it does not see.
    """

    name: str
    title: str
    references: tuple[str, ...]
    judge: Callable[[Locked, Clues], Loss | None] | None = None
    judge_opened: Callable[[Reader, ByteMap], Loss | None] | None = None
    limitations: tuple[str, ...] = ()
