"""The plain pattern of home-made lockers (.locked): files under AES-256, nothing added but an IV and a tag.

Mode and place of the IV differ: CBC or ECB, padded by PKCS #7, with zeros or not at all; CTR, CFB, OFB or
GCM; the IV before the locked bytes, behind them, beside the key in the key file, made of it, or zero. The
key tells which: decrypted in the right way the file begins with content, and in every other way, as long as
that is a stream or the padding holds, with noise. A tag of GCM proves it, over unknown content too.

With CBC and CFB a wrong IV spoils one block only, and to take the first locked block for the IV leaves a
block out: so a text must begin as texts do.

Some lock areas only, one MiB of every two or the first tenth. Nothing in the file says so: the numbers are
guessed from where it is plain, or where its format breaks. Which guess is right, and whether the stream goes
on from area to area, starts anew in each or goes by the place in the file, is told by what becomes plain.
Blocks have no padding then.
How many zeros at the end are a padding, the original's format tells, or its length, where that stands before
the IV: in 4 or 8 bytes, or 16 digits.
"""

from __future__ import annotations

import codecs
import functools
import math
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from unransom.catalog.formats import FORMATS
from unransom.catalog.formats._textscan import TEXT_BYTES
from unransom.catalog.formats.format import HEAD
from unransom.catalog.formats.identify import Identified, identify
from unransom.catalog.schemes.areas import Stream, areas_by_format
from unransom.catalog.schemes.choose import LARGEST, Make, most_shown
from unransom.catalog.schemes.extents import Extents, Repeat, each_piece
from unransom.catalog.schemes.family import BadMarkError, Decryptor, Family, FileKey, Mark, Plan, Unlock
from unransom.catalog.schemes.padding import PADDING_BITS, padding_size
from unransom.catalog.schemes.plans import TAG_BITS, authentic, whole_blocks
from unransom.catalog.schemes.stripes import SMALLEST, stripes
from unransom.catalog.schemes.ways import CBC, CFB, CFB8, ECB, FILES, USUAL, WAYS, Place, Streams, Way
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import CHUNK, Reader, chunks
from unransom.crypto.ciphers.aes import BLOCK
from unransom.crypto.ciphers.at_once import decrypted
from unransom.crypto.noise import is_noise

KEY_SIZE = 32
TEXTS = frozenset({"text", "csv"})  # formats that a wrong first block leaves as they are, but for that
TEXT_BITS = 64  # of a text, however long: of two texts the longer one is not the likelier
SURE = 24  # bits of a beginning by which areas are looked for: a wrong key would take as long
WEAK = 32  # bits of a beginning that noise may have by chance, as many ways as there are
STRANGE = 4  # bytes of a text's first block that are not in the rest: in a heading
LUCK = 1e-3  # chance that a random first block has no more strange bytes
CHINESE = re.compile(rb"(?:[\t\n\r -~]|[\xa1-\xa9\xb0-\xd7][\xa1-\xfe])*[\xa1-\xd7]?")  # usual, in GBK
SEPARATORS = (b",", b";", b"\t", b"|")
ROWS = 4  # of a table that show how many columns it has
WORD = re.compile(rb"[A-Za-z]+")
SENTENCE, CONTINUED = re.compile(rb"[.!?]\s+[A-Z]"), re.compile(rb"[.!?]\s+[a-z]")
VARIED = 9  # values in a locked block at least: random ones have fewer once in 30 million times
LEAST, ENOUGH = 64, 256  # bytes whose noise can be told from content, and as many as it takes
TAGGED = 64 << 20  # bytes that are read, for all ways together, to see whose tag holds
MOST_TAGGED = 1 << 30  # bytes of a file without a known beginning of which a tag is asked
SYNCHRONOUS = (CBC, CFB, CFB8)  # go right behind a wrong IV, so that a block left out does not show
SIGNED = tuple(each for each in FORMATS if each.name not in TEXTS)


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
    if len(key.data) not in {KEY_SIZE, KEY_SIZE + USUAL, KEY_SIZE + BLOCK}:
        return None
    secret, given = key.data[:KEY_SIZE], key.data[KEY_SIZE:]
    trials = [trial for index in range(len(WAYS)) if (trial := _try(index, mark, secret, given))]
    parts = {"key": secret, "given": given, "tags": b"", "ways": b"", "padding": b"\0", "sure": b"\0"}
    if not trials:
        return _over_noise(mark, parts)
    best = max(trials)
    rivals = [trial for trial in trials if trial[2:5] == best[2:5]]
    if not (best.proven or best.bits) and len(rivals) > 1:  # no known format, and more than one beginning
        return None
    parts["ways"] = bytes(trial.way for trial in trials if trial._replace(way=best.way) == best)
    parts["padding"] = bytes([best.padding])
    if best.proven:
        return FileKey(parts, TAG_BITS, say("the authentication tag of the content"))
    parts["sure"] = bytes([best.bits >= SURE])
    if best.bits < WEAK and not best.plain:
        parts["tags"] = _tagged(mark)
    if WAYS[best.way].padded:
        return FileKey(parts, PADDING_BITS, say("PKCS #7 padding"))
    return FileKey(parts)


