"""Keys in the compressed pages of hibernation files: marked blocks, and sets without a mark."""

import base64
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.crypto.search.memory.test_aes_schedules import schedule
from unransom.crypto.search.memory import Clues, hibernation, scan, xpress_kernel

LETTERS = b"abcdefghijklmnopqrstuvwxyz"
KEY = bytes(range(100, 132))
# The examples of MS-XCA, sections 3.1 and 3.2.
TABLE = bytes(48) + bytes.fromhex("50" + "55" * 10 + "454404") + bytes(66) + b"\x04" + bytes(127)
HUFFMAN = {LETTERS: TABLE + bytes.fromhex("d8523ed794115be9195ff9d67cdf8d0400000000")}
PLAIN = {
    LETTERS: bytes.fromhex("3f000000") + LETTERS,
    b"abc" * 100: bytes.fromhex("ffffff1f61626317000fff2601"),
}

# A page as wimlib 1.13 packs it: `wimlib-imagex capture --compress=XPRESS:100 --chunk-size=4096`.
SQUARES = b"".join(b"%d;" % number**2 for number in range(180))
MIXED = b"a page of memory, " * 40 + SQUARES + bytes(900) + SQUARES[-680:] + b"xyz" * 300
WIMLIB = zlib.decompress(
    base64.b85decode(
        "c-rG+Kn3hzl9M6SB{;+-fB^$EFf_~rk`0`k3=Ex|3={(n2sHu9oxlQRgh9=2g^H&@#nYg4C{#WjN;jaoWdgDGzy0"
        "vx%a5O*zm@&``04YfU%#qr>MFucwa)#&i|O(#QSVHhYYC~2%jYKQFyuHKXPea=BKjs}ji8dl3s&icVk=EIg$O&vB"
        "o?wVa64z{sFw<ORfyM!*ljC4<39WF`IiegcWW%uaubwqIxV-{k>56AvQwYxky$oEo#C<KH)q|h7Wi?(xA{ep!w=r"
        "$M)KaWi&IW;EWFt~vC%c<GKYA^%(dG6x6(Y-Th-S^tP5VP8M`c6<<N<ZEdeTmIg27zJ#;<A#W#1=kxjXYizaC2gv"
        "Rw;nU^xX$7+ku>Ch|B#5&SWs693+UV1v*|7&+Mi`vP=$~l`KB_6PTBKgU|Va@r)agyu-J*(<J7o|R&dBnRi?BFg>"
        "Ve>tX4^~&)x%xQKd5!zRkJI=K+okvy{V~&A=lDS3-OkF&jq4wuk7j$wKfyV5|H%O9i^d0-uNn({Z+>lkeA*FfB@L"
        "GQ$(9cv>gs*Zt61kO_@U>x!27etB4-rd%X~j-<Fw@!qm8n_TF=)(ufjjh5PWy={Qo~@!bx3KNpdCmfp4F_Gwm;bU"
        "K!S=&=F)`^F#ja=Kl@M|Ccg-fBE+hgTwy_W(EcTp90;q"
    )
)


def opened(work, data, size):
    out = np.zeros(size, np.uint8)
    return out[: work(np.frombuffer(data, np.uint8), out)].tobytes()


@pytest.mark.parametrize("text", PLAIN, ids=len)
def test_plain_xpress_as_it_is_published(text):
    assert opened(xpress_kernel.plain, PLAIN[text], len(text)) == text


def test_xpress_with_huffman_codes_as_it_is_published():
    assert opened(xpress_kernel.huffman, HUFFMAN[LETTERS], len(LETTERS)) == LETTERS


def test_a_page_that_another_program_has_packed():
    page = MIXED[:4096].ljust(4096, b"\1")
    assert opened(xpress_kernel.huffman, WIMLIB, 4096) == page


