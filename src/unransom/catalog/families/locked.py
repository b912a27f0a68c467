"""The plain pattern of home-made lockers (.locked): files under AES-256, nothing added but an IV.

Mode and place of the IV differ: CBC with PKCS #7 padding, or CTR; the IV before the locked bytes, behind
them, beside the key in the key file, or zero. The key tells which: decrypted in the right way the file
begins with content, and in every other way, as long as that is CTR or the padding holds, with noise.

Some lock areas only, one MiB of every two or the first tenth. Nothing in the file says so: the numbers are
guessed from where it is plain, and which guess is right, and whether the stream goes on from area to area,
starts anew in each or goes by the place in the file, from what becomes plain. CBC has no padding then.
"""

from __future__ import annotations

import functools
from typing import Literal, NamedTuple

from unransom.catalog.formats.format import HEAD
from unransom.catalog.formats.identify import identify
from unransom.catalog.schemes.choose import most_shown
from unransom.catalog.schemes.extents import Repeat, each_piece
from unransom.catalog.schemes.family import BadMarkError, Decryptor, Family, FileKey, Mark, Plan, Unlock
from unransom.catalog.schemes.padding import PADDING_BITS, padding_size
from unransom.catalog.schemes.plans import whole_blocks
from unransom.catalog.schemes.stripes import SMALLEST, Stripes, stripes
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.crypto.ciphers.aes import BLOCK, AesCbc, AesCtr
from unransom.crypto.noise import is_noise

KEY_SIZE = 32
LEAST, ENOUGH = 64, 256  # bytes whose noise can be told from content, and as many as it takes


Place = Literal["head", "tail", "none"]  # of the IV; none: it is not in the file


class Way(NamedTuple):
    """A way to lock: the mode, where the IV is, and whether only areas of the file can be locked."""

    mode: Literal["cbc", "ctr"]
    place: Place
    striped: bool = False

    @property
    def start(self) -> int:
        """Offset of the first locked byte."""
        return BLOCK if self.place == "head" else 0

    def size(self, size: int) -> int:
        """Return the locked bytes in a file of ``size`` bytes."""
        return size if self.place == "none" else size - BLOCK

    def decryptor(self, key: bytes, iv: bytes) -> Decryptor:
        """Return a decryptor at the beginning of the stream."""
        return AesCbc(key, iv) if self.mode == "cbc" else AesCtr(key, iv)


WAYS = (
    *(Way(mode, place) for mode in ("cbc", "ctr") for place in ("none", "head", "tail")),
    *(Way("cbc", place, striped=True) for place in ("none", "head", "tail")),
)
Streams = Literal["one", "anew", "by place"]  # how areas share the stream


class Trial(NamedTuple):
    """What a way makes of the file; the more, the better."""

    bits: int  # that the decrypted beginning is in a known format
    even: bool  # whether the first block has no byte that the rest has not: as texts, with the right IV
    padded: bool  # or as long as the original: anything but areas without a padding
    stored: int  # bytes that are made sense of: a way that leaves out the first block is worse
    way: int
    padding: int
    iv: bytes


