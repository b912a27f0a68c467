"""Whether bytes look like the output of a cipher, where there is hardly anything else to check."""

SHARE = 0.75  # of the distinct values that random bytes have on average; they never fall below it
HIGH = 8  # random bytes have 0x80 or more in every second one; 32 of them have so few once in a million
ENOUGH = 512  # bytes that show how many values random ones have: to look at all takes ten times as long
PART = 64  # bytes, of which random ones never have too few that are high, or too many that are alike
ASCII = bytes(range(0x80))


def is_noise(data: bytes) -> bool:
    """Return whether ``data`` has as many distinct values, and high bytes, as random bytes of its length.

    It sorts out zeros, text, addresses and tables, and proves nothing: a mark must count no bits for it.
    """
    expected = 256 * (1 - (255 / 256) ** len(data))
    seen = set(data[:ENOUGH])
    if len(seen) < SHARE * expected:
        seen.update(data[ENOUGH:])
    return len(seen) >= SHARE * expected and HIGH * len(data.translate(None, ASCII)) >= len(data)


def is_noise_all_over(data: bytes) -> bool:
    """Return whether ``data`` and every 64 bytes of it are noise: a short text at its end shows then, too."""
    return is_noise(data) and all(
        is_noise(data[at : at + PART]) for at in range(len(data) % PART, len(data), PART)
    )
