"""Akira's second generation (2024): KCipher-2 and ChaCha8 by turns, with four keys drawn by the clock.

What is locked of a file are regions: all of a database; the first half of other files below 2,000,000
bytes; four tenths of larger ones and of virtual machines', or another percentage where the attackers
said so. A region is cut into blocks of 65,535 bytes, of which KCipher-2 locks the first and the last one
and ChaCha8 with a key of 16 bytes those between. Either stream goes on over all regions; ChaCha8 begins
every block with a fresh 64 bytes of keystream.

Tail, 512 bytes: RSA-4096, PKCS #1 v1.5, every four bytes turned round. In Linux builds it opens to 11
bytes, then ChaCha's key of 32 bytes and nonce of 16 (of either the first half is used) and KCipher-2's
key and IV of 16, the pairs mixed word by word and every word turned round.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

from unransom.catalog.formats.identify import extension_of, identify
from unransom.catalog.schemes.choose import best_held
from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.edges import areas_bits
from unransom.catalog.schemes.family import (
    BadMarkError,
    Decryptor,
    Family,
    FileKey,
    Keep,
    Locked,
    Lost,
    Mark,
    Piece,
    Plan,
    Unlock,
)
from unransom.catalog.schemes.layout import Field, Tail
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.crypto import rsa
from unransom.crypto.ciphers.at_once import decrypted
from unransom.crypto.noise import is_noise

TAIL = Tail((Field("blob", 512, random=True),), wrapped="blob")
FIRST = slice(-22, -10)  # zeros there end a file of the first generation, even one of which a part is missing
KCIPHER = Cipher("kcipher-2")
CHACHA = Cipher("chacha", key="chacha", iv="nonce", rounds=8)
BLOCK = 0xFFFF  # bytes of a region that one of the ciphers locks
KEYSTREAM = 64  # bytes of ChaCha's keystream that are made at once
WORD = 4
PKCS1_BITS = 16  # two bytes of padding; how much more the message holds is not known
MESSAGE = 91  # bytes of it that are
LARGE = 2_000_000  # bytes from which a file is locked in places
USUAL = 50  # percent
PERCENTS = range(1, 56)  # from 56 on the places would overlap
SAMPLE = 4096  # bytes
LEAST = 64  # bytes of it that tell noise from content
SEEN = 20_000  # bytes of a file from which its first 64 or so are locked, whatever the percentage
SHARE = 300  # of so many bytes one is locked at the beginning, at the least: one percent in three regions
# Where the parts of a key that is given begin, by its bytes: KCipher-2's key and IV, then ChaCha's.
GIVEN = {32: (), 56: ((32, 48), (48, 56)), 80: ((32, 48), (64, 72))}

_WHOLE = """
    4dd 4dl abcddb abs abx accdb accdc accde accdr accdt accdw accft adb ade adf adn adp alf arc ask bdf
    btr cat cdb ckp cma cpd dacpac dad dadiagrams daschema db db-shm db-wal db2 db3 dbc dbf dbs dbt dbv dbx
    dcb dct dcx ddl dlis dp1 dqy dsk dsn dtsx dxl eco ecx edb epim exb fcd fdb fic fm5 fmp fmp12 fmpsl fol
    fp3 fp4 fp5 fp7 fpt frm gdb grdb gwi hdb his hjt ib icg icr idb ihx itdb itw jet jtx kdb kexi kexic
    kexis lgc lut lwx maf maq mar mas mav maw mdb mdf mdn mdt mpd mrg mud mwb myd ndf nnt nrmlib ns2 ns3
    ns4 nsf nv nv2 nwdb nyf odb oqy ora orx owc p96 p97 pan pdb pdm pnz qry qvd rbf rctd rod rodx rpd rsd
    sas7bdat sbf scx sdb sdc sdf sis spq sql sqlite sqlite3 sqlitedb te temx tmd tps trc trm udb udl usr
    v12 vis vpd vvv wdb wmdb wrk xdb xld xmlff