def _over_noise(mark: Mark, parts: dict[str, bytes]) -> FileKey | None:
    """Return the key where a way has its padding, or may have a tag, which takes the whole file to see.

    What it gives is compressed, another locker's, or the key is wrong. Where the IV is, a padding does not
    tell: it is taken to be in the file where none is given.
    """
    parts["tags"] = _tagged(mark)
    places: tuple[Place, ...] = ("none",) if parts["given"] else (*FILES, "none")
    for place in places:
        way = Way(CBC, place, padded=True)
        padding = _padding(way, mark, parts["key"], way.iv_of(mark, parts["key"], parts["given"]))
        if padding:
            parts |= {"ways": bytes([WAYS.index(way)]), "padding": bytes([padding])}
            return FileKey(parts, PADDING_BITS, say("PKCS #7 padding"))
    return FileKey(parts) if parts["tags"] else None


def _tagged(mark: Mark) -> bytes:
    """Return the ways whose tag may hold, the usual ones first."""
    size = mark.numbers["size"]
    if not HEAD < size <= MOST_TAGGED:  # what is smaller was tried
        return b""
    return bytes(index for index, way in enumerate(WAYS) if way.tag != "none")


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


def _filled(way: Way, mark: Mark, key: bytes, iv: bytes) -> int | None:
    """Return the bytes that are known to fill the last block, None where they, or the length, are wrong."""
    if way.length != "none":
        return way.filled(mark)
    if way.cipher.block == 1:
        return 0
    stored, padding = way.size(mark.numbers["size"]), _padding(way, mark, key, iv)
    return None if bool(padding) != way.padded or (stored % BLOCK and stored <= SMALLEST) else padding


def _try(index: int, mark: Mark, key: bytes, given: bytes) -> Trial | None:
    """Return what ``WAYS[index]`` makes of the file, None where it is noise or padding or tag are wrong."""
    way, stored = WAYS[index], WAYS[index].size(mark.numbers["size"])
    if stored < (way.tag == "none"):
        return None
    iv = way.iv_of(mark, key, given)
    padding = _filled(way, mark, key, iv)
    if padding is None:
        return None
    sample = mark.fields["head"][way.start : way.start + min(HEAD, stored)]
    if len(sample) >= BLOCK and len(set(sample[:BLOCK])) < VARIED:
        return None  # zeros, which CFB with 8 bits makes one letter of, over and over
    cipher = way.decryptor(key, iv)
    content = decrypted(cipher, sample)[: stored - padding]
    if way.cipher.block > 1 and not way.padded and way.length == "none" and stored <= HEAD:
        content = content.rstrip(b"\0")
    proven = way.tag != "none" and stored <= HEAD
    if proven and not authentic(cipher, way.tag_of(mark))[0]:
        return None
    known, noise = _identified(content)
    if not (known or proven) and (noise or (way.length != "none" and len(content) < LEAST)):
        return None  # a length proves the layout, not the key: what is too short to be noise is not its proof
    even = _is_even(content) and not (way.cipher in SYNCHRONOUS and way.place == "head" and _is_cut(content))
    bits = known.bits if known else 0
    if known and known.format.name in TEXTS:
        bits = min(bits, TEXT_BITS) if even else 0
    surely = way.padded or way.cipher.block == 1 or way.length != "none"
    plain = not is_noise(content[BLOCK:ENOUGH])
    return Trial(proven, bits, plain, even, surely, stored, index, padding, iv)


