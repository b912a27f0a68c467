"""ESXiArgs (2023, on VMware ESXi): Sosemanuk over one MiB of every few, a key for every file under RSA.

A script starts the locker with the numbers. Files up to 128 MiB are locked whole. Of larger ones one MiB
is locked and a hundredth of the file, less one MiB, left; since 2023-02-08 one MiB is left. The wrapped
key stands behind the file, as OpenSSL makes it: as long as the RSA modulus, PKCS #1 v1.5 or OAEP.
"""

from __future__ import annotations

import functools
import itertools

from unransom.catalog.schemes.choose import most_shown
from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.extents import Repeat, Whole
from unransom.catalog.schemes.family import BadMarkError, Family, FileKey, Locked, Mark, Plan
from unransom.catalog.schemes.plans import stream_plan
from unransom.catalog.schemes.stream_secret import KEY_SIZES, secret_in, secret_parts
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.crypto import rsa
from unransom.crypto.noise import is_noise

CIPHER = Cipher("sosemanuk")
TAILS = (256, 512)  # bytes; one of 128 is Yanluowang's
SECTOR = 512
MIB = 1 << 20
SMALL = 128  # MiB up to which a file is locked whole
PARTS = 100


def read(locked: Locked) -> Mark | None:
    """Return a weak mark: the end looks random."""
    end = locked.read_at(max(locked.size - TAILS[-1], 0), TAILS[-1])
    if len(end) < TAILS[0] or not is_noise(end[-TAILS[0] :]):
        return None
    return Mark(bits=1, fields={"end": end}, numbers={"size": locked.size}, wrapped=end[-TAILS[0] :])


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open the tail, which is as long as the private key says, or take the file's key, maybe with an IV."""
    if key.kind is KeyKind.RSA:
        return _from_tail(mark.fields["end"], key.data)
    size = mark.numbers["size"]
    tails = [tail for tail in TAILS if size > tail and (size - tail) % SECTOR == 0]
    parts = secret_parts(key.data) if tails and len(key.data) >= KEY_SIZES[-1] else None
    return FileKey(_with_tail(parts, tails[0])) if parts else None


def _from_tail(end: bytes, der: bytes) -> FileKey | None:
    """Return what the blob at the end opens to, None where the private key is another one."""
    size = rsa.size(der)
    found = secret_in(end[-size:], der) if size in TAILS and len(end) >= size else None
    return FileKey(_with_tail(found.parts, size), found.bits, found.proof) if found else None


def _with_tail(parts: dict[str, bytes], tail: int) -> dict[str, bytes]:
    """Return the parts of the file's key, and the bytes of the tail."""
    return {**parts, "tail": tail.to_bytes(2, "little")}


def steps(size: int) -> tuple[int, ...]:
    """Return how many bytes may be left behind every MiB that is locked, the likelier first; 0 for none."""
    mebibytes = -(-size // 1024) // (MIB // 1024)
    if mebibytes <= SMALL:
        return (0,)
    return max(mebibytes // PARTS - 1, 0) * MIB, MIB


def plan(locked: Locked, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the whole file, or what the content says that one of the two scripts locked.

    Raises:
        BadMarkError: The file is shorter than its tail.
    """
    del mark
    size = locked.size - int.from_bytes(key.parts["tail"], "little")
    if size < 0:
        raise BadMarkError(say("the sizes in the metadata do not fit the file"))

    makes = []
    for step, anew in itertools.product(steps(size), (False, True)):
        areas = Repeat(on=MIB, off=step) if step else Whole()
        makes.append(functools.partial(stream_plan, size, areas, CIPHER, key, anew=anew))
    return most_shown(locked, makes)


FAMILY = Family(
    name="esxiargs",
    title="ESXiArgs",
    notes=(r"(?i)how to restore your files\.html",),
    read=read,
    takes=(KeyKind.RSA, KeyKind.RAW),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the RSA private key of the campaign, or the file's Sosemanuk key, 32 bytes"),
    references=("https://github.com/cisagov/ESXiArgs-Recover",),
    limitations=(
        "Files keep their names: without a key only a random end is to be seen, and a file .args beside.",
        "That the IV is zero, and the stream one for all areas, is not documented; areas that start anew are "
        "seen from the content.",
        "A file's key alone opens files of whole sectors only, as virtual disks are: else the tail's length "
        "is not known.",
    ),
)
