"""A finite automaton with a stack over the bytes of JSON, compiled; import it only where JSON is read.

A table gives the next state for each state and byte. Entries from ``PUSH`` on are actions, which are
where the stack is needed. Comments, trailing commas and NaN are let pass, as many writers leave them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

STATES = 64
(START, ELEMENT, KEY, COLON, MEMBER, NEXT_ELEMENT, NEXT_MEMBER) = range(7)
(TEXT, KEY_TEXT) = (8, 16)  # each with its escape and four hexadecimal digits behind it
(MINUS, ZERO, INTEGER, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, EXPONENT_DIGITS) = range(24, 32)
(SLASH, LINE, BLOCK, STAR) = range(32, 36)
WORDS = 36  # one state for each letter behind the first
(PUSH, POP, VALUE_ENDS, VALUE_ENDED, COMMENT, RETURN, FAULT) = range(STATES, STATES + 7)
DEEPEST = 1 << 20
OBJECT, ARRAY = 123, 91

_BLANK = b" \t\r\n"
_DIGITS = b"0123456789"


def _table() -> NDArray[np.uint8]:
    """Return the next state or action for each state and byte."""
    table = np.full((STATES, 256), FAULT, np.uint8)

    def on(states: tuple[int, ...], codes: bytes, then: int) -> None:
        for state in states:
            table[state, list(codes)] = then

    values = (START, ELEMENT, MEMBER)
    for state in (*values, KEY, COLON, NEXT_ELEMENT, NEXT_MEMBER):
        on((state,), _BLANK, state)
        on((state,), b"/", COMMENT)
    on(values, b"{[", PUSH)
    on(values, b'"', TEXT)
    on((ELEMENT, NEXT_ELEMENT), b"]", POP)
    on((KEY, NEXT_MEMBER), b"}", POP)
    on((KEY,), b'"', KEY_TEXT)
    on((COLON,), b":", MEMBER)
    on((NEXT_ELEMENT,), b",", ELEMENT)
    on((NEXT_MEMBER,), b",", KEY)
    for text, end in ((TEXT, VALUE_ENDS), (KEY_TEXT, COLON)):
        on((text,), bytes(range(32, 256)) + b"\t", text)
        on((text,), b'"', end)
        on((text,), b"\\", text + 1)
        on((text + 1,), b'"\\/bfnrt', text)
        on((text + 1,), b"u", text + 2)
        for digit in range(2, 6):
            on((text + digit,), _DIGITS + b"abcdefABCDEF", text + digit + 1 if digit < 5 else text)
    _numbers(on, values)
    state = WORDS
    for word in (b"true", b"false", b"null", b"NaN", b"Infinity"):
        on((*values, MINUS) if word == b"Infinity" else values, word[:1], state)
        for letter in word[1:-1]:
            on((state,), bytes((letter,)), state + 1)
            state += 1
        on((state,), word[-1:], VALUE_ENDS)
        state += 1
    on((SLASH,), b"/", LINE)
    on((SLASH,), b"*", BLOCK)
    table[(LINE, BLOCK, STAR), :] = np.array([[LINE], [BLOCK], [BLOCK]])
    on((LINE,), b"\n", RETURN)
    on((BLOCK, STAR), b"*", STAR)
    on((STAR,), b"/", RETURN)
    return table


def _numbers(on: Callable[[tuple[int, ...], bytes, int], None], values: tuple[int, ...]) -> None:
    """Enter the grammar of numbers; any byte that does not continue one has ended it."""
    for state in (ZERO, INTEGER, FRACTION, EXPONENT_DIGITS):
        on((state,), bytes(range(256)), VALUE_ENDED)
    on(values, b"-", MINUS)
    on((*values, MINUS), b"0", ZERO)
    on((*values, MINUS), b"123456789", INTEGER)
    on((INTEGER,), _DIGITS, INTEGER)
    on((ZERO, INTEGER), b".", POINT)
    on((POINT, FRACTION), _DIGITS, FRACTION)
    on((ZERO, INTEGER, FRACTION), b"eE", EXPONENT)
    on((EXPONENT,), b"+-", EXPONENT_SIGN)
    on((EXPONENT, EXPONENT_SIGN, EXPONENT_DIGITS), _DIGITS, EXPONENT_DIGITS)


TABLE = _table()


@njit(cache=True, nogil=True)
def _run(data, table, registers, stack):  # type: ignore[no-untyped-def]
    """Feed ``data``; return the offset of the byte that cannot be, -1 where all can."""
    state, depth, saved = registers[0], registers[1], registers[2]
    index = 0
    while index < len(data):
        then = table[state, data[index]]
        index += 1
        if then < STATES:
            state = then
            continue
        if then == PUSH and depth < DEEPEST:
            stack[depth] = data[index - 1]
            depth += 1
            state = KEY if data[index - 1] == OBJECT else ELEMENT
        elif then == COMMENT:
            saved, state = state, SLASH
        elif then == RETURN:
            state = saved
        elif then in (FAULT, PUSH):
            return index - 1
        else:
            depth -= then == POP
            index -= then == VALUE_ENDED  # the byte behind a number belongs to what follows
            state = START if depth == 0 else NEXT_MEMBER if stack[depth - 1] == OBJECT else NEXT_ELEMENT
            if depth == 0:
                registers[3] += 1
                registers[4] = registers[5] + index
    registers[0], registers[1], registers[2] = state, depth, saved
    registers[5] += len(data)
    return -1


class Automaton:
    """Reads JSON piece by piece."""

    def __init__(self) -> None:
        # state, depth, state to return to, values, end of the last of them, bytes read
        self._registers = np.zeros(6, np.int64)
        self._stack = np.zeros(DEEPEST, np.uint8)

    def feed(self, piece: bytes) -> int:
        """Read ``piece``; return the offset in it of the byte that cannot be, -1 where all can."""
        return int(_run(np.frombuffer(piece, np.uint8), TABLE, self._registers, self._stack))

    @property
    def values(self) -> int:
        """Complete values at the top so far; more than one in JSON lines."""
        return int(self._registers[3])

    @property
    def end(self) -> int:
        """Bytes up to the end of the last complete value."""
        return int(self._registers[4])

    @property
    def done(self) -> bool:
        """Nothing is open."""
        return bool(self._registers[1] == 0 and self._registers[0] == START)
