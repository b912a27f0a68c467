"""Disks of virtual machines, mostly holes and locked at intervals: only the locked parts are touched."""

import hashlib
import json
import subprocess

import numpy as np
import pytest
from Cryptodome.Cipher import AES

from tests.fixtures.described import aes_key, description, tail
from tests.fixtures.locked import picture
from tests.fixtures.processes import Use
from tests.fixtures.program import UNRANSOM
from tests.lockers import drawn

KEY = drawn("disks", 32)
MIB, GIB = 1 << 20, 1 << 30
LIMIT = 256 * MIB


class Disk:
    """A sparse disk and the same disk locked, made extent by extent."""

    def __init__(self, folder, size, on, off):
        self.size, self.on, self.off = size, on, off
        self.plain, self.locked = folder / "plain.vmdk", folder / "in" / "server-flat.vmdk.disks"
        self.locked.parent.mkdir()
        self.stored = 0  # bytes that are no hole
        iv = drawn("disk", 16)
        cipher = AES.new(aes_key(KEY), AES.MODE_CTR, nonce=b"", initial_value=int.from_bytes(iv))
        with self.plain.open("wb") as plain, self.locked.open("wb") as locked:
            for number, start in enumerate(range(0, size, on + off)):
                data = np.arange(number, number + on // 8, dtype="<u8").tobytes()[: size - start]
                self._write(start, data, plain)
                self._write(start, cipher.encrypt(data), locked)
                if number % 4 == 1:  # never locked, and at no round place
                    for file in (plain, locked):
                        self._write(start + on + off // 2 + 12_345, data, file)
            plain.truncate(size)
            locked.truncate(size)
            self._write(size, tail(iv, size), locked)

    def _write(self, start, data, file):
        file.seek(start)
        file.write(data)
        self.stored += len(data) if file.name == str(self.locked) else 0


def recover(tmp_path, disk):
    """Recover the disk; return what it used and its record."""
    small = picture("small")
    iv = drawn("small", 16)
    cipher = AES.new(aes_key(KEY), AES.MODE_CTR, nonce=b"", initial_value=int.from_bytes(iv))
    sealed = cipher.encrypt(small) + tail(iv, len(small))
    (disk.locked.parent / "logo.png.disks").write_bytes(sealed)
    (tmp_path / "key").write_bytes(KEY)
    extents = f'{{ type = "repeat", on = {disk.on}, off = {disk.off} }}'
    (tmp_path / "disks.toml").write_text(description("disks", extents))
    command = [UNRANSOM, "recover", tmp_path / "in", "--case", tmp_path / "case", "--key", tmp_path / "key"]
    command += ["--family", tmp_path / "disks.toml", "--progress", "none"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        use = Use(process.pid)
        output = process.communicate()[0]
    assert process.returncode == 0, output
    listed = subprocess.run(
        [UNRANSOM, "files", "--case", tmp_path / "case", "--jsonl"],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    (row,) = [row for row in rows if row["path"].startswith("server")]
    return use, row


def check(tmp_path, disk):
    """Check what was touched; return the record and the output."""
    use, row = recover(tmp_path, disk)
    assert (row["state"], row["output_size"]) == ("recovered", disk.size)
    output = tmp_path / "case" / row["output"]
    assert output.stat().st_blocks * 512 <= disk.stored + 4 * MIB
    assert use.memory < LIMIT
    overhead = 128 * MIB  # programs, the database, samples for triage
    assert max(use.read.values()) < 4 * disk.stored + overhead  # to look, to unlock and to verify
    assert max(use.written.values()) < disk.stored + overhead
    return row, output


def test_a_disk_locked_at_intervals_comes_back_without_touching_its_holes(tmp_path):
    disk = Disk(tmp_path, GIB + 3, MIB, 63 * MIB)
    row, output = check(tmp_path, disk)
    with disk.plain.open("rb") as file:
        assert row["sha256"] == hashlib.file_digest(file, "sha256").hexdigest()
    assert subprocess.run(["cmp", disk.plain, output], check=False).returncode == 0


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_disk_of_64_gib(tmp_path):
    disk = Disk(tmp_path, 64 * GIB, MIB, 639 * MIB)
    row, output = check(tmp_path, disk)
    with disk.plain.open("rb") as plain, output.open("rb") as found:
        for start in range(0, disk.size, disk.on + disk.off):
            for place in (start, start + disk.on - 100, start + disk.on + disk.off // 2):
                plain.seek(place)
                found.seek(place)
                assert plain.read(MIB) == found.read(MIB)
    assert len(row["md5"]) == 32
