"""Disks in every sector of which a file seems to begin: time in step with their size, memory bounded."""

import struct
import subprocess

import pytest

from tests.catalog.formats import database_samples as samples
from tests.fixtures.in_process import InProcess
from tests.fixtures.processes import Use
from tests.fixtures.program import UNRANSOM
from tests.makers.hostile_disks import repeated, sectors
from unransom.run.carving import Job, carve

JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
ZIP = b"PK\3\4\x14\0\0\0\x08\0\0\0\x21\0" + bytes(12) + b"\5\0\0\0a.txt"
ZIP_END = b"PK\5\6" + struct.pack("<4H2IH", 0, 0, 9, 9, 46 * 9, 100, 0)
PDF = b"%PDF-1.4\n1 0 obj\n<</Type /Catalog>>\nendobj\nstartxref\n9\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\0\0\1\0\x08\x02\0\0\0\xd3\x10?1\0\1\0\0IDAT"
OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + b"\x3e\0\3\0\xfe\xff\x09\0\6\0"
FILM = b"\0\0\1\xba\x21\0\1\0\1\x80\0\1\0\0\1\xe0\xff\xff"
FLV = b"FLV\1\5\0\0\0\x09\0\0\0\0\x09\0\0\1"
TABLESPACE = samples.innodb("none", 4096, 1)[:512]  # page 0, cut off
DATA_FILE = samples.file_header(1 << 20)[:512]
OTHERS = (b"\x1f\x8b\x08\0\0\0\0\0\0\3abc", b"SQLite format 3\0", FLV)
KINDS = {
    "jpeg": (JPEG,),
    "zip": (ZIP, ZIP_END),
    "pdf": (PDF,),
    "databases": (TABLESPACE, DATA_FILE),
    "all": (JPEG, ZIP, ZIP_END, PDF, PNG, OLE2, FILM, TABLESPACE, DATA_FILE, *OTHERS),
}
GiB = 1 << 30


@pytest.mark.timeout(90)
@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_full_of_beginnings_costs_no_more_than_its_size(kind, tmp_path):
    outcome = carve(Job(str(_disk(tmp_path, KINDS[kind], 64)), tmp_path / "out", dry=True), InProcess())
    assert sum(outcome.holds.values()) == outcome.searched == 64 << 16
    assert outcome.problems == ()


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["jpeg", "all"])
@pytest.mark.timeout(4000)  # 400 microseconds a beginning, on a slow and busy machine
def test_ten_million_beginnings(kind, tmp_path):
    disk = _disk(tmp_path, KINDS[kind], 10_000_000 // 128 + 1)
    command = [UNRANSOM, "carve", disk, "--out", tmp_path / "out", "--dry-run", "--workers", "1"]
    with subprocess.Popen(list(map(str, command))) as process:
        use = Use(process.pid)
        assert process.wait(3900) == 0
    assert use.memory < GiB


def _disk(folder, heads, clusters):
    path = folder / f"{clusters}.qcow2"
    repeated(path, sectors(*heads), clusters << 16)
    return path
