"""JSON exports: responses of an interface, one or many to a file, found wherever they are nested."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec

from unransom.catalog.exports.channel import Source, UnreadableExportError
from unransom.catalog.exports.encodings import UTF8, detect, text_of
from unransom.catalog.exports.money import units_of
from unransom.core.errors import UnreadableError
from unransom.core.messages import say
from unransom.core.streams import chunks

LARGEST = 512 << 20  # bytes of a file; a page of an interface has a few megabytes
LONGEST = 1 << 20  # bytes without a quotation mark, which no text or row of numbers of an export has
MEMORY = 3 << 30  # bytes that the objects of a file may take, by this rule of thumb:
CONTAINER, VALUE = 120, 60  # bytes of a list or an object, and of a value in it
ENCODINGS = (UTF8, "gb18030")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)  # money is never a float
Entry = dict[str, Any]


class Document:
    """A JSON export: one document, several behind each other, or one a line."""

    def __init__(self, source: Source) -> None:
        """Read and decode ``source``.

        Raises:
            UnreadableExportError: It is no JSON, is cut off, or is nested beyond reason.
        """
        try:
            _check(source)
            encoded = detect(source, ENCODINGS)
            data = source.reader.read_at(encoded.mark, source.reader.size - encoded.mark)
        except UnreadableError as error:
            raise UnreadableExportError(say("a part of it cannot be read"), detail=str(error)) from error
        self.encoding, self.sha256 = encoded.encoding, encoded.sha256
        self.pages = _decode(data if encoded.encoding == UTF8 else data.decode(encoded.encoding).encode())

    def find(self, wanted: Callable[[Entry], bool]) -> Iterator[Entry]:
        """Yield the objects that ``wanted`` takes, in the order of the file; not what is inside of them."""
        stack: list[Any] = [self.pages]
        while stack:
            entry = stack.pop()
            if isinstance(entry, dict):
                if wanted(entry):
                    yield entry
                    continue
                stack.extend(reversed(entry.values()))
            elif isinstance(entry, list):
                stack.extend(reversed(entry))


def _check(source: Source) -> None:
    """Make sure that a file can be decoded without harm, before it is read as a whole.

    Raises:
        UnreadableExportError: It would take more memory than any export does.
    """
    memory = source.reader.size
    if memory > LARGEST:
        raise _too_large()
    since = 0  # the last quotation mark
    for piece in chunks(source.reader):
        first, last = piece.find(b'"'), piece.rfind(b'"')
        longest = max(map(len, piece.split(b'"'))) if len(piece) > LONGEST and first >= 0 else 0
        if max(longest, since + (first if first >= 0 else len(piece))) > LONGEST:
            raise UnreadableExportError(
                say("it has a stretch without texts that no export has"),
                hint=say("it may be cut, padded or made to harm; export it again"),
            )
        since = len(piece) - last - 1 if last >= 0 else since + len(piece)
        memory += CONTAINER * (piece.count(b"{") + piece.count(b"[")) + VALUE * piece.count(b",")
    if memory > MEMORY:
        raise _too_large()


def _too_large() -> UnreadableExportError:
    return UnreadableExportError(
        say("it is larger than an export of this kind can be"),
        hint=say("name its pages as files of their own"),
    )


def _decode(data: bytes) -> list[Any]:
    try:
        return [_DECODER.decode(data)]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        first = error
    except RecursionError as error:
        raise UnreadableExportError(say("it is nested beyond reason")) from error
    try:
        return _DECODER.decode_lines(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableExportError(say("it is no whole JSON"), detail=str(first)[:200]) from error
    except RecursionError as error:
        raise UnreadableExportError(say("it is nested beyond reason")) from error


def recogniser(any_of: tuple[str, ...], others: tuple[str, ...] = ()) -> Callable[[bytes], int]:
    """Return what counts names of fields in a file's beginning; one of ``any_of`` must be there."""
    must, may = ([f'"{name}"' for name in names] for names in (any_of, others))

    def recognise(head: bytes) -> int:
        begin = text_of(head, ENCODINGS).lstrip("\ufeff \t\r\n")
        if begin[:1] not in {"{", "["}:
            return 0
        found = sum(name in begin for name in must)
        return found + sum(name in begin for name in may) if found else 0

    return recognise


def text(entry: object, *path: str) -> str:
    """Return the text at ``path`` in nested objects, "" where there is none."""
    for name in path:
        entry = entry.get(name) if isinstance(entry, dict) else None
    return entry if isinstance(entry, str) else str(entry) if isinstance(entry, int | Decimal) else ""


def objects(entry: object, *path: str) -> list[Entry]:
    """Return the objects in the list at ``path``; empty where there is none."""
    for name in path:
        entry = entry.get(name) if isinstance(entry, dict) else None
    return [each for each in entry if isinstance(each, dict)] if isinstance(entry, list) else []


def amount(entry: object, *path: str) -> tuple[int | None, str]:
    """Return the units and the currency of the money at ``path``, in any of the interfaces' spellings."""
    for name in path:
        entry = entry.get(name) if isinstance(entry, dict) else None
    if not isinstance(entry, dict):
        return None, ""
    value = next(
        (
            entry[key]
            for key in ("value", "Amount", "amount", "CurrencyAmount", "currencyAmount")
            if key in entry
        ),
        None,
    )
    code = next(
        (entry[key] for key in ("currency", "CurrencyCode", "currencyCode", "currency_code") if key in entry),
        "",
    )
    return units_of(value), str(code)
