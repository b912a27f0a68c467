"""libewf reads the same bytes and the same digest from the Ex01 images that the other tests read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyewf
import pytest

from tests.fixtures.planted import some_bytes
from tests.makers.ex01 import write_ex01


@pytest.mark.parametrize("options", [{}, {"pack": False}, {"pack": False, "per_segment": 2}])
def test_libewf_reads_what_the_maker_makes(tmp_path: Path, options: dict[str, int | bool]) -> None:
    raw = tmp_path / "disk.raw"
    data = some_bytes(1, 300_032) + bytes(1 << 20) + b"a" * 99_840 + b"\x07" * 51_200
    raw.write_bytes(data)
    write_ex01(raw, tmp_path / "disk.Ex01", **options)  # type: ignore[arg-type]
    image = pyewf.handle()
    image.open([str(path) for path in sorted(tmp_path.glob("disk.Ex*"))])
    assert image.read_buffer(image.get_media_size()) == data
    assert image.get_hash_value("MD5") == hashlib.md5(data).hexdigest()
    image.close()
