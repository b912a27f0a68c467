"""What keys prove on files that were locked twice, by one family or by two.

The layer beneath is whole only under the right outer key. So it proves its own key, and through that the key
above, which has nothing else to be proven by: what it gives is a locked file.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from unransom.catalog.control import KEYS, Blind, bits_of_key
from unransom.catalog.families import families
from unransom.catalog.inside import tells_lock
from unransom.catalog.oracle import judge
from unransom.catalog.schemes.assemble import assembled
from unransom.catalog.schemes.family import PROVEN, BadMarkError, Family, FileKey, Mark
from unransom.core.context import Context
from unransom.core.keys import Key
from unransom.core.messages import Message, say
from unransom.core.records import FileRef, KeyFound
from unransom.core.spans import ByteMap, Origin, Run
from unransom.core.streams import BytesReader, Reader, Salvage
from unransom.recover.keys.proof import LARGEST_SAMPLE, proof_of

LARGEST_TWICE = 2 << 20  # bytes; most keys are wrong, and all of them are tried on what may be locked twice
DEEPEST = 3  # layers, as many as are unlocked
FEWEST = PROVEN // 8  # bytes of a field that a wrong outer key hits by no chance


class _Content(NamedTuple):
    """What a key gave, and where its bytes come from."""

    data: bytes
    origins: ByteMap


class _Inner(NamedTuple):
    """A layer beneath and a key that is proven there."""

    family: Family
    key: Key
    file_key: FileKey
    bits: int
    why: Message
    mark: Mark


def proofs_beneath(
    family: Family, key: Key, ref: FileRef, context: Context, *, proven: bool
) -> Iterator[KeyFound]:
    """Yield what the layers beneath prove of the keys in ``context``, and then of ``key`` itself.

    Args:
        family: The family that ``ref`` is of.
        key: One whose file key ``family`` takes for ``ref``.
        ref: The locked file. One of more than ``LARGEST_TWICE`` bytes is not looked into, or, where the key
            is proven, of more than ``LARGEST_SAMPLE``.
        context: Has the keys that may open the layers beneath.
        proven: ``key`` is proven on this file or on others.
    """
    with context.open(ref) as reader:
        locked = Salvage(reader, ref.name)
        mark = family.read(locked)
        file_key = family.unwrap(mark, key) if mark else None
        if mark is None or file_key is None:
            return
        content = _given(family, locked, mark, file_key, LARGEST_SAMPLE if proven else LARGEST_TWICE)
    if content is None:
        return
    path = family.original_name(ref.path) or ref.original or ref.path
    shown = PROVEN if proven else 0
    for inner in _inside(content.data, path, context):
        yield _found(family, inner)
        if proven:
            yield from _deeper(content.data, inner, path, context, 2)
        elif shown < PROVEN and (inner.family.name, inner.key) != (family.name, key):
            shown = _owed(content, inner, path)
            if shown >= PROVEN:
                why = say("{inner} lies beneath: {why}", inner=inner.family.name, why=inner.why)
                yield KeyFound(family=family.name, fingerprint=key.fingerprint, bits=shown, proof=why)


def _found(outer: Family, inner: _Inner) -> KeyFound:
    why = say("beneath {outer}: {why}", outer=outer.name, why=inner.why)
    return KeyFound(family=inner.family.name, fingerprint=inner.key.fingerprint, bits=inner.bits, proof=why)


def _deeper(data: bytes, outer: _Inner, path: bytes, context: Context, depth: int) -> Iterator[KeyFound]:
    """Yield what is proven beneath a layer in ``data`` that a proven key opens."""
    content = _given(outer.family, _locked(data, path), outer.mark, outer.file_key, LARGEST_SAMPLE)
    if content is None or depth == DEEPEST:
        return
    below = outer.family.original_name(path) or path
    for inner in _inside(content.data, below, context):
        yield _found(outer.family, inner)
        yield from _deeper(content.data, inner, below, context, depth + 1)


def _locked(data: bytes, path: bytes) -> Salvage:
    return Salvage(BytesReader(data), path.rpartition(b"/")[2])


def _given(family: Family, locked: Salvage, mark: Mark, file_key: FileKey, most: int) -> _Content | None:
    """Return what a key gives, None where its metadata contradict themselves or it is too large."""
    try:
        plan = family.plan(locked, mark, file_key)
        return _Content(*assembled(locked, plan)) if max(plan.size, locked.size) <= most else None
    except BadMarkError:
        return None


def _inside(data: bytes, path: bytes, context: Context) -> Iterator[_Inner]:
    """Yield the keys that are proven on ``data``, which a key gave, by the families whose mark it bears."""
    locked = _locked(data, path)
    for family in families(context.described):
        mark = family.read(locked)
        if mark is None or not tells_lock(mark, locked):
            continue
        name = family.original_name(path) or path
        for key in context.keys:
            file_key = family.unwrap(mark, key) if key.kind in family.takes else None
            proof = proof_of(family, locked, mark, file_key, name) if file_key else None
            if file_key and proof:
                yield _Inner(family, key, file_key, *proof, mark)


def _owed(content: _Content, inner: _Inner, path: bytes) -> int:
    """Return how many bits of what ``inner`` gives are due to the key that gave ``content``.

    The layer beneath is opened with noise in place of what the outer key decrypted. What then comes out
    otherwise is due to that key; the key beneath may well be proven by what the outer layer left as it was.
    """
    fields = [field for field in inner.mark.fields.values() if field]
    hit = [_covered(content, field) for field in fields]
    if 0 < sum(hit) < FEWEST or any(
        0 < count < min(FEWEST, len(field)) for count, field in zip(hit, fields, strict=True)
    ):
        return 0  # a wrong key makes so few bytes of the metadata right by chance, and the rest is right then
    final = _final(inner, BytesReader(content.data), path)
    controls = [_final(inner, Blind(BytesReader(content.data), content.origins, key), path) for key in KEYS]
    opened = [control for control in controls if control is not None]
    if final is None or (not any(hit) and len(opened) < len(controls)):
        return 0
    if inner.file_key.bits >= PROVEN and not opened:
        return min(inner.bits, 8 * sum(hit))
    name = inner.family.original_name(path) or path
    origins = _differing(final, opened) if len(opened) == len(controls) else _all(final)
    return bits_of_key(BytesReader(final), origins, judge(BytesReader(final), name), name)


def _covered(content: _Content, field: bytes) -> int:
    """Return how many bytes of a field in ``content`` the outer key decrypted."""
    start = content.data.rfind(field)
    if start < 0:  # the family reads it in another form: who knows where it is
        return 1
    runs = content.origins.between(start, start + len(field))
    return sum(run.end - run.start for run in runs if run.origin is Origin.UNLOCKED)


def _final(inner: _Inner, content: Reader, path: bytes) -> bytes | None:
    """Return what the key beneath gives of ``content``, None where it does not fit."""
    locked = Salvage(content, path.rpartition(b"/")[2])
    mark = inner.family.read(locked)
    file_key = inner.family.unwrap(mark, inner.key) if mark else None
    if mark is None or file_key is None:
        return None
    given = _given(inner.family, locked, mark, file_key, LARGEST_TWICE)
    return given.data if given else None


def _all(final: bytes) -> ByteMap:
    return ByteMap([Run(0, len(final), Origin.UNLOCKED)])


def _differing(final: bytes, controls: list[bytes]) -> ByteMap:
    """Return which bytes of ``final`` are others in a control: those are unlocked, the rest is plain."""
    differs = np.zeros(len(final), bool)
    for control in controls:
        other = np.frombuffer(control[: len(final)].ljust(len(final), b"\0"), np.uint8)
        differs |= other != np.frombuffer(final, np.uint8)
    edges = [0, *(np.flatnonzero(np.diff(differs)) + 1).tolist(), len(final)]
    return ByteMap(
        Run(start, end, Origin.UNLOCKED if differs[start] else Origin.PLAIN)
        for start, end in pairwise(edges)
        if start < end
    )
