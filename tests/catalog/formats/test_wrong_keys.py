"""What a wrong key makes of a file is never called good, whatever the format."""

import pytest
from Cryptodome.Cipher import AES

from tests.catalog.formats import system_samples as samples
from tests.catalog.formats.samples import SAMPLES, made
from tests.catalog.formats.test_text import ENCODED
from tests.lockers import drawn
from unransom.catalog.formats import csv, html, text
from unransom.catalog.formats.text import validate
from unransom.catalog.oracle import judge
from unransom.core.records import Grade
from unransom.core.streams import BytesReader

HEAD = 65536
# Lines that fill whole blocks of a cipher, so that locked text repeats itself as the text does.
LINES = [b"0123456789abcde\n", b" " * 79 + b"\n", b'{"id": 10042, "name": "lamp"}, \n', bytes(16)]


def wrong(data: bytes, mode: str, seed: str) -> bytes:
    """Return whole blocks of ``data`` as a wrong key decrypts what the right one locked."""
    whole = len(data) // 16 * 16
    if mode == "ecb":
        inner = AES.new(drawn(seed, 32), AES.MODE_ECB).encrypt(data[:whole])
        return AES.new(drawn(seed + " wrong", 32), AES.MODE_ECB).decrypt(inner) + data[whole:]
    return AES.new(drawn(seed, 32), AES.MODE_CTR, nonce=b"").encrypt(data[:whole]) + data[whole:]


@pytest.mark.parametrize("mode", ["ecb", "ctr"])
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_locked_head_is_seen_in_every_format(name: str, mode: str) -> None:
    data = made(name)
    for size in (4096, HEAD, len(data)):
        opened = wrong(data[:size], mode, f"{name} {size}") + data[size:]
        extension = (*SAMPLES[name].form.extensions, "")[0].encode()
        for path in (b"", b"orders." + extension):
            assert judge(BytesReader(opened), path).validation.grade is not Grade.GOOD


@pytest.mark.parametrize("size", [4096, 30_000, 90_000])
@pytest.mark.parametrize("line", LINES)
def test_text_of_lines_that_repeat_under_a_cipher_without_chaining(line: bytes, size: int) -> None:
    data = line * (200_000 // len(line))
    for seed in range(20):  # one block of five has no control character
        opened = wrong(data[:size], "ecb", f"{size} {seed}") + data[size:]
        for module in (text, csv, html):
            assert module.validate(BytesReader(opened)).grade is not Grade.GOOD
        for path in (b"", b"a.txt", b"a.csv", b"a.json"):
            assert judge(BytesReader(opened), path).validation.grade is not Grade.GOOD


@pytest.mark.parametrize(("line", "encoding"), ENCODED)
def test_text_whose_lines_repeat_is_good_even_where_they_fill_whole_blocks(line: str, encoding: str) -> None:
    for spaces in range(9):
        data = ((line.rstrip("\n") + " " * spaces + "\n") * 300).encode(encoding)
        assert validate(BytesReader(data)).grade is Grade.GOOD


def test_the_first_block_under_a_wrong_iv() -> None:
    for number in range(100):
        opened = drawn(f"block {number}", 16) + samples.text()[16:]
        verdict = validate(BytesReader(opened))
        assert verdict.grade is Grade.PARTIAL
        assert [(span.start, span.end) for span in verdict.damage] == [(0, 16)]
