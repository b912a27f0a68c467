"""Names and texts in unknown encodings: bytes first, then a guess that is recorded."""

from __future__ import annotations

import unicodedata

import msgspec

ENCODINGS = ("utf-8", "gb18030", "shift_jis", "cp1252")  # order of trial


class Guess(msgspec.Struct, frozen=True):
    """A text, and the encoding it was read with; ``exact`` where the bytes come back unchanged."""

    text: str
    encoding: str
    exact: bool = True


def guess_text(raw: bytes) -> Guess:
    """Decode ``raw`` with the encoding that fits best.

    UTF-8 is taken where it is valid: multi-byte text in another encoding hardly ever is. Among the
    others the one whose letters are the most plausible wins, GB18030 on a tie, as most names that are
    not UTF-8 in such a case come from Chinese Windows.
    """
    try:
        return Guess(raw.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        pass
    best: tuple[float, Guess] | None = None
    for encoding in ENCODINGS[1:]:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        score = sum(_commonness(character, encoding) for character in text)
        if best is None or score > best[0]:
            best = (score, Guess(text, encoding))
    return best[1] if best else Guess(raw.decode("utf-8", "replace"), "utf-8", exact=False)


# The lead bytes of everyday characters: level 1 of GB 2312 and of JIS X 0208, which sort rare ones behind.
EVERYDAY = {"gb18030": range(0xB0, 0xD8), "shift_jis": range(0x88, 0x98)}


def _commonness(character: str, encoding: str) -> float:
    """Return how likely ``character`` is in a name that was written in ``encoding``."""
    code = ord(character)
    if character.isascii():
        return 0.0 if character.isprintable() else -2.0
    if 0x4E00 <= code <= 0x9FFF:
        return 1.0 if character.encode(encoding)[0] in EVERYDAY.get(encoding, ()) else -0.5
    if 0x3040 <= code <= 0x30FF:
        return 1.0 if encoding == "shift_jis" else 0.2
    if 0xFF61 <= code <= 0xFF9F:  # half-width katakana: what GBK looks like as Shift-JIS
        return -0.5
    return -2.0 if unicodedata.category(character) in {"Cn", "Co", "Cc"} else 0.0


def shown(path: bytes) -> str:
    """Return ``path`` for people: decoded by guess, control characters made visible."""
    text = guess_text(path).text
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
