"""``unransom verify`` on plain files: what binds a file, and what is no manifest."""

import hashlib
import json

import pytest

from tests.fixtures.locked import INC_PRIVATE, picture, write
from tests.fixtures.program import unransom


def verdicts(*arguments, code=0):
    shown = unransom("verify", *arguments, "--jsonl", code=code).stdout
    return {row["path"].rpartition("/in/")[2]: row for row in map(json.loads, shown.splitlines())}


@pytest.mark.parametrize("prefix", ["", "./", "/srv/", "D:\\"])
def test_a_hash_binds_the_file_of_its_folder_and_no_namesake(tmp_path, prefix):
    ours, other = picture("ours"), picture("other")
    write(tmp_path / "in", {b"shop/logo.png": ours, b"old/logo.png": other})
    listed = f"{hashlib.sha256(ours).hexdigest()}  {prefix}shop/logo.png\n"
    (tmp_path / "sums").write_text(listed if "\\" not in prefix else listed.replace("\\", "/"))
    found = verdicts(tmp_path / "in", "--manifest", tmp_path / "sums")
    assert found["shop/logo.png"]["check"] == "manifest"
    assert found["old/logo.png"]["check"] == "structure"


def test_a_file_that_is_not_what_the_manifest_promises_is_bad(tmp_path):
    write(tmp_path / "in", {b"shop/logo.png": picture("changed")})
    (tmp_path / "sums").write_text(f"{hashlib.sha256(b'was').hexdigest()}  /srv/shop/logo.png\n")
    found = verdicts(tmp_path / "in", "--manifest", tmp_path / "sums", code=14)
    assert found["shop/logo.png"]["verdict"] == "bad"


@pytest.mark.parametrize(
    "content", [b"\xff\xd8\r\x00\r1,2\n" * 9, b"", b"no hash in here\n", bytes(range(256)) * 4]
)
def test_a_file_without_hashes_is_no_manifest_and_says_so(tmp_path, content):
    write(tmp_path / "in", {b"logo.png": picture("logo")})
    (tmp_path / "key").write_bytes(INC_PRIVATE)
    (tmp_path / "sums").write_bytes(content)
    told = unransom("verify", tmp_path / "in", "--manifest", tmp_path / "sums", code=2).stderr
    assert "there is no hash in" in told
    command = ("recover", tmp_path / "in", "--case", tmp_path / "case", "--manifest", tmp_path / "sums")
    assert "there is no hash in" in unransom(*command, "--budget", "0", code=2).stderr


def test_a_folder_that_is_gone_is_told(tmp_path):
    assert "does not exist" in unransom("verify", tmp_path / "gone", code=2).stderr


def test_what_a_manifest_names_and_is_not_there_is_told(tmp_path):
    ours = picture("ours")
    write(tmp_path / "in", {b"shop/logo.png": ours})
    digest = hashlib.sha256(ours).hexdigest()
    names = ["shop/logo.png", *(f"gone/{number}.png" for number in range(7))]
    (tmp_path / "sums").write_text("".join(f"{digest}  ./{name}\n" for name in names))
    found = unransom("verify", tmp_path / "in", "--manifest", tmp_path / "sums", "--jsonl")
    assert json.loads(found.stdout)["verdict"] == "good"
    assert "7 of 8 files" in found.stderr
    assert "gone/0.png" in found.stderr


def test_every_file_has_its_verdict_in_the_order_of_its_folder(tmp_path):
    write(tmp_path / "in", {f"{number:03}.png".encode(): picture(str(number)) for number in range(60)})
    shown = unransom("verify", tmp_path / "in", "--jsonl", "--progress", "json")
    rows = list(map(json.loads, shown.stdout.splitlines()))
    assert [row["path"].rpartition("/")[2] for row in rows] == [f"{number:03}.png" for number in range(60)]
    events = list(map(json.loads, shown.stderr.splitlines()))
    assert events[-1]["done"] == 60
    assert events[-1]["finished"]
