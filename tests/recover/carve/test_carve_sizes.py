"""What carving takes of memory and time on images far larger than what is in them."""

import json
import subprocess

import pytest

from tests.fixtures.in_process import InProcess
from tests.fixtures.processes import Use
from tests.fixtures.program import UNRANSOM
from tests.makers.office_files import files
from tests.makers.raw_image import raw_image
from unransom.run.carving import Job, carve

MOST = 1 << 30  # bytes of memory
HEAD = b"\xff\xd8\xff\xe0\x00\x10JFIF\0".ljust(512, b"\1")


@pytest.mark.soak
def test_ten_sparse_terabytes_take_less_than_a_gigabyte_of_memory(tmp_path):
    made = raw_image(list(files(12)), seed=3).data
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        for place in (0, 5 << 40, (10 << 40) - (64 << 20)):
            file.seek(place)
            file.write(made)
        file.truncate(10 << 40)
    command = [UNRANSOM, "carve", path, "--out", tmp_path / "out", "--dry-run", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        use = Use(process.pid)
        document = json.loads(process.communicate(timeout=300)[0])
    assert len(document["files"]) > 18
    assert use.memory < MOST


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_a_million_headers_take_a_bounded_time(tmp_path):
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        for _ in range(10):
            file.write(HEAD * 100_000)
    carve(Job(str(path), tmp_path / "out", dry=True), InProcess())