def runs(text):
    """Return ``text`` in plain Xpress, with runs of a byte as matches of at most nine bytes."""
    tokens, at = [], 0
    while at < len(text):
        run = 0
        while at and run < 9 and at + run < len(text) and text[at + run] == text[at - 1]:
            run += 1
        tokens.append((run - 3).to_bytes(2, "little") if run >= 3 else text[at : at + 1])
        at += run if run >= 3 else 1
    out = b""
    for place in range(0, len(tokens), 32):
        some = tokens[place : place + 32]
        flags = sum(1 << 31 - number for number, token in enumerate(some) if len(token) == 2)
        out += flags.to_bytes(4, "little") + b"".join(some)
    return out


def nine_bits(text):
    """Return ``text`` in Xpress with nine bits for each of the 512 symbols, runs as matches."""
    out = b""
    for block in range(0, len(text), 1 << 16):
        bits, at, end = "", block, min(block + (1 << 16), len(text))
        while at < end:
            run = 0
            while at > block and run < 17 and at + run < end and text[at + run] == text[at - 1]:
                run += 1
            symbol = 256 + run - 3 if run >= 3 else text[at]  # distance 1 takes no further bits
            bits += f"{symbol:09b}"
            at += run if run >= 3 else 1
        bits += "0" * (-len(bits) % 16 + 16)
        words = (int(bits[place : place + 16], 2) for place in range(0, len(bits), 16))
        out += b"\x99" * 256 + b"".join(word.to_bytes(2, "little") for word in words)
    return out


def pages():
    """Return pages that compress, with the schedule of a key in them."""
    text = bytearray(b"\0" * 3000 + b"a page of memory " * 200)[:4096] * 4  # 16 KiB
    text[6001 : 6001 + 240] = schedule(KEY)
    return bytes(text)


def marked(text, packed):
    head = ((len(packed) - 1) << 10 | len(text) // 4096 - 1).to_bytes(4, "little")
    return hibernation.MARK + head + bytes(20) + packed + bytes(-len(packed) % 8)


def unmarked(text, packed, method, first):
    """Return a compression set: its ranges of pages, then what they are compressed to."""
    count = len(text) // 4096
    ranges = (first << 4 | count - 1).to_bytes(8, "little")
    return (1 | len(packed) << 8 | method << 30).to_bytes(4, "little") + ranges + packed


def test_the_compressors_of_this_test_are_understood():
    text = pages()
    assert opened(xpress_kernel.huffman, nine_bits(text * 6), len(text) * 6) == text * 6
    assert opened(xpress_kernel.plain, runs(text), len(text)) == text


def test_keys_in_marked_blocks():
    block = marked(pages(), runs(pages()))
    memory = b"\x11" * 8192 + block + bytes(5000)
    (found,) = [each for each in scan(memory) if each.bits >= 64]
    assert (found.data, found.offset, found.finder) == (KEY, 8192 + 32, hibernation.NAME)


def test_keys_in_sets_without_a_mark():
    other = b"\x55" * 4096
    sets = b"".join(unmarked(other, nine_bits(other), 2, 100 + number) for number in range(3))
    place = len(sets)
    sets += unmarked(pages(), nine_bits(pages()), 3, 1000)
    sets += b"".join(unmarked(other, nine_bits(other), 2, 2000 + number) for number in range(4))
    memory = np.random.default_rng(3).bytes(70_000) + sets + bytes(3000)
    (found,) = [each for each in scan(memory) if each.bits >= 64]
    assert (found.data, found.offset) == (KEY, 70_000 + place + 12)


def test_pages_that_do_not_become_smaller_stand_as_they_are():
    text = np.random.default_rng(4).bytes(4096)
    sets = b"".join(unmarked(text, text, 0, number) for number in range(6))
    found = np.zeros((8, 4), np.int64)
    assert xpress_kernel.sets(np.frombuffer(sets, np.uint8), found) == 6
    assert found[:6, 1].tolist() == [4096] * 6


@given(st.binary(max_size=600), st.sampled_from(["plain", "huffman"]), st.booleans())
def test_any_bytes_end(data, name, table):
    data = (b"\x99" * 256 + data) if table else data
    assert len(opened(getattr(xpress_kernel, name), data, 5000)) <= 5000
    assert scan(hibernation.MARK + data, Clues(), finders=(hibernation.finder(()),)) == []
    xpress_kernel.sets(np.frombuffer(data, np.uint8), np.zeros((4, 4), np.int64))
