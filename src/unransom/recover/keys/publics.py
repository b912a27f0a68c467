"""Public keys of RSA: those that were given, and those in notes, programs and other small files."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from itertools import islice

from unransom.core.context import Context
from unransom.core.keys import KeyKind
from unransom.core.searches import Target
from unransom.core.streams import Salvage
from unransom.crypto.weak_rsa import Public, public_of
from unransom.crypto.written_public_keys import written

TOTAL = 16 << 20  # bytes of files that are looked through, the smallest ones first: some two seconds
MOST = 64  # keys that files hold: certificates of captures are not the locker's


def publics_of(target: Target, context: Context) -> tuple[Public, ...]:
    """Return each public key once, those that were given first."""
    given = (public_of(key) for key in context.keys if key.kind is KeyKind.RSA_PUBLIC)
    return tuple(dict.fromkeys((*given, *islice(_held(target, context), MOST))))


def _held(target: Target, context: Context) -> Iterator[Public]:
    """Yield the public keys in files, each once."""
    seen: set[tuple[int, int]] = set()
    left = TOTAL
    for ref in sorted((*target.left, *target.dumps), key=lambda each: (each.size, each.path)):
        left -= ref.size
        if left < 0:
            return
        with context.open(ref) as reader:
            data = Salvage(reader, ref.name).read_at(0, ref.size)
        for numbers in _numbers_in(data):
            if numbers not in seen:
                seen.add(numbers)
                yield Public(*numbers)


@functools.lru_cache(maxsize=4096)  # every family asks for the same files
def _numbers_in(data: bytes) -> tuple[tuple[int, int], ...]:
    return tuple(islice(written(data), MOST))
