"""Whether bytes are as different from each other as those of a key."""

from __future__ import annotations

ASCII = bytes(range(0x80))
SHARE = 0.75  # of the distinct values that random bytes have on average; they never fall below it
HIGH = 8  # random bytes have 0x80 or more in every second one, hardly ever in fewer than every eighth


def looks_random(data: bytes) -> bool:
    """Return whether ``data`` has as many distinct values, and high bytes, as random bytes of its length.

    It sorts out zeros, text, addresses and tables, and proves nothing.
    """
    expected = 256 * (1 - (255 / 256) ** len(data))
    return len(set(data)) >= SHARE * expected and HIGH * len(data.translate(None, ASCII)) >= len(data)
