"""Images that someone or something has damaged: opening and reading them never crashes and never hangs."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.images import KINDS, Kind
from tests.soak import LONGER
from unransom.core.errors import UnreadableError
from unransom.evidence.containers import open_disk
from unransom.evidence.containers.opening import UnsupportedImageError

KEPT = 8 << 20  # bytes of the image that are mutated: heads, tables and some data
NAMES = {"vmdk-monolithicSparse", "vmdk-streamOptimized", "vhd-dynamic", "vhdx-dynamic", "qcow2-zstd"}
NAMES |= {"qcow2-3", "vdi-dynamic", "ewf-fast", "ewf-none", "vmdk-monolithicFlat"}
NAMES |= {"ewf2-deflate", "ewf2-none", "ewf2-bzip2"}
Changes = list[tuple[int, int]]


def survive(path: Path) -> None:
    """Open and read here and there; only what is declared may be raised."""
    try:
        disk = open_disk(os.fsencode(path))
    except (OSError, UnreadableError, UnsupportedImageError):
        return
    assert disk.size >= 0
    for offset in (0, 1 << 20, disk.size // 2, max(0, disk.size - 5000)):
        for length in (4096, 300_000):
            with contextlib.suppress(UnreadableError):
                assert len(disk.read_at(offset, length)) == max(0, min(length, disk.size - offset))
    for span in itertools.islice(disk.extents(), 100):
        assert 0 <= span.start < span.end <= disk.size
    disk.close()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.name in NAMES], ids=lambda kind: kind.name)
@settings(max_examples=40 * LONGER, suppress_health_check=list(HealthCheck))
@given(
    changes=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=12),
    length=st.integers(0, 1000) | st.just(1000),
)
def test_changed_and_truncated(
    made_images: Callable[[Kind], tuple[Path, Path]],
    tmp_path: Path,
    kind: Kind,
    changes: Changes,
    length: int,
) -> None:
    _, image = made_images(kind)
    whole = _whole(image)
    data = bytearray(whole[: len(whole) * length // 1000 if length < 1000 else len(whole)])
    used = [start for start in range(0, min(len(data), KEPT), 512) if any(data[start : start + 512])][:300]
    for where, value in changes:
        if used:
            place = used[where // 512 % len(used)] + where % 512
            if place < len(data):
                data[place] = value
    path = tmp_path / "mutated"
    path.write_bytes(data)
    survive(path)


_read: dict[Path, bytes] = {}


def _whole(image: Path) -> bytes:
    if image not in _read:
        _read[image] = image.read_bytes()
    return _read[image]


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(
    mark=st.sampled_from(
        [
            b"KDMV\1\0\0\0",
            b"COWD\1\0\0\0",
            b"conectix",
            b"vhdxfile",
            b"QFI\xfb\0\0\0\3",
            b"EVF\x09\x0d\x0a\xff\0",
        ]
    ),
    data=st.binary(max_size=3000),
)
def test_noise_behind_a_mark(tmp_path: Path, mark: bytes, data: bytes) -> None:
    path = tmp_path / "noise"
    path.write_bytes(mark + data)
    survive(path)
