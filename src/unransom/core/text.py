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
        score = _plausibility(text)
        if best is None or score > best[0]:
            best = (score, Guess(text, encoding))
    return best[1] if best else Guess(raw.decode("utf-8", "replace"), "utf-8", exact=False)


def _plausibility(text: str) -> float:
    """Return a score per character: common letters raise it, rare and private ones lower it."""
    score = 0.0
    for character in text:
        code = ord(character)
        if character.isascii():
            score += 0.5 if character.isprintable() else -2.0
        elif 0x4E00 <= code <= 0x9FFF or 0x3040 <= code <= 0x30FF:
            score += 1.0
        elif unicodedata.category(character) in {"Cn", "Co", "Cc"}:
            score -= 2.0
        elif 0xFF61 <= code <= 0xFF9F:  # half-width katakana: what GBK looks like as Shift-JIS
            score -= 0.5
    return score / max(1, len(text))


def shown(path: bytes) -> str:
    """Return ``path`` for people: decoded by guess, control characters made visible."""
    text = guess_text(path).text
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
