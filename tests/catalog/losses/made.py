"""Files as each rule's locker leaves them, built in memory."""

import random
import string
from typing import NamedTuple

from tests.lockers import hive6, hunters1, hunters2, teslacrypt2, wannacry, zeppelin


class Made(NamedTuple):
    """A file that a rule speaks of.

    `lost` is how many bytes the rule calls lost, `proven` whether it may.
    """

    name: bytes
    data: bytes
    proven: bool = True
    whole: bool = False
    lost: int = 0


def table(size):
    """Return bytes that look like nothing but a table of numbers."""
    return b"".join(n.to_bytes(4, "little") * 3 for n in range(size // 12 + 1))[:size]


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


def vect(plain, zeros=()):
    """Return ``plain`` with its four chunks encrypted, but for those called ``zeros``, and a nonce."""
    data = bytearray(plain)
    for number in range(4):
        at = len(plain) // 4 * number
        data[at : at + 32_768] = bytes(32_768) if number in zeros else noise(32_768, number)
    return bytes(data) + noise(12, "nonce")


def azov(plain, same=False):
    data = bytearray(plain)
    for at in range(0, len(plain), 1332):
        block = noise(666, 0 if same else at)[: len(plain) - at]
        data[at : at + len(block)] = block
    return bytes(data)


def countdown(words, order="little"):
    return b"".join((0xFFFFFFFF - n).to_bytes(4, order) for n in range(words))


def ordinypt(size, alphabet=string.ascii_letters + string.digits):
    return "".join(random.Random(5).choices(alphabet, k=size)).encode()


def cut(maker, keep, **vector):
    return maker.make({"seed": "cut", "size": 50_000} | vector).locked[:keep]


ORDER = ".xlsx.id[AB12CD34-0001].[a@b.cc].eking"
MIB = 1 << 20

MADE = {
    "emptied": [Made(b"d/plan" + ORDER.encode(), b"", whole=True), Made(b"a.pdf.akira", b"", whole=True)],
    "zeroed": [
        Made(b"photo.jpg.08kJA", bytes(90_000), whole=True),
        Made(b"a.pdf.akira", bytes(3 * MIB), whole=True),
    ],
    "whispergate": [Made(b"plan.docx.3f9a", b"\xcc" * MIB, whole=True)],
    "ordinypt": [Made(b"d/f7GhY2kLmQ0xTz", ordinypt(12_000), whole=True)],
    "acidrain": [
        Made(b"flash.bin", countdown(65_536) + table(9000), lost=MIB // 4),
        Made(b"x.conf", countdown(2000, "big") + b"\xff", whole=True, lost=8000),
    ],
    "cut": [
        Made(b"a.pdf.WNCRY", cut(wannacry, 280 + 16_000, key_form="pem"), lost=34_000),
        Made(b"a.pdf.WNCRY", cut(wannacry, 280, key_form="pem"), whole=True, lost=50_000),
        Made(
            b"a.pdf.vvv",
            cut(teslacrypt2, 414 + 16_000, magic="deadbeef04", zeros=0, block=False),
            lost=34_000,
        ),
    ],
    "unkeyed": [
        Made(b"a.csv.hivekey", cut(hive6, 40_000, rsa_key="rsa5120"), lost=39_920),
        Made(b"a.csv.locked", cut(hunters1, 40_000, rsa_key="rsa5120"), lost=39_925),
        Made(
            b"a.csv.locked",
            cut(hunters2, 20_000, rsa_key="rsa5120", marker=54, offset=0, mode=2),
            lost=4096,
        ),
        Made(
            b"a.csv.12A-34B-5CD",
            cut(zeppelin, 45_000, rsa_key="rsa516", block=40_000, offsets=[0]),
            lost=44_948,
        ),
    ],
    "azov": [
        Made(b"a.bin.azov", azov(table(100_000)), lost=666 * 75),
        Made(b"a.zip.azov", azov(noise(100_000, "zip"), same=True), lost=666 * 75),
        Made(b"a.zip.azov", azov(noise(100_000, "zip")), proven=False, lost=666 * 75),
    ],
    "vect": [
        Made(b"a.bin.vect", vect(table(MIB + 3)), lost=3 * 32_768),
        Made(b"a.bin.vect", vect(table(200_001)), lost=3 * 32_768),
        Made(b"a-flat.vmdk.vect", vect(table(4 * MIB), zeros=(1,)), lost=2 * 32_768),
        Made(b"a.zip.vect", vect(noise(MIB, "zip")), proven=False, lost=3 * 32_768),
    ],
    "nitrogen": [Made(b"vm/web-flat.vmdk.NBA", noise(5000), proven=False)],
    "sicarii": [Made(b"a.pdf.sicarii", noise(5000), proven=False)],
    "crywiper": [Made(b"a.pdf.CRY", noise(5000), proven=False)],
    "ryuk": [
        Made(b"a.vhdx.RYK", bytes(57_000_001) + b"HERMES112" + noise(268), proven=False),
    ],
}
