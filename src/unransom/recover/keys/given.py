"""Tries the keys that were given: which of them opens which family, and how is that proven?"""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.families import family as family_named
from unransom.catalog.schemes.family import Family
from unransom.core.context import Context
from unransom.core.keys import Key
from unransom.core.messages import say
from unransom.core.records import FileRef, KeyFound, KeyTrial, LockedGroup, Record
from unransom.core.streams import Salvage
from unransom.recover.keys.proof import proof_beneath, proof_of


def run(group: LockedGroup, context: Context) -> Iterator[Record]:
    """Try every key on the samples of ``group``; yield each ``KeyFound``, then one ``KeyTrial``."""
    family = family_named(group.family, context.described)
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
            proof = proof_of(family, locked, mark, file_key, ref.original or ref.path)
            proof = proof or proof_beneath(family, locked, key, ref.original or ref.path)
        if proof:
            bits, why = proof
            return KeyFound(family=family.name, fingerprint=key.fingerprint, bits=bits, proof=why)
    return "unproven" if unwrapped else "refused"
