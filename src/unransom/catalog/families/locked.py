"""The plain pattern of home-made lockers (.locked): files under AES-256, nothing added but an IV and a tag.

Mode and place of the IV differ: CBC or ECB, padded by PKCS #7, with zeros or not at all; CTR, CFB or GCM; the
IV before the locked bytes, behind them, beside the key in the key file, or zero. The key tells which:
decrypted in the right way the file begins with content, and in every other way, as long as that is a stream
or the padding holds, with noise. A tag of GCM proves it.

Some lock areas only, one MiB of every two or the first tenth. Nothing in the file says so: the numbers are
guessed from where it is plain, and which guess is right, and whether the stream goes on from area to area,
starts anew in each or goes by the place in the file, from what becomes plain. Blocks have no padding then.
How many zeros at the end are a padding, the original's format tells.
"""

from __future__ import annotations

import codecs
import functools
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from unransom.catalog.formats._textscan import TEXT_BYTES
from unransom.catalog.formats.format import HEAD
from unransom.catalog.formats.identify import identify
from unransom.catalog.schemes.choose import LARGEST, Make, most_shown
from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.extents import Repeat, each_piece
from unransom.catalog.schemes.family import BadMarkError, Decryptor, Family, FileKey, Mark, Plan, Unlock
from unransom.catalog.schemes.padding import PADDING_BITS, padding_size
from unransom.catalog.schemes.plans import TAG_BITS, authentic, whole_blocks
from unransom.catalog.schemes.stripes import SMALLEST, Stripes, stripes
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.crypto.ciphers.aes import BLOCK
from unransom.crypto.ciphers.at_once import decrypted
from unransom.crypto.noise import is_noise

KEY_SIZE = 32
TEXTS = frozenset({"text", "csv"})  # formats that a wrong first block leaves as they are, but for that
STRANGE = 4  # bytes of a text's first block that are not in the rest: in a heading
LEAST, ENOUGH = 64, 256  # bytes whose noise can be told from content, and as many as it takes


Streams = Literal["one", "anew", "by place"]  # how areas share the stream
Place = Literal["head", "tail", "none"]  # of the IV; none: it is not in the file


class Way(NamedTuple):
    """A way to lock: the mode, where the IV is and how long, how the last block is filled, where a tag is.

    Without a padding there are zeros behind a whole file, or only areas of it are locked.
    """

    cipher: Cipher
    place: Place
    padded: bool = False
    iv: int = BLOCK
    tag: Literal["head", "tail", "end", "none"] = "none"  # behind the IV; end: before it

    @property
    def added(self) -> int:
        """Bytes of IV and tag in the file."""
        return (0 if self.place == "none" else self.iv) + (0 if self.tag == "none" else BLOCK)

    @property
    def start(self) -> int:
        """Offset of the first locked byte."""
        return (self.iv if self.place == "head" else 0) + (BLOCK if self.tag == "head" else 0)

    @property
    def streams(self) -> tuple[Streams, ...]:
        """How areas may share the stream."""
        if self.cipher.kind == "aes-ecb":
            return ("one",)
        return ("one", "anew", "by place") if self.cipher.kind == "aes-ctr" else ("one", "anew")

    def size(self, size: int) -> int:
        """Return the locked bytes in a file of ``size`` bytes."""
        return size - self.added

    def decryptor(self, key: bytes, iv: bytes, offset: int = 0) -> Decryptor:
        """Return a decryptor at ``offset`` of the stream."""
        return self.cipher.start(FileKey({"key": key, "iv": iv}), offset)


CBC, ECB, GCM = Cipher(kind="aes-cbc"), Cipher(kind="aes-ecb"), Cipher(kind="aes-gcm")
CTR, LITTLE, CFB = Cipher(kind="aes-ctr"), Cipher(kind="aes-ctr", order="little"), Cipher(kind="aes-cfb")
PLACES: tuple[Place, ...] = ("none", "head", "tail")
NONCE = 8  # bytes of the counter that some libraries leave to the nonce
WAYS = (
    *(Way(CBC, place, padded=True) for place in PLACES),
    *(Way(cipher, place) for cipher in (CBC, CTR, LITTLE, CFB) for place in PLACES),
    *(Way(CTR, place, iv=NONCE) for place in PLACES[1:]),
    *(Way(ECB, "none", padded=padded) for padded in (True, False)),
    *(Way(GCM, "head", iv=size, tag=tag) for size in (12, BLOCK) for tag in ("head", "tail")),
    *(Way(GCM, "tail", iv=size, tag=tag) for size in (12, BLOCK) for tag in ("tail", "end")),
)


