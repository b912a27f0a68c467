"""Unwinds a locked file layer by layer: a file may have been locked twice, by two families or by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from unransom.catalog.control import HOLDS, bits_of_key
from unransom.catalog.families import families
from unransom.catalog.formats.format import HEAD
from unransom.catalog.formats.identify import identify
from unransom.catalog.inside import inner_lock, tells_lock
from unransom.catalog.losses.loss import Loss
from unransom.catalog.oracle import Judgement, judge
from unransom.catalog.schemes.assemble import Assembly, beginning
from unransom.catalog.schemes.family import NAMED, PROVEN, BadMarkError, Family, FileKey, Mark
from unransom.core.context import Context
from unransom.core.hashing import Digests
from unransom.core.keys import Key
from unransom.core.messages import Message, say
from unransom.core.outputs import Draft, Outputs
from unransom.core.paths import safe_name
from unransom.core.records import FileRef, Grade, Output
from unransom.core.searches import Secret
from unransom.core.spans import ByteMap, Origin
from unransom.core.streams import Reader, Salvage
from unransom.crypto.noise import is_noise
from unransom.recover.unlock.races import race, write_rest

REFUSES = 16  # bits of a wrap that hardly any wrong key gets through
DEEPEST = 3  # layers: nobody has seen more, and every one costs a copy of the file
UNREACHED = say("with a wrong key the format would hold as well as it does")
RANDOM = say("what this key gives is random, as with a wrong key, and others fit as well")
SAMPLE = 4096  # bytes
TELLING = 8  # bytes; of so many random ones at least one has its high bit set, 255 times in 256


class Layer(NamedTuple):
    """A locked file, or what an outer layer was unlocked to.

    Attributes:
        ref: The file in the evidence.
        content: Its bytes at this layer.
        families: Which to try.
        locked_name: Last part of the path of the locked file.
        name: The original's path as far as it is known, b"" where it is not.
        own: Keys that were found for this file alone.
        beneath: Where the bytes come from, None for the evidence itself.
        depth: 1 for the evidence.
        sure: Every key of the outer layers is proven.
        opened: Families of the outer layers, each with the fingerprint of its key.
    """

    ref: FileRef
    content: Reader
    families: tuple[Family, ...]
    locked_name: bytes
    name: bytes
    own: tuple[Secret, ...] = ()
    beneath: ByteMap | None = None
    depth: int = 1
    sure: bool = True
    opened: tuple[tuple[str, str], ...] = ()


class _Opening(NamedTuple):
    """A family, its mark on the file, and a key that gives a file key for it."""

    family: Family
    mark: Mark
    key: Key
    file_key: FileKey
    proven: bool  # by the wrap, or on other files
    rivals: bool = False  # other keys fit as well, and no wrap says which is the right one


class _Verified(NamedTuple):
    """What a draft turned out to be."""

    bits: int
    grade: Grade
    why: Message
    format: str
    accepted: bool
    locked_by: str = ""  # the family of a layer beneath that no key opens


def unwind(layer: Layer, context: Context) -> Output | Message | None:
    """Return the output of the first key that holds.

    Else why what the last key gave does not hold, or None where no key fits.
    """
    outputs = context.outputs
    if outputs is None:
        raise ValueError("unlock writes outputs and was given no place for them")
    refused: Message | None = None
    random: list[_Opening] = []
    for opening in _openings(layer, context):
        found = _tried(layer, opening, context, outputs)
        if isinstance(found, Output):
            return found
        if found is RANDOM:
            random.append(opening)
        refused = found
    if len(random) != 1:  # of several keys that all give noise none is more likely than the others
        return refused
    return _tried(layer, random[0]._replace(rivals=False), context, outputs)


def _tried(layer: Layer, opening: _Opening, context: Context, outputs: Outputs) -> Output | Message:
    """Return what ``_open`` does, the reason too where metadata contradict themselves."""
    try:
        return _open(layer, opening, context, outputs)
    except BadMarkError as error:
        return error.why


def _openings(layer: Layer, context: Context) -> Iterator[_Opening]:
    """Yield every family and key that fit and may lead to an output, the proven and the likely ones first.

    To ask all families takes longer than to unlock a small file, and to write a large one in vain takes
    longer than that.
    """
    own = {secret.family for secret in layer.own}
    likely = [family for family in layer.families if family.name in own or family.name in context.proven]
    others = [family for family in layer.families if family not in likely]
    strangers: list[_Opening] = []
    for some in (likely, others):
        openings = [opening for family in some for opening in _fitting(family, layer, context)]
        openings.sort(key=lambda opening: _trust(opening, context), reverse=True)
        for opening in openings:
            if _trust(opening, context):
                yield opening
            else:
                strangers.append(opening)
    judged = [(_promises(layer, opening), opening) for opening in strangers]
    judged.sort(key=lambda each: each[0], reverse=True)
    beneath = _inner_name(layer.name, context.described) != layer.name  # it is called like a locked file
    yield from (opening for promises, opening in judged if promises or beneath or _may_cover(layer, opening))


def _fitting(family: Family, layer: Layer, context: Context) -> Iterator[_Opening]:
    """Yield every key that gives a file key for ``family``.

    That a key is proven on other files of a family says nothing about a file which is not known to be of
    that family: what a weak mark suggests must prove itself. An inner layer counts as known where proven
    keys laid bare its mark.
    """
    mark = family.read(Salvage(layer.content, layer.locked_name))
    if mark is None:
        return
    for secret in layer.own:
        file_key = family.unwrap(mark, secret.key) if secret.family == family.name else None
        if file_key:
            yield _Opening(family, mark, secret.key, file_key, proven=True)
    known = layer.depth == 1 and layer.ref.family == family.name
    if layer.depth > 1 and layer.sure:
        known = tells_lock(mark, layer.content)
    elsewhere = context.proven.get(family.name, frozenset()) if known else frozenset()
    if known:
        elsewhere |= {fingerprint for name, fingerprint in layer.opened if name == family.name}
    unwrapped = [(key, family.unwrap(mark, key)) for key in context.keys if key.kind in family.takes]
    weak = sum(file_key is not None and file_key.bits < PROVEN for _, file_key in unwrapped)
    for key, file_key in unwrapped:
        if file_key:
            sure = file_key.bits >= PROVEN
            proven = sure or key.fingerprint in elsewhere
            yield _Opening(family, mark, key, file_key, proven, rivals=weak > 1 and not sure)


def _trust(opening: _Opening, context: Context) -> int:
    """Return 2 for a key that is proven, 1 for one that is on other files of the family, else 0."""
    elsewhere = context.proven.get(opening.family.name, frozenset())
    return 2 if opening.proven else int(opening.key.fingerprint in elsewhere)


def _promises(layer: Layer, opening: _Opening) -> bool:
    """Return whether what the opening gives could prove itself: by its format or by the scheme's checks."""
    locked = Salvage(layer.content, layer.locked_name)
    try:
        plan = opening.family.plan(locked, opening.mark, opening.file_key)
        return plan.check is not None or identify(beginning(locked, plan)) is not None
    except BadMarkError:
        return False