def _identified(content: bytes) -> tuple[Identified | None, bool]:
    """Return what format begins like ``content``, and whether it is noise: then no text is looked for."""
    if len(content) < LEAST or not is_noise(content[:ENOUGH]):
        return identify(content), False
    found = [Identified(each, bits) for each in SIGNED if (bits := each.recognise(content))]
    return max(found, key=lambda each: each.bits, default=None), True


def _is_even(content: bytes) -> bool:
    """Return whether the first block may belong to what follows: as a text's, with the right IV."""
    block, values = content[:BLOCK], set(content[BLOCK:])
    strange = sum(value not in values for value in block)
    share = len(values) / 256
    chance = math.comb(len(block), strange) * share ** (len(block) - strange)
    if strange <= STRANGE and chance < LUCK:
        return True
    if block.translate(None, TEXT_BYTES):
        return False
    try:  # a heading over numbers has letters of its own; 16 random bytes are text once in 500,000 times
        codecs.utf_8_decode(block, "strict", False)
    except UnicodeDecodeError:
        return CHINESE.fullmatch(block) is not None
    return True


def _is_cut(content: bytes) -> bool:
    """Return whether a text begins within a row, sentence or word: what is before it was no IV, but text."""
    lines = content.splitlines()[:-1]
    if len(lines) > ROWS:
        separator = max(SEPARATORS, key=lines[1].count)
        columns = {line.count(separator) for line in lines[1:]}
        if len(columns) == 1 and columns != {0}:
            return columns != {lines[0].count(separator)}
    content = content.lstrip(b" ")
    first = WORD.match(content)
    if first is None or not first[0].islower():
        return content[:1] in {b",", b")", b"?"}
    if len(SENTENCE.findall(content)) > ROWS > len(CONTINUED.findall(content)):
        return True
    words = set(WORD.findall(content, first.end()))
    return first[0] not in words and any(word.endswith(first[0]) for word in words)


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the whole file, or those areas of it that the content speaks for.

    Raises:
        BadMarkError: There are no whole blocks, and no areas to be seen either.
    """
    proven = _proven(locked, mark, key)
    if proven:
        return _whole(proven, proven.size(locked.size), 0, mark, key)
    makes = [
        make for index in key.parts["ways"] for make in _makes(WAYS[index % len(WAYS)], locked, mark, key)
    ]
    found = _found(locked, mark, key)
    if found:
        return found
    if not makes:
        raise BadMarkError(say("no way to lock with AES makes sense with this key"))
    return most_shown(locked, makes) if len(makes) > 1 else makes[0]()


def _found(locked: Reader, mark: Mark, key: FileKey) -> Plan | None:
    """Return the plan for areas that the original's format shows, None where it shows none."""
    if not key.parts["sure"][0]:
        return None
    ways = [WAYS[index % len(WAYS)] for index in key.parts["ways"]]
    sizes = [
        (way, way.size(locked.size)) for way in ways if not way.padded and way.tag == way.length == "none"
    ]
    return areas_by_format(
        locked,
        [Stream(size, functools.partial(_areas, way, size, mark, key), way.streams) for way, size in sizes],
    )