class Trial(NamedTuple):
    """What a way makes of the file; the more, the better."""

    proven: bool  # by a tag
    bits: int  # that the decrypted beginning is in a known format
    plain: bool  # whether what follows the first block, which several streams have in common, is no noise
    even: bool  # whether the first block has few bytes that the rest has not: as texts, with the right IV
    surely: bool  # there is a padding, or none is needed
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
        "head": locked.read_at(0, HEAD + 2 * BLOCK),
        "end": locked.read_at(max(size - 4 * BLOCK, 0), 4 * BLOCK),
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
    rivals = [trial for trial in trials if trial[2:5] == best[2:5]]
    if not (best.proven or best.bits) and len(rivals) > 1:  # no known format, and more than one beginning
        return None
    ways = bytes(trial.way for trial in trials if trial._replace(way=best.way) == best)
    parts = {"key": secret, "iv": best.iv, "ways": ways, "padding": bytes([best.padding])}
    if best.proven:
        return FileKey(parts, TAG_BITS, say("the authentication tag of the content"))
    return FileKey(parts, PADDING_BITS, say("PKCS #7 padding")) if best.padding else FileKey(parts)


def _over_noise(mark: Mark, key: bytes, given: bytes) -> FileKey | None:
    """Return the key where a way has its padding: what it gives is another locker's, or the key is wrong.

    Where the IV is, the padding does not tell: it is taken to be in the file where none is given.
    """
    places: tuple[Place, ...] = ("none",) if given else ("head", "tail", "none")
    for place in places:
        way = Way(CBC, place, padded=True)
        iv = _iv(way, mark, given or bytes(BLOCK))
        padding = _padding(way, mark, key, iv)
        if padding:
            parts = {"key": key, "iv": iv, "ways": bytes([WAYS.index(way)]), "padding": bytes([padding])}
            return FileKey(parts, PADDING_BITS, say("PKCS #7 padding"))
    return None


def _iv(way: Way, mark: Mark, given: bytes) -> bytes:
    """Return the IV from where ``way`` has it."""
    head, end = mark.fields["head"], mark.fields["end"]
    behind = len(end) - (BLOCK if way.tag == "tail" else 0)
    found = {"none": given, "head": head[: way.iv], "tail": end[behind - way.iv : behind]}[way.place]
    return found if way.tag != "none" else found.ljust(BLOCK, b"\0")


def _tag(way: Way, mark: Mark) -> bytes:
    """Return the tag from where ``way`` has it."""
    head, end = mark.fields["head"], mark.fields["end"]
    return {"head": head[way.iv : way.start], "tail": end[-BLOCK:], "end": end[: -way.iv][-BLOCK:]}[way.tag]


def _last(way: Way, mark: Mark, iv: bytes) -> bytes:
    """Return the last locked block behind what is chained to it; nothing where there are no whole blocks."""
    stored, end = way.size(mark.numbers["size"]), mark.fields["end"]
    if stored <= 0 or stored % BLOCK:
        return b""
    return (iv + (end[:-BLOCK] if way.place == "tail" else end))[-2 * BLOCK :]


def _padding(way: Way, mark: Mark, key: bytes, iv: bytes) -> int:
    """Return the bytes of PKCS #7 padding that end the file, 0 where they are wrong."""
    last = _last(way, mark, iv)
    if way.cipher == ECB:
        last = bytes(BLOCK) + last[BLOCK:]
    return padding_size(last, key) or 0