"""
_MACHINES = "avdx avhd bin iso nvram pvm qcow2 raw subvol vdi vhd vhdx vmcx vmdk vmem vmrs vmsd vmsn vmx vsv"
WHOLE = frozenset(_WHOLE.split())  # extensions of files that are locked whole
MACHINES = frozenset(_MACHINES.split())  # and of those that are locked in places whatever their size


def read(locked: Locked) -> Mark | None:
    """Return a weak mark: a random tail, and as many bits as the edges of the usual regions give away."""
    mark = TAIL(locked)
    if mark is None or mark.plain_size is None or not any(mark.fields["blob"][FIRST]):
        return None
    if mark.plain_size >= SEEN and not is_noise(locked.read_at(0, SEEN // SHARE)):
        return None
    usual = regions(mark.plain_size, FAMILY.original_name(locked.name) or b"", USUAL)
    bits = areas_bits(locked, usual, mark.plain_size) or 1
    return Mark(bits, mark.fields, plain_size=mark.plain_size, wrapped=mark.wrapped)


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open the blob as Linux builds make it, or take the keys themselves, with a percentage behind them."""
    if key.kind is KeyKind.RSA:
        return _from_blob(mark.fields["blob"], key.data)
    size = len(key.data) if len(key.data) in GIVEN else len(key.data) - 1
    percent = key.data[size:]
    if size not in GIVEN or (percent and percent[0] not in PERCENTS):
        return None
    parts = {"key": key.data[:16], "iv": key.data[16:32]}
    for name, (start, end) in zip(("chacha", "nonce"), GIVEN[size], strict=False):
        parts[name] = key.data[start:end]
    return FileKey({**parts, "percent": percent} if percent else parts)


def _from_blob(blob: bytes, der: bytes) -> FileKey | None:
    """Return the keys in the tail, None where the private key is another one."""
    message = rsa.decrypt_pkcs1(der, _turned(blob), "big")
    if message is None or len(message) < MESSAGE:
        return None
    chacha, nonce = _unmixed(message[11:59], every=3)
    secret, iv = _unmixed(message[59:MESSAGE], every=2)
    parts = {"key": secret, "iv": iv, "chacha": chacha[:16], "nonce": nonce[:8]}
    return FileKey(parts, PKCS1_BITS, say("the padding of the wrapped key"))


def _turned(data: bytes) -> bytes:
    """Return ``data``, whole words of four bytes, with the bytes of every word in reverse."""
    return b"".join(data[at : at + WORD][::-1] for at in range(0, len(data), WORD))


def _unmixed(data: bytes, every: int) -> tuple[bytes, bytes]:
    """Return what was mixed: every so manieth word, turned round, is of the second one."""
    words = [data[at : at + WORD][::-1] for at in range(0, len(data), WORD)]
    first = [word for index, word in enumerate(words) if index % every != every - 1]
    return b"".join(first), b"".join(words[every - 1 :: every])


def spots(size: int, percent: int) -> list[Span]:
    """Return the regions that together are some less than ``percent`` of a file, at equal distances."""
    parts = 3 if percent < USUAL else 5
    length = size * percent // 100 // parts
    step = (size - length * (parts - 1)) // parts
    return [Span(index * step, index * step + length) for index in range(parts - 1) if length]


def regions(size: int, name: bytes, percent: int) -> list[Span]:
    """Return the regions that a file of this size and original name is locked in."""
    extension = extension_of(name)
    if extension in WHOLE:
        return [Span(0, size)] if size else []
    if extension in MACHINES or size >= LARGE:
        return spots(size, percent)
    half = size * percent // 100
    return [Span(0, half)] if half else []