def _may_cover(layer: Layer, opening: _Opening) -> bool:
    """Return whether to look for another layer beneath: the family or the key is likely to be right."""
    known = layer.depth == 1 and layer.ref.family == opening.family.name
    return known or opening.mark.bits >= NAMED or opening.file_key.bits >= REFUSES


def _open(layer: Layer, opening: _Opening, context: Context, outputs: Outputs) -> Output | Message:
    """Assemble the original, verify it, and give it its name; return why not where it does not hold."""
    locked = Salvage(layer.content, layer.locked_name)
    plan = opening.family.plan(locked, opening.mark, opening.file_key)
    name = layer.ref.output_path(safe_name(plan.name) if plan.name else layer.name.rpartition(b"/")[2])
    with outputs.draft() as draft:
        assembly = Assembly(locked, plan, layer.beneath)
        for view in assembly:
            draft.write(view, assembly.stored)
        judgement = judge(draft, name)
        if judgement.validation.grade is not Grade.GOOD and layer.depth < DEEPEST:
            inner = Layer(
                ref=layer.ref,
                content=draft,
                families=families(context.described),
                locked_name=name.rpartition(b"/")[2],
                name=_inner_name(name, context.described),
                beneath=assembly.map,
                depth=layer.depth + 1,
                sure=layer.sure and opening.proven,
                opened=(*layer.opened, (opening.family.name, opening.key.fingerprint)),
            )
            found = unwind(inner, context)
            if isinstance(found, Output):
                return msgspec.structs.replace(found, outer=opening.family.name)
        checked = plan.check() if plan.check else None
        judged = judgement.validation.bits
        if not (layer.sure and opening.proven) and assembly.map.totals()[Origin.UNLOCKED]:
            judged = bits_of_key(draft, assembly.map, judgement, name)
        if not layer.sure and (judgement.validation.grade is not Grade.GOOD or judged < PROVEN):
            return judgement.validation.why
        verified = _verify(judgement, judged, opening, checked, lost=assembly.map.totals()[Origin.LOST])
        if not verified.accepted or _is_doubtful(verified, opening, draft, assembly.map):
            return RANDOM if verified.accepted else verified.why
        times = (layer.ref.modified, layer.ref.modified) if layer.ref.modified is not None else None
        verified, loss = _beneath(layer, opening, verified, draft, assembly.map, name, context)
        verified, origins, path, digests = _keep(draft, verified, loss, assembly.map, outputs, name, times)
    return Output(
        path=path,
        digests=digests,
        derived_from=layer.ref.id,
        method="unlock",
        family=opening.family.name,
        key=opening.key.fingerprint,
        bits=verified.bits,
        grade=verified.grade,
        why=verified.why,
        map=tuple(origins.runs),
        format=verified.format,
        locked_by=verified.locked_by,
    )


