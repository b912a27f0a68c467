"""What a locker adds to a file as a whole: a head, a tail, and what they say about the original."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta

from unransom.catalog.schemes.data import BytesName, Data, NumberName
from unransom.catalog.schemes.family import Mark
from unransom.catalog.schemes.layout import Head, Number, Part, Tail
from unransom.core.paths import base_name
from unransom.core.streams import Reader

MOST_PADDING = 1 << 20  # bytes


class Original(Data, frozen=True):
    """What the metadata says about the original.

    Attributes:
        size: Name of the number that holds its bytes; "" where it is all that is no metadata.
        padding: Bytes by which what is locked may be longer than that: the locker fills up, then locks.
        name: Name of the field, or part of the unwrapped key, with its name.
        encoding: Of the name, which ends at its first zero.
    """

    size: NumberName = ""
    padding: Annotated[int, Meta(ge=0, le=MOST_PADDING)] = 0
    name: BytesName = ""
    encoding: Literal["utf-8", "utf-16-le"] = "utf-8"

    def decoded(self, data: bytes) -> bytes | None:
        """Return the name in ``data`` in UTF-8 and without folders, None where it is empty."""
        text = data.decode(self.encoding, "replace").partition("\0")[0]
        return base_name(text.encode("utf-8", "replace")) or None


class Metadata(NamedTuple):
    """Head and tail.

    Attributes:
        head: Before the locked bytes.
        tail: Behind them.
        original: What they say about the original.
        wrapped: Name of the field with the wrapped key, where neither of them names it.
    """

    head: Head | None
    tail: Tail | None
    original: Original
    wrapped: str = ""

    @property
    def before(self) -> int:
        """Bytes of the head."""
        return self.head.size if self.head else 0

    def content(self, locked: Reader) -> int:
        """Return how many bytes there are between head and tail; negative where they do not fit."""
        return locked.size - self.before - (self.tail.size if self.tail else 0)

    def parts(self) -> Iterator[Part]:
        """Yield the parts of both."""
        for place in (self.head, self.tail):
            yield from place.parts if place else ()

    def __call__(self, locked: Reader) -> Mark | None:
        """Return the mark of ``locked``, None where something in it is not as it must be."""
        content = self.content(locked)
        if content < 0:
            return None
        head = self.head.mark(locked.read_at(0, self.before)) if self.head else NO_MARK
        end = self.before + content
        tail = self.tail.mark(locked.read_at(end, locked.size - end)) if self.tail else NO_MARK
        if head is None or tail is None:
            return None
        numbers, fields = {**head.numbers, **tail.numbers}, {**head.fields, **tail.fields}
        size = numbers.get(self.original.size, content)
        if not size <= content <= size + self.original.padding:
            return None
        return Mark(
            bits=head.bits + tail.bits + self._size_bits(size),
            fields=fields,
            numbers=numbers,
            plain_size=size,
            wrapped=tail.wrapped or head.wrapped or fields.get(self.wrapped, b""),
            campaign=tail.campaign or head.campaign,
        )

    def _size_bits(self, size: int) -> int:
        """Return how many bits more than by itself the original's size is sure of, as it fits the file."""
        number = next(
            (part for part in self.parts() if isinstance(part, Number) and part.name == self.original.size),
            None,
        )
        if number is None or not size:  # zeros are no size
            return 0
        return max(8 * number.size - self.original.padding.bit_length() - number.bits(size), 0)


NO_MARK = Mark(bits=0)
