"""Real files of the lockers, out of every kind of evidence, with the hashes that their originals had."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from tests.fixtures.locked import recovered, result_of
from tests.fixtures.program import UNRANSOM
from unransom.catalog.families import FAMILIES

DATA = Path("../shared/data/lockers")

pytestmark = pytest.mark.shared_data


def cases():
    """Return the cases whose key is given and whose family is one of ours."""
    if not DATA.exists():
        return []
    names = {name for family in FAMILIES for name in (family.name, *family.aliases)}
    everything = json.loads((DATA / "cases.json").read_text())
    return [case for case in everything if case.get("key") and case["path"].split("/")[0].lower() in names]


def files():
    return {case["path"].encode(): (DATA / case["path"]).read_bytes() for case in cases()}


def keys():
    return [word for case in cases() for word in ("--key", DATA / case["key"])]


def recover_all(source, case):
    command = [UNRANSOM, "recover", source, "--case", case, *keys()]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert set(recovered(case).values()) == {case["sha256_plain"] for case in cases()}
    assert result_of(case)["counts"]["recovered"] == len(cases()) >= 3


def write(folder, content):
    for path, data in content.items():
        target = folder / path.decode()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def test_from_a_folder(tmp_path):
    write(tmp_path / "in", files())
    recover_all(tmp_path / "in", tmp_path / "case")


def test_from_ntfs(tmp_path, ntfs_image):
    image = ntfs_image(files(), size=64 << 20)
    before = hashlib.sha256(image.read_bytes()).hexdigest()
    recover_all(image, tmp_path / "case")
    assert hashlib.sha256(image.read_bytes()).hexdigest() == before


def test_from_ext4(tmp_path, ext4_image):
    image = ext4_image(files(), size=64 << 20)
    before = hashlib.sha256(image.read_bytes()).hexdigest()
    recover_all(image, tmp_path / "case")
    assert hashlib.sha256(image.read_bytes()).hexdigest() == before


def test_from_a_bucket(tmp_path, s3_bucket):
    recover_all("s3://" + s3_bucket(files()), tmp_path / "case")


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["path"].split("/")[0])
def test_with_every_name_taken_off(tmp_path, case):
    write(tmp_path / "in", {b"evidence.bin": (DATA / case["path"]).read_bytes()})
    command = [UNRANSOM, "recover", tmp_path / "in", "--case", tmp_path / "case", "--key", DATA / case["key"]]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert list(recovered(tmp_path / "case").values()) == [case["sha256_plain"]]