def _proven(locked: Reader, mark: Mark, key: FileKey) -> Way | None:
    """Return the way whose tag holds for the whole file, None where none of those asked for does."""
    ways = [WAYS[index % len(WAYS)] for index in key.parts["tags"]]
    for way in ways[: max(TAGGED // locked.size, 1)] if locked.size else ():
        cipher = way.decryptor(key.parts["key"], _iv(way, mark, key))
        out = memoryview(bytearray(CHUNK))
        for piece in chunks(locked, way.start, way.start + way.size(locked.size)):
            cipher.decrypt_into(memoryview(piece), out[: len(piece)])
        if authentic(cipher, way.tag_of(mark))[0]:
            return way
    return None


def _iv(way: Way, mark: Mark, key: FileKey) -> bytes:
    """Return the IV of a file."""
    return way.iv_of(mark, key.parts["key"], key.parts["given"])


def _makes(way: Way, locked: Reader, mark: Mark, key: FileKey) -> Iterator[Make]:
    """Yield what makes each plan that a way allows, the likeliest first."""
    stored = way.size(locked.size)
    for cut in _cuts(way, stored, mark, key):
        yield functools.partial(_whole, way, stored, cut, mark, key)
    if stored > SMALLEST and way.tag == way.length == "none":
        for areas in stripes(locked, way.start, stored):
            for streams in way.streams:
                extents = Repeat(on=areas.on, off=areas.off)
                yield functools.partial(_areas, way, stored, mark, key, extents, streams)


def _cuts(way: Way, stored: int, mark: Mark, key: FileKey) -> Iterable[int]:
    """Return how many bytes at the end may be padding, the likeliest first; none if not all can be locked."""
    padding = key.parts["padding"][0]
    if way.padded or way.cipher.block == 1 or way.length != "none":
        return (padding,) if stored >= padding and not stored % way.cipher.block else ()
    last = _last(way, mark, _iv(way, mark, key))
    if not last or stored > LARGEST:
        return (0,) if last else ()
    block = decrypted(way.decryptor(key.parts["key"], last[:BLOCK]), last[BLOCK:])
    return range(len(block) - len(block.rstrip(b"\0")), -1, -1)


def _whole(way: Way, stored: int, cut: int, mark: Mark, key: FileKey) -> Plan:
    """Return the plan for a file that is locked whole, without the last ``cut`` bytes."""
    cipher = way.decryptor(key.parts["key"], _iv(way, mark, key))
    check = functools.partial(authentic, cipher, way.tag_of(mark)) if way.tag != "none" else None
    return Plan(stored - cut, iter([Unlock(way.start, stored, cipher)]), check=check)


def _areas(way: Way, stored: int, mark: Mark, key: FileKey, extents: Extents, streams: Streams) -> Plan:
    """Return the plan for a file of which areas are locked."""
    secret, iv = key.parts["key"], _iv(way, mark, key)
    one = way.decryptor(secret, iv)

    def start(span: Span) -> Decryptor:
        if streams == "one":
            return one
        return way.decryptor(secret, iv, span.start if streams == "by place" else 0)

    spans = whole_blocks(extents.spans(stored), way.cipher.block)
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
        "Where the IV of CBC or CFB is not in the file, not given and not made of the key, a text is refused "
        "only if what is behind its first block is seen to begin within a row, a sentence, a word.",
        "The file carries no mark: without its extension the pattern shows only by a key that opens it.",
        "Over what another locker locked before, only GCM is undone, and CBC with a padding whose IV is "
        "given or in the file: in other ways the right key cannot be told from a wrong one.",
        "Areas are seen where there is anything plain between them, or where the format breaks in a file of "
        "up to 16 MiB, and only if their numbers of bytes are usual; others need a description of their own.",
        "Zeros that pad an original of more than 32 MiB stay behind it.",
    ),
)
