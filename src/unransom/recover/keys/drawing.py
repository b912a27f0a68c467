"""Tries recipes for keys on a file of no known family, and describes what opens it as a family of its own."""

from __future__ import annotations

import json
from typing import NamedTuple

import msgspec

from unransom.catalog.formats.identify import by_name
from unransom.catalog.oracle import heads
from unransom.catalog.schemes.ciphers import WHOLE_BLOCKS, Cipher
from unransom.catalog.schemes.described import Description, encoded
from unransom.catalog.schemes.extents import Whole
from unransom.catalog.schemes.layout import Field, Head, Tail
from unransom.catalog.schemes.plans import OneStream
from unransom.catalog.schemes.wraps import RunKey
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.records import FileRef, KeyFound, Record
from unransom.core.searches import Described, Secret, Target
from unransom.core.spans import Span
from unransom.core.streams import Salvage
from unransom.crypto.search.recipe import Crib, Place, Recipe, material
from unransom.recover.keys.describing import extensions_of
from unransom.recover.keys.opened import TEXTS
from unransom.recover.keys.proof import proof_of

HEAD = 96  # bytes of a file that cribs lie in
LEAST = 24  # bits of a crib
BLOCK = 16
LETTERS = range(48, 65)  # letters of a text, of each of which the highest bit is known: it is no Chinese


class Found(NamedTuple):
    """A seed whose key opens the head of a file.

    Attributes:
        seed: The seed.
        key, iv: What it gives; the IV of a file that has it itself is read there.
        stored: Where in the file the IV stands, "" where it is drawn or always the same.
    """

    seed: int
    key: bytes
    iv: bytes
    stored: Place


def hits(
    recipe: Recipe, seeds: Span, locked: Salvage, ref: FileRef, place: Place | None = None
) -> tuple[list[Found], int]:
    """Return what opens the head of the file to the head of a format, and how many seeds were tried.

    Args:
        recipe: How the key was drawn.
        seeds: Which to try.
        locked: The file.
        ref: The file.
        place: Where the IV stands in another file that the recipe opened; None where there is none. Then a
            text behind a block of noise says nothing: is that block the IV, or the recipe's IV wrong?
    """
    from unransom.crypto.search.seeds import Search  # noqa: PLC0415 numba takes half a second to import

    recipe = _with_iv(recipe, locked)
    head = locked.read_at(recipe.cipher.iv_size if recipe.cipher.stored == "head" else 0, HEAD)
    cribs, where = [], []
    for start, stored in _places(recipe, place).items():
        for known in heads(ref.original or ref.path, LEAST, len(head) - start - BLOCK):
            cribs.append(Crib(locked=head, offset=start + known.offset, plain=known.data))
            where.append(stored)
        if start and place is None:
            continue
        letters = letters_of(head, start, ref.original or ref.path)
        cribs += letters
        where += [stored] * len(letters)
    if not cribs or len(recipe.cipher.iv) < recipe.cipher.iv_size * bool(recipe.cipher.stored):
        return [], 0
    found = Search(recipe, cribs).over(range(seeds.start, seeds.end), limit=len(seeds))
    return [Found(hit.seed, hit.key, hit.iv, where[hit.crib]) for hit in found.hits], found.tried


def given(recipe: Recipe, seed: int, locked: Salvage, place: Place) -> Found:
    """Return what ``seed`` gives for a file of which nothing is known, with the IV at ``place``."""
    key, iv = material(_with_iv(recipe, locked), seed)
    return Found(seed, key, iv, place)


def _with_iv(recipe: Recipe, locked: Salvage) -> Recipe:
    """Return ``recipe`` with the IV that stands in the file, where it says that one does."""
    size, stored = recipe.cipher.iv_size, recipe.cipher.stored
    if not stored:
        return recipe
    iv = locked.read_at(0 if stored == "head" else max(locked.size - size, 0), size)
    return msgspec.structs.replace(recipe, cipher=msgspec.structs.replace(recipe.cipher, iv=iv))


def _places(recipe: Recipe, place: Place | None) -> dict[int, Place]:
    """Return where the IV may be, by how many bytes are before what is locked, without an IV that is read."""
    places: dict[int, Place] = {0: recipe.cipher.stored}
    if recipe.cipher.name == "aes-cbc" and not recipe.cipher.stored:
        places[BLOCK] = "head"  # the block before is the IV, whether it is one or not
    return {start: each for start, each in places.items() if place in {None, each}}


def letters_of(head: bytes, start: int, name: bytes) -> list[Crib]:
    """Return what is known of a text, which has no beginning in common with others: no high bit is set.

    Args:
        head: Of the locked file.
        start: Where in it the text begins.
        name: Name or path of the original.

    Returns:
        A crib; none where files of such a name are no texts, and where there are too few letters.
    """
    count = min(len(head) - start - BLOCK, LETTERS[-1])
    if count not in LETTERS or any(each.name not in TEXTS for each in by_name(name)):
        return []
    return [Crib(locked=head, offset=start, plain=bytes(count), mask=b"\x80" * count)]


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
    seed, secret, iv, stored = found
    for padded in (True, False) if recipe.cipher.name in WHOLE_BLOCKS else (False,):
        description = _described(recipe, stored, padded=padded, target=target)
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
                    clue=json.dumps([number, seed, stored]),
                ),
                Secret(family=family.name, key=key, item=ref.id),
            ]
    return []


def _described(recipe: Recipe, stored: Place, *, padded: bool, target: Target) -> Description:
    """Return the family of files whose key a recipe draws."""
    cipher = recipe.cipher
    parts = {"key": (0, cipher.key_size)}
    if cipher.iv_size and not stored:
        parts["iv"] = (cipher.key_size, cipher.key_size + cipher.iv_size)
    kind = Cipher(
        kind=cipher.name,
        fixed_iv="" if stored else cipher.iv.hex(),
        rounds=cipher.rounds,
        order=cipher.order,
    )
    words = ["drawn", recipe.generator, cipher.name, str(8 * cipher.key_size)]
    if stored:
        words.append("iv" if stored == "head" else "end")
    elif cipher.iv_size:
        words.append("both")
    if padded:
        words.append("padded")
    field = Field("iv", cipher.iv_size if cipher.stored else BLOCK)
    return Description(
        name="-".join(words)[:40],
        extensions=extensions_of(target.samples),
        head=Head((field,)) if stored == "head" else None,
        tail=Tail((field,)) if stored == "tail" else None,
        wrap=RunKey(parts, sizes=(max(end for _, end in parts.values()),)),
        plan=OneStream(cipher=kind, extents=Whole(), padded=padded),
    )
