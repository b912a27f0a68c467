"""Disks of which so much is lost that files are not listed: what they held is carved all the same."""

import hashlib
import io
import random
import zipfile

import pytest

from tests.fixtures.disks import MiB
from tests.fixtures.images import convert
from tests.fixtures.in_process import InProcess
from tests.fixtures.planted import some_bytes
from unransom import evidence
from unransom.run.recover import Job, recover


def archive(number: int) -> bytes:
    data, draw = io.BytesIO(), random.Random(number)
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.csv", "".join(f"{draw.randrange(10**6)},{number}\n" for _ in range(40_000)))
    return data.getvalue()


FILES = {b"shop/%d.zip" % number: archive(number) for number in range(12)}


def carved(folder) -> set[str]:
    """Return the hashes of what was recovered."""
    return {hashlib.sha256(each.read_bytes()).hexdigest() for each in folder.rglob("*") if each.is_file()}


@pytest.mark.parametrize("kind", ["raw", "vmdk"])
def test_files_whose_records_are_lost_are_carved(shared_disks, tmp_path, kind):
    """In the maps of ext4 that are left their blocks are given out; a VMDK of it cannot be opened at all."""
    image = tmp_path / f"disk.{kind}"
    convert(shared_disks.ext4(FILES, 24 * MiB), image, kind)
    with image.open("r+b") as file:
        file.write(some_bytes(9, MiB))
    assert evidence.identify(str(image)).kind == ("image" if kind == "raw" else "file")
    recover(Job(sources=(str(image),), case=tmp_path / "case", budget=0), InProcess())
    found = carved(tmp_path / "case" / "recovered")
    wanted = {hashlib.sha256(each).hexdigest() for each in FILES.values()}
    assert len(found & wanted) >= (len(wanted) if kind == "raw" else len(wanted) // 3)
