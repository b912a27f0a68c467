"""RSA keys as PKCS #1 has them: a sequence of whole numbers in DER, of any size."""

from __future__ import annotations

from collections.abc import Iterable

SEQUENCE, INTEGER = 0x30, 0x02


def sequence_of(numbers: Iterable[int]) -> bytes:
    """Return ``numbers``, none negative, as a DER sequence."""
    return _tagged(SEQUENCE, b"".join(map(integer_of, numbers)))


def integer_of(number: int) -> bytes:
    """Return ``number``, not negative, in DER."""
    return _tagged(INTEGER, number.to_bytes(number.bit_length() // 8 + 1))


def numbers_in(data: bytes) -> tuple[int, ...]:
    """Return the numbers of a DER sequence that ``data`` is.

    Raises:
        ValueError: It is something else, or is cut off.
    """
    numbers = []
    body, rest = _taken(SEQUENCE, data)
    if rest:
        raise ValueError("bytes behind the sequence")
    while body:
        number, body = _taken(INTEGER, body)
        numbers.append(int.from_bytes(number, signed=True))
    return tuple(numbers)


def _tagged(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def _taken(tag: int, data: bytes) -> tuple[bytes, bytes]:
    """Return the content of the value that ``data`` begins with, and what stands behind it."""
    if len(data) < 2 or data[0] != tag:
        raise ValueError("another value in DER")
    size, start = data[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start])
    if start + size > len(data):
        raise ValueError("a value in DER is cut off")
    return data[start : start + size], data[start + size :]


def integer_at(data: bytes, at: int) -> tuple[int, int]:
    """Return the whole number in DER at ``at`` and where it ends; zeros where there is none above 0.

    ``data`` is not copied: it may be a program, and ``at`` anywhere in it.
    """
    head = data[at : at + 4]
    if len(head) < 3 or head[0] != INTEGER:
        return 0, 0
    start, size = at + 2, head[1]
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(head[2 : 2 + (size & 0x7F)])
    if start - at > len(head) or start + size > len(data):
        return 0, 0
    return max(int.from_bytes(data[start : start + size], signed=True), 0), start + size
