"""JSON exports: responses of an interface, one or many to a file, found wherever they are nested."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec

from unransom.catalog.exports.channel import Source, UnreadableExportError
from unransom.catalog.exports.money import units_of
from unransom.core.errors import UnreadableError
from unransom.core.messages import say

LARGEST = 1 << 30  # bytes of a document; a page of an interface has a few megabytes
_DECODER = msgspec.json.Decoder(float_hook=Decimal)  # money is never a float
Entry = dict[str, Any]


class Document:
    """A JSON export: one document, several behind each other, or one a line."""

    def __init__(self, source: Source) -> None:
        """Read and decode ``source``.

        Raises:
            UnreadableExportError: It is no JSON, is cut off, or is nested beyond reason.
        """
        if source.reader.size > LARGEST:
            raise UnreadableExportError(say("it is larger than an export of this kind can be"))
        try:
            data = source.reader.read_at(0, source.reader.size)
        except UnreadableError as error:
            raise UnreadableExportError(say("a part of it cannot be read"), detail=str(error)) from error
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.pages = _decode(data.removeprefix(b"\xef\xbb\xbf"))

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
    must, may = ([f'"{name}"'.encode() for name in names] for names in (any_of, others))

    def recognise(head: bytes) -> int:
        if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in {b"{", b"["}:
            return 0
        found = sum(name in head for name in must)
        return found + sum(name in head for name in may) if found else 0

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
