"""Close XML that breaks off, and take its words."""

from __future__ import annotations

import re

TAG = re.compile(rb"<(/?)([A-Za-z_][\w:.-]*)(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?(/?)>")
UNFINISHED = re.compile(rb"(?:<[^<>]*|&[^;&<>]{0,12})\Z")
DEEPEST = 512


def close(head: bytes, needs: dict[bytes, bytes] | None = None) -> bytes:
    """Return ``head``, the beginning of an XML text, with all its elements closed.

    Args:
        head: The beginning; an unfinished tag at its end is left out.
        needs: Elements that must end with another one, which is put in where it is not there.
    """
    head = UNFINISHED.sub(b"", _decodable(head))
    opened: list[bytes] = []
    for found in TAG.finditer(head):
        if found[1]:
            if opened and opened[-1] == found[2]:
                opened.pop()
        elif not found[3]:
            opened.append(found[2])
        if len(opened) > DEEPEST:
            break
    tail = b""
    for name in reversed(opened):
        tail += _closing(head[-64:] + tail, name, (needs or {}).get(name, b""))
    return head + tail


def _closing(before: bytes, name: bytes, needed: bytes) -> bytes:
    """Return the end of an element behind ``before``, with what it must end with."""
    there = not needed or before.endswith(b"</" + needed[1:-2] + b">")
    return (b"" if there else needed) + b"</" + name + b">"


def _decodable(text: bytes) -> bytes:
    """Return ``text`` without the bytes of an unfinished UTF-8 character at its end."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        return text[: error.start] if error.start >= len(text) - 4 else text
    return text


def words(text: bytes, paragraph: bytes, run: bytes) -> str:
    """Return the text of the elements ``run``, a line for each ``paragraph``.

    Args:
        text: The XML.
        paragraph: Name of the elements that end a line.
        run: Name of the elements that hold text.
    """
    import html  # noqa: PLC0415  only here

    pattern = re.compile(
        rb"<" + run + rb"(?:\s[^<>]*)?>([^<]*)|(</" + paragraph + rb">)|<\w+:(?:tab|br)\b[^<>]*/>"
    )
    return "".join(
        "\n"
        if found[2]
        else html.unescape((b"\t" if found[1] is None else found[1]).decode("utf-8", "replace"))
        for found in pattern.finditer(text)
    )
