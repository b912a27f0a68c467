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
from unransom.recover.keys.beneath import proofs_beneath
from unransom.recover.keys.proof import proof_of

LOOKS = 512  # times that a sample is opened with a key that nothing proves: each takes some milliseconds
FEWEST = 4  # samples that each of these keys is tried on, however many keys there are


def run(group: LockedGroup, context: Context) -> Iterator[Record]:
    """Try every key on the samples of ``group``; yield each ``KeyFound``, then one ``KeyTrial``.

    Where files were locked twice, the keys of the layers beneath are found as well.
    """
    family = family_named(group.family, context.described)
    keys = [key for key in context.keys if key.kind in family.takes]
    trials = {key.fingerprint: _try(family, key, group.samples, context) for key in keys}
    found = [trial for trial in trials.values() if isinstance(trial, KeyFound)]
    fitting = [key for key in keys if trials[key.fingerprint] != "refused"]
    found += _beneath(family, fitting, group.samples, context, found)
    yield from found
    opened = sum(each.family == family.name for each in found)
    if opened:
        outcome, why = "found", say("{keys} of {tried} keys open files", keys=opened, tried=len(keys))
    elif not keys:
        outcome, why = "none", say("no key of a kind that this family takes was given")
    elif any(trial == "unproven" for trial in trials.values()):
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


def _beneath(
    family: Family, keys: list[Key], samples: tuple[FileRef, ...], context: Context, found: list[KeyFound]
) -> Iterator[KeyFound]:
    """Yield what samples that were locked twice prove besides what is ``found``, each key once a family."""
    known = {(each.family, each.fingerprint) for each in found}
    unproven = sum((family.name, key.fingerprint) not in known for key in keys)
    enough = max(LOOKS // max(unproven, 1), FEWEST)
    for key in sorted(keys, key=lambda key: (family.name, key.fingerprint) not in known):  # proven ones first
        looked = samples if (family.name, key.fingerprint) in known else samples[:enough]
        for ref in looked:
            proven = (family.name, key.fingerprint) in known
            for each in proofs_beneath(family, key, ref, context, proven=proven):
                if (each.family, each.fingerprint) not in known:
                    known.add((each.family, each.fingerprint))
                    yield each


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
        if proof:
            bits, why = proof
            return KeyFound(family=family.name, fingerprint=key.fingerprint, bits=bits, proof=why)
    return "unproven" if unwrapped else "refused"
