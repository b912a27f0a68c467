"""Whether bytes look like the output of a cipher, for metadata that has hardly anything else to check."""

SHARE = 0.75  # of the distinct values that random bytes have on average; they never fall below it


def is_noise(data: bytes) -> bool:
    """Return whether ``data`` has nearly as many distinct byte values as random bytes of its length.

    It sorts out zeros, text and tables, and proves nothing: a mark must count no bits for it.
    """
    expected = 256 * (1 - (255 / 256) ** len(data))
    return len(set(data)) >= SHARE * expected
