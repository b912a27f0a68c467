"""Manifests as tools write them."""

from hypothesis import given
from hypothesis import strategies as st

from unransom.core.hashing import Digests
from unransom.core.records import Grade
from unransom.verify.integrity.manifest import entries, verdict_on

MD5 = "d41d8cd98f00b204e9800998ecf8427e"
SHA = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def read(text):
    return [(entry.path.decode(), entry.digest) for entry in entries(text.encode().splitlines(keepends=True))]


def test_md5sum_and_sha256sum_lines():
    assert read(f"{MD5}  a b.txt\n{SHA.upper()} *./订单.csv\n") == [("a b.txt", MD5), ("订单.csv", SHA)]


def test_escaped_names():
    assert read(f"\\{SHA}  a\\nb\\\\c\n") == [("a\nb\\c", SHA)]


def test_bsd_lines():
    assert read(f"SHA256 (a (1).txt) = {SHA}\n") == [("a (1).txt", SHA)]


def test_hashdeep_rows_whose_names_have_commas():
    text = f"%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## Invoked\n##\n0,{MD5},{SHA},./a,b.txt\n"
    assert read(text) == [("a,b.txt", SHA)]


def test_csv_with_any_columns():
    assert read(f'path,size,md5\n"C:\\shop\\a,b.png",12,{MD5}\n') == [("C:/shop/a,b.png", MD5)]


def test_lines_without_a_hash_are_passed_over():
    assert read("hello\n\n# comment\nname,size\n") == []


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_harm(data):
    for entry in entries(data.splitlines(keepends=True)):
        assert len(entry.digest) in {32, 64}


def test_the_verdict_says_what_was_expected_and_found():
    digests = Digests(0, MD5, SHA, "")
    assert verdict_on(digests, MD5, "m").grade is Grade.GOOD
    assert verdict_on(digests, SHA, "m").bits == 256
    bad = verdict_on(digests, "0" * 64, "m")
    assert bad.grade is Grade.BAD
    assert SHA in str(bad.why)