def read(locked: Reader) -> Mark | None:
    """Return the weakest of marks: that there is something to be locked."""
    size = locked.size
    if not size:
        return None
    fields = {
        "head": locked.read_at(0, HEAD + BLOCK),
        "end": locked.read_at(max(size - 3 * BLOCK, 0), 3 * BLOCK),
    }
    return Mark(bits=1, fields=fields, numbers={"size": size})


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Take an AES-256 key, with or without an IV behind it, if one way of locking makes sense with it."""
    if len(key.data) not in {KEY_SIZE, KEY_SIZE + BLOCK}:
        return None
    secret, given = key.data[:KEY_SIZE], key.data[KEY_SIZE:] or bytes(BLOCK)
    trials = [trial for index in range(len(WAYS)) if (trial := _try(index, mark, secret, given))]
    if not trials:
        return _over_noise(mark, secret, key.data[KEY_SIZE:])
    best = max(trials)
    rivals = [trial for trial in trials if (trial.even, trial.padded) == (best.even, best.padded)]
    if not best.bits and len(rivals) > 1:  # content of no known format, and more than one beginning of it
        return None
    parts = {"key": secret, "iv": best.iv, "way": bytes([best.way]), "padding": bytes([best.padding])}
    return FileKey(parts, PADDING_BITS, say("PKCS #7 padding")) if best.padding else FileKey(parts)


def _over_noise(mark: Mark, key: bytes, given: bytes) -> FileKey | None:
    """Return the key where a way has its padding: what it gives is another locker's, or the key is wrong.

    Where the IV is, the padding does not tell: it is taken to be in the file where none is given.
    """
    places: tuple[Place, ...] = ("none",) if given else ("head", "tail", "none")
    for place in places:
        way = Way("cbc", place)
        iv = _iv(way, mark, given or bytes(BLOCK))
        padding = _padding(way, mark, key, iv)
        if padding:
            parts = {"key": key, "iv": iv, "way": bytes([WAYS.index(way)]), "padding": bytes([padding])}
            return FileKey(parts, PADDING_BITS, say("PKCS #7 padding"))
    return None


def _iv(way: Way, mark: Mark, given: bytes) -> bytes:
    """Return the IV from where ``way`` has it."""
    return {"none": given, "head": mark.fields["head"][:BLOCK], "tail": mark.fields["end"][-BLOCK:]}[
        way.place
    ]


def _padding(way: Way, mark: Mark, key: bytes, iv: bytes) -> int:
    """Return the bytes of padding that end the file, 0 where they are wrong."""
    stored, end = way.size(mark.numbers["size"]), mark.fields["end"]
    if stored <= 0 or stored % BLOCK:
        return 0
    behind = end[:-BLOCK] if way.place == "tail" else end
    return padding_size((iv + behind)[-2 * BLOCK :], key) or 0


def _try(index: int, mark: Mark, key: bytes, given: bytes) -> Trial | None:
    """Return what ``WAYS[index]`` makes of the file, None where it is noise or the padding is wrong."""
    way, head = WAYS[index], mark.fields["head"]
    stored = way.size(mark.numbers["size"])
    if stored <= (SMALLEST if way.striped else 0):
        return None
    iv, padding = _iv(way, mark, given), 0
    if way.mode == "cbc" and not way.striped:
        padding = _padding(way, mark, key, iv)
        if not padding:
            return None
    sample = head[way.start : way.start + min(HEAD, stored)]
    plain = bytearray(len(sample))
    way.decryptor(key, iv).decrypt_into(memoryview(sample), memoryview(plain))
    content = bytes(plain[: stored - padding])
    known = identify(content)
    if not known and len(content) >= LEAST and is_noise(content[:ENOUGH]):
        return None
    even = set(content[BLOCK:]).issuperset(content[:BLOCK])
    return Trial(known.bits if known else 0, even, not way.striped, stored, index, padding, iv)


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the whole file, or those areas of it that the content speaks for.

    Raises:
        BadMarkError: There are no whole blocks, and no areas to be seen either.
    """
    del mark
    way, padding = WAYS[key.parts["way"][0] % len(WAYS)], key.parts["padding"][0]
    stored = way.size(locked.size)
    whole = stored >= padding and not (way.mode == "cbc" and stored % BLOCK) and not way.striped
    makes = [functools.partial(_whole, way, stored, padding, key)] if whole else []
    if stored > SMALLEST:
        streams: tuple[Streams, ...] = ("one", "anew") if way.mode == "cbc" else ("one", "anew", "by place")
        for areas in stripes(locked, way.start, stored):
            makes += [functools.partial(_striped, way, stored, areas, each, key) for each in streams]
    if not makes:
        raise BadMarkError(say("the locked part is no whole number of AES blocks"))
    return most_shown(locked, makes) if len(makes) > 1 else makes[0]()


def _whole(way: Way, stored: int, padding: int, key: FileKey) -> Plan:
    """Return the plan for a file that is locked whole."""
    cipher = way.decryptor(key.parts["key"], key.parts["iv"])
    return Plan(stored - padding, iter([Unlock(way.start, stored, cipher)]))


def _striped(way: Way, stored: int, areas: Stripes, streams: Streams, key: FileKey) -> Plan:
    """Return the plan for a file of which ``areas`` are locked."""
    secret, iv = key.parts["key"], key.parts["iv"]
    one = way.decryptor(secret, iv)

    def start(span: Span) -> Decryptor:
        if streams == "by place":
            return AesCtr(secret, iv).at(span.start)
        return one if streams == "one" else way.decryptor(secret, iv)

    spans = whole_blocks(Repeat(on=areas.on, off=areas.off).spans(stored), BLOCK if way.mode == "cbc" else 1)
    return Plan(stored, each_piece(stored, spans, start, way.start))


FAMILY = Family(
    name="locked",
    title="Plain AES-256 (.locked)",
    extensions=(r"\.(?i:locked|encrypted|crypted)",),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the AES-256 key, 32 bytes, followed by the IV where all files have the same"),
    references=("https://csrc.nist.gov/pubs/sp/800/38/a/final",),
    limitations=(
        "The file carries no mark: without its extension the pattern shows only by a key that opens it.",
        "Over what another locker locked before, only CBC with a padding is undone, with an IV that is given "
        "or in the file: in other ways the right key cannot be told from a wrong one.",
        "Areas are seen where there is anything plain between them, and only if they are of round numbers of "
        "bytes; others need a description of their own.",
    ),
)
