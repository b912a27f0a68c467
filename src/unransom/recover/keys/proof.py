"""The proof that a key opens a file: by its wrap, by the tags of the scheme, or by what comes out."""

from __future__ import annotations

from unransom.catalog.control import bits_of_key
from unransom.catalog.formats.identify import identify
from unransom.catalog.oracle import judge
from unransom.catalog.schemes.assemble import assembled, beginning
from unransom.catalog.schemes.family import PROVEN, BadMarkError, Family, FileKey, Mark, Plan
from unransom.core.messages import Message
from unransom.core.spans import Origin
from unransom.core.streams import BytesReader, Salvage

LARGEST_SAMPLE = 16 << 20  # bytes; a sample is decrypted in memory


def proof_of(
    family: Family, locked: Salvage, mark: Mark, file_key: FileKey, path: bytes
) -> tuple[int, Message] | None:
    """Return bits and sentence of the proof that the file key is right, None where there is none.

    Args:
        family: The family that ``locked`` is of.
        locked: The locked file; it is decrypted in memory, as far as that takes ``LARGEST_SAMPLE`` bytes.
        mark: What ``family`` read from it.
        file_key: The key to prove.
        path: What the original is called, as far as that is known: which format to expect.
    """
    if file_key.bits >= PROVEN and file_key.proof:
        return file_key.bits, file_key.proof
    try:
        if not _worth(family.plan(locked, mark, file_key), locked, path):
            return None
        plan = family.plan(locked, mark, file_key)
        if plan.size > LARGEST_SAMPLE:
            return None
        data, origins = assembled(locked, plan)
    except BadMarkError:
        return None
    if origins.totals()[Origin.LOST] or is_unchanged(locked, data):
        return None
    checked = plan.check() if plan.check else None
    if checked and checked[0] >= PROVEN:
        return checked
    content, name = BytesReader(data), plan.name or path
    judgement = judge(content, name)
    bits = bits_of_key(content, origins, judgement, name)
    return (bits, judgement.validation.why) if bits >= PROVEN else None


def is_unchanged(locked: Salvage, content: bytes) -> bool:
    """Return whether a key left a file as it was: what holds then held before, and proves no key."""
    return locked.read_at(0, len(content)) == content


def _worth(plan: Plan, locked: Salvage, path: bytes) -> bool:
    """Return whether the whole original could prove anything; it uses the plan up."""
    return plan.check is not None or identify(beginning(locked, plan), plan.name or path) is not None