def plan(locked: Locked, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the regions that the name and the size speak for, or others where the content is against it.

    Raises:
        BadMarkError: No build locks so many percent.
    """
    size = mark.plain_size or 0
    given = key.parts.get("percent")
    percent = given[0] if given else USUAL
    if percent not in PERCENTS:
        raise BadMarkError(say("no version is known to lock {percent} percent", percent=percent))
    usual = regions(size, FAMILY.original_name(locked.name) or b"", percent)
    if given or not (key.bits or _begins(locked, usual, key)):
        return _planned(size, usual, key)
    return _chosen(locked, size, usual, key)


def _begins(locked: Reader, usual: list[Span], key: FileKey) -> bool:
    """Return whether the beginning, which all patterns lock alike, is content; a wrong key is told by it."""
    first = usual[0].end if usual else 0
    head = decrypted(KCIPHER.start(key), locked.read_at(0, min(SAMPLE, first)))
    return not is_noise(head) or not is_noise(head[:LEAST]) or identify(head) is not None


def _chosen(locked: Reader, size: int, usual: list[Span], key: FileKey) -> Plan:
    """Return the plan that the content speaks for most; of several the one whose original holds best."""
    shown = {tuple(usual): _shown(locked, usual, size, key)}
    if shown[tuple(usual)] < len(usual):
        others = [[Span(0, size)], [Span(0, size // 2)], *(spots(size, percent) for percent in PERCENTS)]
        shown = {tuple(each): _shown(locked, each, size, key) for each in (usual, *others)}
    most = max(shown.values())
    fitting = [spans for spans, count in shown.items() if count == most]
    return best_held(locked, [functools.partial(_planned, size, spans, key) for spans in fitting])


def _planned(size: int, spans: Sequence[Span], key: FileKey) -> Plan:
    return Plan(size, _pieces(size, spans, key))


def _shown(locked: Reader, spans: list[Span], size: int, key: FileKey) -> int:
    """Return how many regions are shown to end where they do: plain behind, and decrypted plain before."""
    kcipher, shown = KCIPHER.start(key), 0
    for span in spans:
        blocks = _blocks(span)
        if len(blocks) > 1:
            decrypted(kcipher, bytes(len(blocks[0])))
        data = decrypted(kcipher, locked.read_at(blocks[-1].start, len(blocks[-1])))
        behind = locked.read_at(span.end, min(SAMPLE, size - span.end))
        ends = not is_noise(behind) if behind else len(blocks) > 1
        shown += ends and len(data) >= LEAST and not is_noise(data[-SAMPLE:])
    return shown


def _blocks(span: Span) -> list[Span]:
    """Return the first and the last block of a region, which may be the same, and what is between."""
    last = span.start + (len(span) - 1) // BLOCK * BLOCK
    if last == span.start:
        return [span]
    return [Span(span.start, span.start + BLOCK), Span(span.start + BLOCK, last), Span(last, span.end)]


def _pieces(size: int, spans: Sequence[Span], key: FileKey) -> Iterator[Piece]:
    kcipher, position = KCIPHER.start(key), 0
    chacha = _Fresh(CHACHA.start(key)) if "chacha" in key.parts else None
    for span in spans:
        yield Keep(position, span.start - position)
        for index, block in enumerate(_blocks(span)):
            if index != 1:
                yield Unlock(block.start, len(block), kcipher)
            elif chacha:
                yield Unlock(block.start, len(block), chacha)
            else:
                yield Lost(len(block))
        position = span.end
    yield Keep(position, size - position)


class _Fresh:
    """A keystream of which every block of ``BLOCK`` bytes leaves the rest of its last 64 bytes unused."""

    spill = 0

    def __init__(self, cipher: Decryptor) -> None:
        self._cipher = cipher
        self._used = 0  # bytes of the block

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """Decrypt ``data`` into ``out``; they may be the same memory."""
        done = 0
        while done < len(data):
            end = min(done + BLOCK - self._used, len(data))
            self._cipher.decrypt_into(data[done:end], out[done:end])
            self._used += end - done
            done = end
            if self._used == BLOCK:
                decrypted(self._cipher, bytes(-BLOCK % KEYSTREAM))
                self._used = 0


FAMILY = Family(
    name="akira2",
    title="Akira (2024, Windows and Linux)",
    extensions=(r"\.(?i:akira)",),
    notes=(r"(?i)akira_readme\.txt",),
    read=read,
    takes=(KeyKind.RSA, KeyKind.RAW),
    unwrap=unwrap,
    plan=plan,
    wanted=say(
        "the file's KCipher-2 key and IV, ChaCha8 key and nonce, 56 bytes, or the RSA-4096 private key"
    ),
    references=(
        "https://github.com/DFNC-Lab/akira-decryptor-for-windows",
        "https://github.com/yohanes/akira-bruteforce",
    ),
    limitations=(
        "What the tail of Windows builds opens to is not documented: there the keys themselves are needed.",
        "Without ChaCha8's key only the first and the last 65,535 bytes of every region are opened.",
        "Other percentages than 50 are seen from the content; for compressed content above 32 MiB put them, "
        "as one byte, behind the keys.",
    ),
)
