"""Which fonts the content streams of a PDF use, and pages for streams whose own are lost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from unransom.catalog.formats.repair._pdf_letters import CharacterSet, Letters, character_set_in, letters_in
from unransom.catalog.formats.repair._pdf_objects import Object
from unransom.catalog.formats.repair._pdf_text import CONTENT, data_of
from unransom.catalog.formats.repair.repair import Damaged

FONTS = re.compile(rb"/Font\s*(?:<<([^<>]*)>>|(\d{1,10})\s+\d{1,5}\s+R)")
NAMED = re.compile(rb"/([^\s/<>\[\]()]+)\s+(\d{1,10})\s+\d{1,5}\s+R")
RESOURCES = re.compile(rb"/Resources\s+(\d{1,10})\s+\d{1,5}\s+R")
UNICODE = re.compile(rb"/ToUnicode\s+(\d{1,10})\s+\d{1,5}\s+R")
CONTENTS = re.compile(rb"/Contents\s*(?:\[([^\]]*)\]|(\d{1,10})\s+\d{1,5}\s+R)")
REFERENCE = re.compile(rb"(\d{1,10})\s+\d{1,5}\s+R")
USED = re.compile(rb"/([^\s/<>\[\]()]+)\s+-?[\d.]+\s+Tf\b")
PLAIN = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"


class Fonts:
    """The fonts of a document by the names that its pages give them."""

    def __init__(self, damaged: Damaged, found: dict[int, Object]) -> None:
        self._damaged = damaged
        self._found = found
        self._letters: dict[int, Letters | CharacterSet | None] = {}
        every: dict[bytes, set[int]] = {}
        for each in found.values():
            for name, number in self._named(each.text).items():
                every.setdefault(name, set()).add(number)
        # What name and font a lost page had is known where all pages say the same.
        self.common = {name: numbers.pop() for name, numbers in every.items() if len(numbers) == 1}

    def _named(self, text: bytes) -> dict[bytes, int]:
        """Return the fonts that resources in ``text`` name."""
        named: dict[bytes, int] = {}
        for inline, number in FONTS.findall(text):
            listed = self._found.get(int(number)) if number else None
            named |= {name: int(font) for name, font in NAMED.findall(listed.text if listed else inline)}
        return named

    def of_pages(self, pages: Iterable[bytes]) -> dict[int, dict[bytes, int]]:
        """Return by content stream the fonts that its page names; ``pages`` are their dictionaries."""
        found: dict[int, dict[bytes, int]] = {}
        for text in pages:
            resources = RESOURCES.search(text)
            shared = self._found.get(int(resources[1])) if resources else None
            named = self._named(text) or (self._named(shared.text) if shared else {})
            found |= dict.fromkeys(contents_of(text), named)
        return found

    def stand_ins(self, pages: Iterable[bytes], lost: set[int]) -> dict[int, bytes]:
        """Return plain fonts, and lists of them, for those of the ``lost`` objects that are such.

        Args:
            pages: The dictionaries of the pages that are left.
            lost: Numbers of objects.
        """
        named = (number for each in self._found.values() for number in self._named(each.text).values())
        found = dict.fromkeys(lost.intersection(named), PLAIN)
        used: dict[int, dict[bytes, None]] = {}
        for text in pages:
            resources = RESOURCES.search(text)
            shared = self._found.get(int(resources[1])) if resources else None
            listed = FONTS.search(shared.text if shared else text)
            for number, is_list in ((resources and resources[1], False), (listed and listed[2], True)):
                if number and int(number) in lost:
                    names = USED.findall(self._shown(text))
                    used.setdefault(int(number), {}).update(dict.fromkeys(names))
                    found[int(number)] = self._list(used[int(number)], is_list=is_list)
        return found

    def _shown(self, page: bytes) -> bytes:
        """Return what a page shows, as far as it is left."""
        streams = (self._found.get(number) for number in contents_of(page))
        return b"\n".join(data_of(self._damaged, each) for each in streams if each and each.start)

    def _list(self, names: Iterable[bytes], *, is_list: bool) -> bytes:
        fonts = font_list(names, self.common)
        return fonts if is_list else b"<< /Font %s >>" % fonts

    def letters(self, named: Mapping[bytes, int]) -> dict[bytes, Letters | CharacterSet]:
        """Return the letters of fonts by name, of those that say them."""
        known = {name: self._letters_of(number) for name, number in named.items()}
        return {name: letters for name, letters in known.items() if letters}

    def _letters_of(self, number: int) -> Letters | CharacterSet | None:
        if number not in self._letters:
            font = self._found.get(number)
            link = UNICODE.search(font.text) if font else None
            stream = self._found.get(int(link[1])) if link else None
            letters = letters_in(data_of(self._damaged, stream)) if stream else None
            self._letters[number] = letters or (character_set_in(font.text) if font else None)
        return self._letters[number]


def contents_of(page: bytes) -> list[int]:
    """Return the numbers of the streams that a page shows."""
    found = CONTENTS.search(page)
    if found is None:
        return []
    return (
        [int(number) for number in REFERENCE.findall(found[1])] if found[1] is not None else [int(found[2])]
    )


def orphans(damaged: Damaged, found: dict[int, Object], shown: set[int]) -> list[int]:
    """Return the content streams that no page shows, in the order of the file."""
    streams = sorted((each for each in found.values() if each.start), key=lambda each: each.start)
    return [
        each.number
        for each in streams
        if each.number not in shown
        and b"/Subtype" not in each.text
        and b"/Type" not in each.text
        and CONTENT.search(data_of(damaged, each))
    ]


def page_for(stream: int, content: bytes, tree: int, fonts: Mapping[bytes, int], box: bytes) -> bytes:
    """Return a page that shows a stream whose own is lost; fonts that are lost too are plain ones."""
    named = font_list(dict.fromkeys(USED.findall(content)), fonts)
    page = b"<< /Type /Page /Parent %d 0 R %s /Contents %d 0 R /Resources << /Font %s >> >>"
    return page % (tree, box, stream, named)


def font_list(names: Iterable[bytes], fonts: Mapping[bytes, int]) -> bytes:
    """Return a list of the fonts called ``names``; those that are not in ``fonts`` are plain ones."""
    named = (b"/%s %s" % (name, b"%d 0 R" % fonts[name] if name in fonts else PLAIN) for name in names)
    return b"<< %s >>" % b" ".join(named)
