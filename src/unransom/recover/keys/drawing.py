"""Tries recipes for keys on a file of no known family, and describes what opens it as a family of its own."""

from __future__ import annotations

import json

from unransom.catalog.oracle import heads
from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.described import Description, encoded
from unransom.catalog.schemes.extents import Whole
from unransom.catalog.schemes.layout import Field, Head
from unransom.catalog.schemes.plans import OneStream
from unransom.catalog.schemes.wraps import RunKey
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.records import FileRef, KeyFound, Record
from unransom.core.searches import Described, Secret, Target
from unransom.core.spans import Span
from unransom.core.streams import Salvage
from unransom.crypto.search.recipe import Crib, Recipe
from unransom.recover.keys.describing import extensions_of
from unransom.recover.keys.proof import proof_of

HEAD = 96  # bytes of a file that cribs lie in
LEAST = 24  # bits of a crib
BLOCK = 16

Found = tuple[int, bytes, bytes, int]  # seed, key, IV, and where the locked bytes begin


def hits(recipe: Recipe, seeds: Span, locked: Salvage, ref: FileRef) -> tuple[list[Found], int]:
    """Return what opens the head of the file to the head of a format, and how many seeds were tried."""
    from unransom.crypto.search.seeds import Search  # noqa: PLC0415 numba takes half a second to import

    head = locked.read_at(0, HEAD)
    begins = [0, BLOCK] if recipe.cipher.name == "aes-cbc" else [0]
    cribs, starts = [], []
    for start in begins:
        for known in heads(ref.original or ref.path, LEAST, len(head) - start - BLOCK):
            cribs.append(Crib(locked=head, offset=start + known.offset, plain=known.data))
            starts.append(start)
    if not cribs:
        return [], 0
    found = Search(recipe, cribs).over(range(seeds.start, seeds.end), limit=len(seeds))
    return [(hit.seed, hit.key, hit.iv, starts[hit.crib]) for hit in found.hits], found.tried


def proven(
    attack: str, recipe: Recipe, number: int, found: Found, locked: Salvage, target: Target, ref: FileRef
) -> list[Record]:
    """Return the records of a key that the whole file proves, none where it does not.

    Args:
        attack: Name of the attack.
        recipe: How the key was drawn, ``number`` in the attack's list.
        number: Of the recipe.
        found: What ``hits`` returned.
        locked: The file.
        target: What the attack works on.
        ref: The file.
    """
    seed, secret, iv, start = found
    for padded in (True, False) if recipe.cipher.name == "aes-cbc" else (False,):
        description = _described(recipe, start, padded=padded, target=target)
        size = max(end for _, end in description.wrap.parts.values())  # type: ignore[union-attr]
        key = Key(KeyKind.RAW, (secret + iv)[:size], attack)
        family = description.family()
        mark = family.read(locked)
        file_key = family.unwrap(mark, key) if mark else None
        proof = (
            proof_of(family, locked, mark, file_key, ref.original or ref.path) if mark and file_key else None
        )
        if proof:
            bits, why = proof
            drawn = say(
                "drawn with seed {seed} of {generator}; {why}",
                seed=seed,
                generator=recipe.generator,
                why=why,
            )
            return [
                Described(family=target.family, description=encoded(description)),
                KeyFound(
                    family=family.name,
                    fingerprint=key.fingerprint,
                    bits=bits,
                    proof=drawn,
                    item=ref.id,
                    attack=attack,
                    clue=json.dumps([number, seed]),
                ),
                Secret(family=family.name, key=key, item=ref.id),
            ]
    return []


def _described(recipe: Recipe, start: int, *, padded: bool, target: Target) -> Description:
    """Return the family of files whose key a recipe draws."""
    cipher = recipe.cipher
    parts = {"key": (0, cipher.key_size)}
    if cipher.iv_size and not start:
        parts["iv"] = (cipher.key_size, cipher.key_size + cipher.iv_size)
    kind = Cipher(
        kind=cipher.name,
        fixed_iv="" if start else cipher.iv.hex(),
        rounds=cipher.rounds,
        order=cipher.order,
    )
    words = ["drawn", recipe.generator, cipher.name, str(8 * cipher.key_size)]
    if start:
        words.append("iv")
    elif cipher.iv_size:
        words.append("both")
    if padded:
        words.append("padded")
    return Description(
        name="-".join(words)[:40],
        extensions=extensions_of(target.samples),
        head=Head((Field("iv", BLOCK),)) if start else None,
        wrap=RunKey(parts, sizes=(max(end for _, end in parts.values()),)),
        plan=OneStream(cipher=kind, extents=Whole(), padded=padded),
    )
