"""Small pictures of rebuilt files, for the report; none where Pillow is not installed."""

from __future__ import annotations

import base64
import io
import struct
from collections.abc import Sequence
from pathlib import Path

SIDE = 160  # pixels of a picture at most
LARGEST = 1 << 26  # pixels of a picture that is opened
LINES, LETTERS = 12, 44  # of a text that is shown
QUALITY = 60
PICTURES = frozenset({"jpeg", "png", "gif", "bmp", "tiff", "webp"})
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
    """Return the first lines of a text as a picture."""
    from PIL import Image, ImageDraw  # noqa: PLC0415  a part that not all have

    image = Image.new("RGB", (2 * SIDE, SIDE + SIDE // 4), "white")
    shown = [line[:LETTERS].encode("latin-1", "replace").decode("latin-1") for line in lines if line.strip()]
    ImageDraw.Draw(image).multiline_text((6, 4), "\n".join(shown[:LINES]), fill="black")
    return image
