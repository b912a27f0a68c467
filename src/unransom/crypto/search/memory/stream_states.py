"""Keys of ChaCha and Salsa20, by the constants that their states hold beside the key.

ChaCha's state is constants 16, key 32, counter and nonce 16. Salsa20 puts a word of the constants in front
of each row of its diagonal order: words 1 to 4 and 11 to 14 are the key. Programs that work on several
blocks at a time repeat every word 4, 8 or 16 times; those that work on diagonals keep Salsa20's constants
together, and the diagonals behind them in one or the other order.
"""

from __future__ import annotations

from collections.abc import Iterator

from unransom.core.keys import KeyKind
from unransom.core.messages import say
from unransom.crypto.noise import is_noise
from unransom.crypto.search.memory.candidate import Candidate, Memory

NAME = "stream cipher states"
ANCHOR = b"te k"  # ends both constants; nothing else does
CONSTANTS = (b"expand 32-byte k", b"expand 16-byte k")
LANES = (1, 4, 8, 16)  # copies of each word
STATE = 64  # bytes
REACH = STATE * max(LANES)
SURE, GUESSED = 128, 32  # bits: of a state, and of one that is read as something rarer than it looks like
SALSA_TAIL = (6, 7, 8, 9)  # words of nonce and counter
CHACHA_TAIL = (12, 13, 14, 15)
SALSA_KEY = (1, 2, 3, 4, 11, 12, 13, 14)
CHACHA_KEY = (4, 5, 6, 7, 8, 9, 10, 11)
# Where the words of the diagonals stand behind constants that are kept together.
DIAGONALS = (
    (0, 5, 10, 15, 12, 1, 6, 11, 8, 13, 2, 7, 4, 9, 14, 3),
    (0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11),
)


def read(memory: Memory, at: int) -> Iterator[Candidate]:
    """Yield the keys of the states whose constants end with the anchor at byte ``at``."""
    for constants in CONSTANTS:
        yield from together(memory, at - 12, constants)
        yield from _rows(memory, at - 60, constants)
        for lanes in LANES[1:]:  # the anchor stands there as often; all but one of them lead nowhere
            yield from _wide(memory, at - 12 * lanes, constants, lanes)
            yield from _wide(memory, at - 60 * lanes, constants, lanes)


def together(memory: Memory, start: int, constants: bytes) -> Iterator[Candidate]:
    """Yield the keys of a state that has all of its constants in front, at ``start``."""
    state = memory[max(start, 0) : max(start, 0) + STATE].tobytes()
    if start < 0 or len(state) < STATE or not state.startswith(constants):
        return
    yield from _candidate("ChaCha", start, state, CHACHA_KEY, CHACHA_TAIL)
    for order in DIAGONALS:
        words = {word: state[4 * place : 4 * place + 4] for place, word in enumerate(order)}
        plain = b"".join(words[word] for word in range(16))
        yield from _candidate("Salsa20", start, plain, SALSA_KEY, SALSA_TAIL, bits=GUESSED)


def _rows(memory: Memory, start: int, constants: bytes) -> Iterator[Candidate]:
    """Yield the key of Salsa20's state in the order of its description."""
    state = memory[max(start, 0) : max(start, 0) + STATE].tobytes()
    if start >= 0 and all(
        state[20 * row : 20 * row + 4] == constants[4 * row : 4 * row + 4] for row in range(4)
    ):
        yield from _candidate("Salsa20", start, state, SALSA_KEY, SALSA_TAIL)


def _wide(memory: Memory, start: int, constants: bytes, lanes: int) -> Iterator[Candidate]:
    """Yield the keys of a state of which every word stands there ``lanes`` times."""
    if start < 0 or start + STATE * lanes > len(memory):
        return
    words = memory[start : start + STATE * lanes].reshape(16, lanes, 4)
    state = words[:, 0].tobytes()
    for name, places, key, tail in (
        ("ChaCha", (0, 1, 2, 3), CHACHA_KEY, CHACHA_TAIL),
        ("Salsa20", (0, 5, 10, 15), SALSA_KEY, SALSA_TAIL),
    ):
        beginning = b"".join(state[4 * place : 4 * place + 4] for place in places)
        if beginning == constants and (words[list(key)] == words[list(key), :1]).all():
            yield from _candidate(name, start, state, key, tail)


def _candidate(
    cipher: str, start: int, state: bytes, key: tuple[int, ...], tail: tuple[int, ...], bits: int = SURE
) -> Iterator[Candidate]:
    """Yield the key in ``state``, 16 words, if it looks like one."""
    words = [state[4 * word : 4 * word + 4] for word in range(16)]
    data = b"".join(words[word] for word in key)
    if data[:16] == data[16:]:  # a key of 128 bits stands there twice
        data = data[:16]
    if is_noise(data):
        yield Candidate(
            finder=NAME,
            kind=KeyKind.RAW,
            data=data,
            offset=start,
            bits=bits,
            why=say("the constants of {cipher} beside it", cipher=cipher),
            parts={"tail": b"".join(words[word] for word in tail)},
        )
