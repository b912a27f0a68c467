"""Tries the keys that were given: which of them opens which family, and how is that proven?"""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.families import family as family_named
from unransom.catalog.oracle import judge
from unransom.catalog.schemes.assemble import assemble_in_memory
from unransom.catalog.schemes.family import PROVEN, BadMarkError, Family, FileKey, Mark
from unransom.core.context import Context
from unransom.core.keys import Key
from unransom.core.messages import Message, say
from unransom.core.records import FileRef, Grade, KeyFound, KeyTrial, LockedGroup, Record
from unransom.core.streams import BytesReader, Salvage

LARGEST_SAMPLE = 16 << 20  # bytes; a sample is decrypted in memory


def run(group: LockedGroup, context: Context) -> Iterator[Record]:
    """Try every key on the samples of ``group``; yield each ``KeyFound``, then one ``KeyTrial``."""
    family = family_named(group.family)
    keys = [key for key in context.keys if key.kind in family.takes]
    trials = [_try(family, key, group.samples, context) for key in keys]
    found = [trial for trial in trials if isinstance(trial, KeyFound)]
    yield from found
    if found:
        outcome, why = "found", say("{keys} of {tried} keys open files", keys=len(found), tried=len(keys))
    elif not keys:
        outcome, why = "none", say("no key of a kind that this family takes was given")
    elif any(trial == "unproven" for trial in trials):
        outcome, why = "unproven", say("a key unwraps, and the output does not verify on any sample")
    else:
        outcome, why = "refused", say("the key wrap shows that no key that was given is the right one")
    yield KeyTrial(
        family=family.name,
        outcome=outcome,
        keys_tried=len(keys),
        files=group.files,
        size=group.size,
        wanted=family.wanted,
        why=why,
    )


def _try(family: Family, key: Key, samples: tuple[FileRef, ...], context: Context) -> KeyFound | str:
    """Return the proof that ``key`` opens a sample, or ``unproven`` or ``refused``."""
    unwrapped = False
    for ref in samples:
        with context.open(ref) as reader:
            locked = Salvage(reader, ref.name)
            mark = family.read(locked)
            file_key = family.unwrap(mark, key) if mark else None
            if mark is None or file_key is None:
                continue
            unwrapped = True
            proof = _proof(family, locked, mark, file_key, ref)
        if proof:
            bits, why = proof
            return KeyFound(family=family.name, fingerprint=key.fingerprint, bits=bits, proof=why)
    return "unproven" if unwrapped else "refused"


def _proof(
    family: Family, locked: Salvage, mark: Mark, file_key: FileKey, ref: FileRef
) -> tuple[int, Message] | None:
    """Return bits and sentence of the proof that the file key is right, None where there is none."""
    if file_key.bits >= PROVEN and file_key.proof:
        return file_key.bits, file_key.proof
    try:
        plan = family.plan(locked, mark, file_key)
        content = assemble_in_memory(locked, plan, LARGEST_SAMPLE)
    except BadMarkError:
        return None
    if content is None:
        return None
    checked = plan.check() if plan.check else None
    if checked and checked[0] >= PROVEN:
        return checked
    validation = judge(BytesReader(content), plan.name or ref.original or ref.path).validation
    if validation.grade in {Grade.GOOD, Grade.PARTIAL} and validation.bits >= PROVEN:
        return validation.bits, validation.why
    return None
