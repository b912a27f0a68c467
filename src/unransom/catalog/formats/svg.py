"""SVG pictures: XML with an ``svg`` root."""

from __future__ import annotations

import re

from unransom.catalog.formats import xml
from unransom.catalog.formats.format import Format, Known

ROOT = re.compile(r"<(?:svg|svg:svg)[\s>]")


def recognise(head: bytes) -> int:
    """Return the bits by which ``head`` starts an SVG picture."""
    bits = xml.recognise(head)
    return bits + 16 if bits and ROOT.search(xml.head_text(head)) else 0


FORMAT = Format(
    name="svg",
    title="SVG picture",
    extensions=("svg",),
    recognise=recognise,
    measure=xml.measure,
    validate=xml.validate,
    known=(Known(0, b"<?xml version=", 0.5), Known(0, b"<svg ", 0.45)),
    references=("https://www.w3.org/TR/SVG2/",),
    limitations=xml.FORMAT.limitations,
)
