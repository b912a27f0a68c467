"""What a file's content says, whatever its name and marks say: is it locked, and how much of it?

A format whose walk verifies is intact. A format that breaks where the bytes are random is locked; where it
breaks among other bytes the file is damaged, but not by encryption. Content that no format takes is judged
by statistics: locked content is uniform and independent from its first byte on, where other formats begin
with a header.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from unransom.catalog.formats import text
from unransom.catalog.formats.format import HEAD, Format, Validation
from unransom.catalog.formats.identify import by_name, extension_of, identify
from unransom.catalog.oracle import Judgement, judge
from unransom.core.messages import Message, say
from unransom.core.records import Grade, State
from unransom.core.spans import Span, merge
from unransom.core.streams import Reader
from unransom.examine.triage.blocks import (
    BLOCK,
    HEADER,
    SMALLEST,
    header_bits,
    plain_bits,
    repeated,
    striped,
    uniform,
    uniform_blocks,
)
from unransom.examine.triage.sampling import WHOLE, pieces
from unransom.examine.triage.signatures import HEADERLESS, promised_by, signature_of

WALKED = 64 << 20  # bytes of a file whose structure is walked without any suspicion
TINY = 4  # bytes that may be anything
TEXT = 16 << 20  # bytes of a file that is tried as text though it does not begin like one
SHORT = 1024  # bytes of a file too short to see a pattern in
EDGE = 64  # bytes in which damage of a text is located
FIRST = 16  # bytes: the shortest piece that a locker encrypts
PROMISED = 3.0  # bits of evidence for a header, of 16 bytes, below which they look random
ALL = 0.9  # share of a file from which people call it all of it
LENIENT = frozenset({"text", "csv", "html", "xml", "json", "svg"})  # text, which may go on after damage
SIGNED = 24  # bits of a head that no random head has
LIKELY = 6  # bits that hardly any has
SPARED = (64, 512)  # first bytes that some lockers leave
LANES = (4096, 16384, 65536)  # bytes of which lockers take every second piece, from the first on
SHARED = frozenset({"dat", "db", "map", "key", "pub", "config", "lib", "tab"})  # extensions of many formats
THINNED = 5  # of so many blocks of a large file one is looked at; odd, for lockers take every second one
SPANS = 64  # damaged places that are looked at
_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")


class Verdict(NamedTuple):
    """What the content says.

    Attributes:
        state: INTACT, LOCKED or UNKNOWN.
        why: The sentence about it.
        format: Name of the format, "" where none takes the content.
        grade: What the format's walk came to.
        bits: Strength of that.
        locked: Bytes estimated to be encrypted.
        damaged: It is broken, but not by encryption.
    """

    state: State
    why: Message
    format: str = ""
    grade: Grade = Grade.UNKNOWN
    bits: int = 0
    locked: int = 0
    damaged: bool = False


def examine(content: Reader, path: bytes, suspicious: bool) -> Verdict:
    """Return what the content says.

    Args:
        content: The file.
        path: Its path; what stands before a locker's extension decides between formats as well.
        suspicious: Something else speaks for a locker: then a large file is walked too.
    """
    if content.size > WALKED and not suspicious:
        return _sampled(content, path)
    judgement = judge(content, path)
    if not judgement.format and content.size:
        return _formless(content, path)
    return _formed(content, path, judgement)


def _formed(content: Reader, path: bytes, judgement: Judgement) -> Verdict:
    """Judge content that a format takes, by where its walk broke."""
    validation = judgement.validation
    if validation.grade is Grade.GOOD:
        return _verdict(State.INTACT, validation.why, judgement)
    if validation.grade is Grade.UNKNOWN and validation.bits >= _enough(judgement, content):
        return _verdict(State.INTACT, validation.why, judgement)  # so many bits random bytes seldom have
    if validation.grade is Grade.BAD and _contradicts(path, judgement.format):
        return _formless(content, path)
    if validation.grade is Grade.UNKNOWN:
        return _formless(content, path)._replace(format=judgement.format)
    if judgement.format in LENIENT and signature_of(content.read_at(0, HEAD), path):
        return _verdict(State.INTACT, validation.why, judgement)  # not text: PostScript holds other data too
    broken = _random_damage(content, validation)
    if broken:
        return _verdict(State.LOCKED, validation.why, judgement, max(broken, _estimate(content)))
    if content.size <= 4 * FIRST and plain_bits(content.read_at(0, content.size)) < SIGNED:
        return Verdict(State.UNKNOWN, say("too short to tell from random bytes"))
    why = say("damaged, but not by encryption")
    return _verdict(State.INTACT, why, judgement)._replace(damaged=True)


def _contradicts(path: bytes, name: str) -> bool:
    """Return whether the path promises other formats than the one called ``name``."""
    promised = by_name(path)
    return bool(promised) and all(each.name != name for each in promised)


def _enough(judgement: Judgement, content: Reader) -> int:
    """Return the bits from which content is taken for a format that has too little structure to say.

    Short texts in old encodings: few bits will do as long as there is no control character in them.
    """
    if judgement.format in LENIENT and not _CONTROL.search(content.read_at(0, HEAD)):
        return LIKELY
    return SIGNED


def _verdict(state: State, why: Message, judgement: Judgement, locked: int = 0) -> Verdict:
    validation = judgement.validation
    return Verdict(state, why, judgement.format, validation.grade, validation.bits, locked)


def _random_damage(content: Reader, validation: Validation) -> int:
    """Return how many bytes look random where the format broke, 0 where none do.

    Where a file is cut off its format breaks too: then nothing is damaged, or a last piece of which one
    cannot say whether it is encrypted or only compressed. That piece must pass the strict test.
    """
    spans = merge(_widened(at, content.size) for at in validation.damage[:SPANS])
    if len(spans) == 1 and spans[0].end > content.size - BLOCK:
        start = validation.damage[0].start
        tail = content.read_at(start, 4 * LANES[-1])
        return len(spans[0]) if _random_lanes(tail, start) else 0
    total = 0.0
    for span in spans:
        total += _random_share(content.read_at(span.start, min(len(span), 16 * BLOCK))) * len(span)
    return int(total)


def _widened(span: Span, size: int) -> Span:
    """Return at least a block around ``span``."""
    return Span(span.start - span.start % BLOCK, min(max(span.end, span.start + BLOCK), size))


def _random_lanes(data: bytes, start: int) -> bool:
    """Return whether all of ``data``, or every second piece of the file, is strictly random."""
    if uniform(data):
        return True
    first = -start % BLOCK
    for piece in LANES:
        lane = b"".join(
            data[at : at + BLOCK]
            for at in range(first, len(data) - BLOCK + 1, BLOCK)
            if (start + at) // piece % 2 == 0
        )
        if len(lane) >= 4 * BLOCK and uniform(lane):
            return True
    return False


def _random_share(data: bytes) -> float:
    """Return which part of ``data`` looks random."""
    if len(data) < SMALLEST:
        return float(len(data) > TINY and plain_bits(data) < 0)
    if len(data) < 2 * BLOCK:
        return float(uniform(data) or any(uniform_blocks(data)) or striped(data) is not None)
    flags = uniform_blocks(data)
    if any(flags):
        return sum(flags) / len(flags)
    stripes = striped(data)
    return stripes.length / stripes.period if stripes else 0.0


def _formless(content: Reader, path: bytes) -> Verdict:
    """Judge content that no format takes, by its first bytes and by statistics."""
    head = content.read_at(0, 16 * BLOCK)
    known = signature_of(head, path)
    if known:
        if known.sealed:
            return Verdict(State.INTACT, say("encrypted by its owner: {title}", title=known.title))
        return Verdict(State.INTACT, say("it begins as it should: {title}", title=known.title))
    if extension_of(path) in HEADERLESS and plain_bits(head[:BLOCK]) < 0:
        return Verdict(State.UNKNOWN, say("random bytes, which files called like this may have"))
    formats = by_name(path) if extension_of(path) not in SHARED else ()
    promised = formats[0].title if formats else promised_by(path)
    if content.size < SMALLEST:
        return _tiny(head, promised)
    short = content.size < SHORT and _random_start(head)
    locked = _locked_head(head) or ((promised or short) and _unlike(head))
    if not locked:
        return _plain_head(content, head, promised, formats)
    estimate = max(_estimate(content), locked)
    if promised:
        why = say("random bytes where {format} begins otherwise", format=promised)
    elif estimate > ALL * content.size:
        why = say("all of it is uniformly random, and no format begins like this")
    else:
        why = say("it begins with random bytes as no format does")
    return Verdict(State.LOCKED, why, locked=estimate)


def _plain_head(content: Reader, head: bytes, promised: str, formats: tuple[Format, ...]) -> Verdict:
    """Judge content whose first bytes are not random: those behind them may be all the same."""
    broken = _broken_text(content) if not formats or any(each.name in LENIENT for each in formats) else None
    if broken:
        return broken
    if not formats and repeated(head):
        why = say("its blocks of 16 bytes are random, and some are equal, as AES-ECB leaves them")
        return Verdict(State.LOCKED, why, locked=_estimate(content))
    if formats and any(uniform(head[spared : spared + BLOCK]) for spared in SPARED):
        why = say("random bytes behind the first ones of {format}", format=promised)
        return Verdict(State.LOCKED, why, locked=_estimate(content))
    return Verdict(State.INTACT, say("no known format; its bytes are not encrypted"))


def _broken_text(content: Reader) -> Verdict | None:
    """Return the verdict where content is text save for random bytes, None where it is something else."""
    if content.size > TEXT:
        return None
    validation = text.validate(content)
    lost = sum(map(len, validation.damage))
    if not validation.damage or lost > content.size * 3 // 4:
        return None
    data = b"".join(content.read_at(*_core(span)) for span in validation.damage)
    random = uniform(data) if len(data) >= SMALLEST else plain_bits(data) < -len(data)
    return Verdict(State.LOCKED, validation.why, locked=lost) if random else None


def _core(span: Span) -> tuple[int, int]:
    """Return offset and length of ``span`` without its edges, which are cut in steps and may be text."""
    edge = EDGE if len(span) >= 4 * EDGE else 0
    return span.start + edge, len(span) - 2 * edge


def _tiny(data: bytes, promised: str) -> Verdict:
    """Judge content too short for a histogram."""
    bits = plain_bits(data)
    if promised:
        bits = min(bits, plain_bits(data[:FIRST]), plain_bits(data[: 4 * FIRST]))
    elif _random_start(data):
        bits = -1.0
    if bits >= 0:
        return Verdict(State.INTACT, say("no known format; its bytes are not encrypted"))
    if len(data) < TINY:
        return Verdict(State.UNKNOWN, say("too short to tell from random bytes"))
    return Verdict(State.LOCKED, say("random bytes, and no format begins like this"), locked=len(data))


def _random_start(data: bytes) -> bool:
    """Return whether the first 64 bytes are random, whatever follows."""
    return len(data) >= 4 * FIRST and plain_bits(data[: 4 * FIRST]) < -3 * FIRST


def _unlike(head: bytes) -> int:
    """Return how many first bytes look random in a file that ought to begin with a signature or text."""
    return FIRST if header_bits(head[:FIRST]) < PROMISED or plain_bits(head[: 4 * FIRST]) < 0 else 0


def _locked_head(head: bytes) -> int:
    """Return how many bytes from the first on look encrypted, 0 where they do not."""
    if header_bits(head) >= HEADER:
        return 0
    for length in (len(head), BLOCK, 1024, 256):
        if SMALLEST <= length <= len(head) and uniform(head[:length]) and plain_bits(head[:length]) < 0:
            return length
    stripes = striped(head)
    return len(head) // stripes.period * stripes.length if stripes else 0


def _estimate(content: Reader) -> int:
    """Return how many bytes of the content look random, by the blocks that are looked at."""
    looked = random = 0
    apart = 1 if content.size <= WHOLE else THINNED
    for piece in pieces(content):
        flags = uniform_blocks(piece.data, apart)
        if not (flags and all(flags)) and repeated(piece.data):
            looked += len(piece.data)
            random += len(piece.data)
            continue
        looked += len(flags) * apart * BLOCK
        random += sum(flags) * apart * BLOCK
        if not random and (stripes := striped(piece.data[: 16 * BLOCK])):
            return content.size // stripes.period * stripes.length
    return content.size * random // looked if looked else 0


def _sampled(content: Reader, path: bytes) -> Verdict:
    """Judge a large file by its head, its tail and pieces from everywhere."""
    found = identify(content.read_at(0, HEAD), path)
    if found is None:
        return _formless(content, path)
    estimate = 0 if found.format.compressed else _estimate(content)
    why = say("head and samples are {format}", format=found.format.title)
    return Verdict(State.INTACT, why, found.format.name, locked=estimate)