def _is_doubtful(verified: _Verified, opening: _Opening, content: Reader, origins: ByteMap) -> bool:
    """Return whether the key may be a wrong one: what was decrypted looks as such a key makes it.

    So do all contents of a few bytes, and what only its name says to be of the format that it breaks.
    """
    if not opening.rivals or verified.grade not in {Grade.UNKNOWN, Grade.BAD}:
        return False
    begins = identify(content.read_at(0, HEAD)) if verified.grade is Grade.BAD else None
    if begins and begins.bits >= REFUSES:
        return False
    first = next((run for run in origins if run.origin is Origin.UNLOCKED), None)
    if first is None:
        return False
    data = content.read_at(first.start, min(SAMPLE, first.end - first.start))
    return len(data) < TELLING or is_noise(data)


def _beneath(
    layer: Layer,
    opening: _Opening,
    verified: _Verified,
    content: Reader,
    origins: ByteMap,
    name: bytes,
    context: Context,
) -> tuple[_Verified, Loss | None]:
    """Look for what is locked still in ``content``: parts, which are lost, or all of it, which is bad."""
    if not opening.proven or verified.grade is Grade.GOOD:
        return verified, None
    name = name.rpartition(b"/")[2]
    loss = race(content, name, origins, context.described)
    if loss or not layer.sure or verified.grade is not Grade.UNKNOWN:
        return verified, loss
    lock = inner_lock(content, name, context.described)
    if lock is None:
        return verified, None
    why = say(
        "an outer layer is undone, and beneath it the file is still locked by {family}: its key and that of"
        " the outer layer are needed at the same time",
        family=lock.name,
    )
    return verified._replace(grade=Grade.BAD, why=why, locked_by=lock.name), None


def _keep(
    draft: Draft,
    verified: _Verified,
    loss: Loss | None,
    origins: ByteMap,
    outputs: Outputs,
    name: bytes,
    times: tuple[int, int] | None,
) -> tuple[_Verified, ByteMap, bytes, Digests]:
    """Give the output its name, without what two instances of the locker had at the same time."""
    if loss is None:
        return verified, origins, *draft.keep(name, times)
    with outputs.draft() as rest:
        origins = write_rest(draft, loss, origins, rest)
        verified = verified._replace(grade=Grade.PARTIAL, why=loss.why)
        return verified, origins, *rest.keep(name, times)


def _inner_name(name: bytes, described: tuple[bytes, ...]) -> bytes:
    """Return ``name`` without the extension of a second locker."""
    known = families(described)
    return next((original for family in known if (original := family.original_name(name))), name)


def _verify(
    judgement: Judgement, judged: int, opening: _Opening, checked: tuple[int, Message] | None, *, lost: int
) -> _Verified:
    """Grade a draft by the scheme's own checks and by its format.

    A wrong key cannot be told from a damaged original by the content alone. So with a proven key the
    output is kept whatever the format says, with the grade that it says; without, only content that
    proves itself is kept: ``judged`` bits of what the format says are due to the key.
    """
    validation = judgement.validation
    bits = max(judged if validation.grade in HOLDS else 0, checked[0] if checked else 0)
    if not opening.proven and bits < PROVEN:
        why = validation.why if validation.grade not in HOLDS else UNREACHED
        return _Verified(bits, Grade.BAD, why, judgement.format, accepted=False)
    bits = max(bits, opening.file_key.bits)
    grade, why = _grade(judgement, checked)
    if lost:
        grade, why = Grade.PARTIAL, say("{bytes} bytes of the evidence could not be read", bytes=lost)
    return _Verified(bits, grade, why, judgement.format, accepted=True)


def _grade(judgement: Judgement, checked: tuple[int, Message] | None) -> tuple[Grade, Message]:
    validation = judgement.validation
    if checked and checked[0] >= PROVEN:
        return Grade.GOOD, checked[1]
    if judgement.format:
        return validation.grade, validation.why
    # The key is proven: content that merely has no known format is not shown to be bad.
    return Grade.UNKNOWN, say("decrypted with a proven key; {why}", why=validation.why)