def _try(index: int, mark: Mark, key: bytes, given: bytes) -> Trial | None:
    """Return what ``WAYS[index]`` makes of the file, None where it is noise or padding or tag are wrong."""
    way, stored = WAYS[index], WAYS[index].size(mark.numbers["size"])
    if stored < (way.tag == "none"):
        return None
    iv, padding = _iv(way, mark, given), 0
    if way.cipher.block > 1:
        padding = _padding(way, mark, key, iv)
        if bool(padding) != way.padded or (stored % BLOCK and stored <= SMALLEST):
            return None
    sample = mark.fields["head"][way.start : way.start + min(HEAD, stored)]
    cipher = way.decryptor(key, iv)
    content = decrypted(cipher, sample)[: stored - padding]
    if way.cipher.block > 1 and not way.padded and stored <= HEAD:
        content = content.rstrip(b"\0")
    proven = way.tag != "none" and stored <= HEAD
    if proven and not authentic(cipher, _tag(way, mark))[0]:
        return None
    known = identify(content)
    if not (known or proven) and len(content) >= LEAST and is_noise(content[:ENOUGH]):
        return None
    even = _is_even(content)
    bits = known.bits if known and (even or known.format.name not in TEXTS) else 0
    surely = way.padded or way.cipher.block == 1
    plain = not is_noise(content[BLOCK:ENOUGH])
    return Trial(proven, bits, plain, even, surely, stored, index, padding, iv)


def _is_even(content: bytes) -> bool:
    """Return whether the first block may belong to what follows: as a text's, with the right IV."""
    block = content[:BLOCK]
    if len(set(block) - set(content[BLOCK:])) <= STRANGE:
        return True
    try:  # a heading over numbers has letters of its own; 16 random bytes are text once in 500,000 times
        codecs.utf_8_decode(block, "strict", False)
    except UnicodeDecodeError:
        return False
    return not block.translate(None, TEXT_BYTES)


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the whole file, or those areas of it that the content speaks for.

    Raises:
        BadMarkError: There are no whole blocks, and no areas to be seen either.
    """
    makes = [
        make for index in key.parts["ways"] for make in _makes(WAYS[index % len(WAYS)], locked, mark, key)
    ]
    if not makes:
        raise BadMarkError(say("the locked part is no whole number of AES blocks"))
    return most_shown(locked, makes) if len(makes) > 1 else makes[0]()


def _makes(way: Way, locked: Reader, mark: Mark, key: FileKey) -> Iterator[Make]:
    """Yield what makes each plan that a way allows, the likeliest first."""
    stored = way.size(locked.size)
    for cut in _cuts(way, stored, mark, key):
        yield functools.partial(_whole, way, stored, cut, mark, key)
    if stored > SMALLEST and way.tag == "none":
        for areas in stripes(locked, way.start, stored):
            for streams in way.streams:
                yield functools.partial(_striped, way, stored, areas, streams, key)


def _cuts(way: Way, stored: int, mark: Mark, key: FileKey) -> Iterable[int]:
    """Return how many bytes at the end may be padding, the likeliest first; none if not all can be locked."""
    padding, iv = key.parts["padding"][0], key.parts["iv"]
    if way.padded or way.cipher.block == 1:
        return (padding,) if stored >= padding and not stored % way.cipher.block else ()
    last = _last(way, mark, iv)
    if not last or stored > LARGEST:
        return (0,) if last else ()
    block = decrypted(way.decryptor(key.parts["key"], last[:BLOCK]), last[BLOCK:])
    return range(len(block) - len(block.rstrip(b"\0")), -1, -1)


def _whole(way: Way, stored: int, cut: int, mark: Mark, key: FileKey) -> Plan:
    """Return the plan for a file that is locked whole, without the last ``cut`` bytes."""
    cipher = way.decryptor(key.parts["key"], key.parts["iv"])
    check = functools.partial(authentic, cipher, _tag(way, mark)) if way.tag != "none" else None
    return Plan(stored - cut, iter([Unlock(way.start, stored, cipher)]), check=check)


def _striped(way: Way, stored: int, areas: Stripes, streams: Streams, key: FileKey) -> Plan:
    """Return the plan for a file of which ``areas`` are locked."""
    secret, iv = key.parts["key"], key.parts["iv"]
    one = way.decryptor(secret, iv)

    def start(span: Span) -> Decryptor:
        if streams == "one":
            return one
        return way.decryptor(secret, iv, span.start if streams == "by place" else 0)

    spans = whole_blocks(Repeat(on=areas.on, off=areas.off).spans(stored), way.cipher.block)
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
        "Zeros that pad an original of more than 32 MiB stay behind it.",
    ),
)
