"""Small pictures of rebuilt files, for the report; none where Pillow is not installed."""

from __future__ import annotations

import base64
import io
import struct
from collections.abc import Sequence
from functools import cache
from pathlib import Path

SIDE = 160  # pixels of a picture at most
LARGEST = 1 << 26  # pixels of a picture that is opened
LINES, LETTERS = 12, 44  # of a text that is shown
QUALITY = 60
PICTURES = frozenset({"jpeg", "png", "gif", "bmp", "tiff", "webp"})
POINTS = 11  # size of a text's letters, pixels
# Fonts with the letters of most scripts, as Linux, Windows and macOS name their files.
FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansSC-Regular.otf",
    "SourceHanSansSC-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "msyh.ttc",
    "simsun.ttc",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "STHeiti Light.ttc",
    "Arial Unicode.ttf",
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
)
UNASSIGNED = "\uffff"  # no font has it: its picture is that of a letter that the font lacks
FAULTS = (OSError, ValueError, SyntaxError, TypeError, EOFError, IndexError, KeyError, struct.error)


def preview(path: Path, format_name: str, lines: Sequence[str] = ()) -> str:
    """Return a small picture of a file as a ``data:`` address, "" where there is none.

    Args:
        path: The file.
        format_name: Its format, as in the catalogue.
        lines: What stands for it where it is no picture.
    """
    try:
        from PIL import Image  # noqa: PLC0415  a part that not all have
    except ImportError:
        return ""
    try:
        if format_name in PICTURES:
            with Image.open(path, formats=[format_name]) as image:
                if image.width * image.height > LARGEST:
                    return ""
                image.draft("RGB", (SIDE, SIDE))
                small = image.convert("RGB")
                small.thumbnail((SIDE, SIDE))
        elif lines:
            small = _page(lines)
        else:
            return ""
    except (*FAULTS, Image.DecompressionBombError):
        return ""
    out = io.BytesIO()
    small.save(out, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def _page(lines: Sequence[str]):  # type: ignore[no-untyped-def]  # a picture of Pillow's
    """Return the first lines of a text as a picture; letters that no font has stand as their code points."""
    from PIL import Image, ImageDraw  # noqa: PLC0415  a part that not all have

    image = Image.new("RGB", (2 * SIDE, SIDE + SIDE // 4), "white")
    shown = "\n".join([line.replace("\t", " ")[:LETTERS] for line in lines if line.strip()][:LINES])
    letters = sorted(set(shown) - {"\n"})
    lacking: set[str] = set()
    font = None
    for each in _fonts(FONTS):
        lacks = {letter for letter in letters if not _has(each, letter)}
        if font is None or len(lacks) < len(lacking):
            font, lacking = each, lacks
        if not lacking:
            break
    text = shown.translate({ord(letter): f"[{ord(letter):04X}]" for letter in lacking})
    ImageDraw.Draw(image).multiline_text((6, 4), text, fill="black", font=font)
    return image


@cache
def _fonts(names: tuple[str, ...]):  # type: ignore[no-untyped-def]  # fonts of Pillow's
    """Return Pillow's own font and those of some names that the system has."""
    from PIL import ImageFont  # noqa: PLC0415  a part that not all have

    found = [ImageFont.load_default()]
    for name in names:
        try:
            found.append(ImageFont.truetype(name, POINTS))
        except (*FAULTS, ImportError):  # none of this name, a broken one, or a Pillow without FreeType
            continue
    return tuple(found)


def _has(font, letter: str) -> bool:  # type: ignore[no-untyped-def]  # a font of Pillow's
    """Return whether a font has a picture of its own for a letter."""
    if letter == " ":
        return True
    if not letter.isprintable():
        return False
    try:
        mask, none = font.getmask(letter), font.getmask(UNASSIGNED)
    except UnicodeEncodeError:  # Pillow's own font without FreeType has Latin-1 alone
        return ord(letter) < 0x100
    return (mask.size, bytes(mask)) != (none.size, bytes(none))
