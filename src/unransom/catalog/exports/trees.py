"""XML in a stream: one element after the other, within limits, without entities and without a whole tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from unransom.catalog.exports.channel import UnreadableExportError
from unransom.core.messages import say

DEEPEST = 64  # elements within each other
LONGEST = 8 << 20  # characters of one element that is given, and bytes of a tag
MOST_NODES = 200_000  # below one element that is given


def elements(pieces: Iterable[bytes], wanted: frozenset[str]) -> Iterator[Element]:
    """Yield the elements of these names, without what is around them; names are without namespaces.

    Args:
        pieces: The document.
        wanted: Names; an element within another of them comes as a part of that.

    Raises:
        UnreadableExportError: It is no whole XML, declares entities, or is beyond all measure.
    """
    collector = _Collector(wanted)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = collector.start
    parser.EndElementHandler = collector.end
    parser.CharacterDataHandler = collector.text
    parser.StartDoctypeDeclHandler = _refuse_entities
    fed = 0
    try:
        for piece in pieces:
            parser.Parse(piece, False)
            fed += len(piece)
            if fed - max(parser.CurrentByteIndex, 0) > LONGEST + len(piece):
                raise UnreadableExportError(say("a tag or a text of it is far too long"))
            yield from collector.taken()
        parser.Parse(b"", True)
    except (
        expat.ExpatError,
        ValueError,
        LookupError,
    ) as error:  # the latter two for odd or unknown encodings
        raise UnreadableExportError(say("it is no whole XML"), detail=str(error)) from error
    yield from collector.taken()


def local(name: str) -> str:
    """Return a name without its namespace's prefix."""
    return name.rpartition(":")[2]


class _Collector:
    """Puts together the elements that are wanted."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self._wanted = wanted
        self._found: list[Element] = []
        self._builder: TreeBuilder | None = None
        self._depth = self._from = self._size = self._nodes = 0

    def taken(self) -> list[Element]:
        """Return what is complete, once."""
        found, self._found = self._found, []
        return found

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        self._depth += 1
        self._nodes += 1
        if self._depth > DEEPEST:
            raise UnreadableExportError(say("it is nested beyond reason"))
        if self._builder is None and local(name) in self._wanted:
            self._builder = TreeBuilder()
            self._from, self._size, self._nodes = self._depth, 0, 0
        if self._builder is not None:
            if self._nodes > MOST_NODES:
                raise UnreadableExportError(say("it is nested beyond reason"))
            self._builder.start(local(name), attributes)

    def text(self, text: str) -> None:
        """Take a piece of text."""
        if self._builder is not None:
            self._size += len(text)
            if self._size > LONGEST:
                raise UnreadableExportError(say("a tag or a text of it is far too long"))
            self._builder.data(text)

    def end(self, name: str) -> None:
        """End an element."""
        if self._builder is not None:
            self._builder.end(local(name))
            if self._depth == self._from:
                self._found.append(self._builder.close())
                self._builder = None
        self._depth -= 1


def _refuse_entities(*_: object) -> None:
    raise UnreadableExportError(say("it declares entities, which no export does"))
