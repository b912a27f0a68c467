"""Files that are too large for the other vectors: sparse ones, of which every locked byte is made and opened.

The makers lock zeros here, so whatever a plan opens, and whatever it leaves, must be zeros.
"""

import importlib
import tomllib
from collections import defaultdict
from pathlib import Path
from unittest import mock

import pytest

from tests.fixtures.program import unransom
from tests.fixtures.vectors import ADDED
from tests.lockers.sparse import Sparse
from unransom.catalog.families import (
    akira,
    blackbyte1,
    conti,
    darkbit,
    enmity,
    esxiargs,
    family,
    hive1,
    hive3,
    hunters2,
    rhysida,
    shinra,
    yanluowang,
)
from unransom.catalog.schemes.family import FileKey, Insert, Keep, Mark, Unlock
from unransom.catalog.schemes.proton import LISTED_PLACES, listed_places
from unransom.core.streams import CHUNK, BytesReader, Salvage
from unransom.crypto.ciphers.at_once import decrypted
from unransom.crypto.keyfiles import read_keys

LARGE, SMALL = Path("tests/vectors/large"), Path("tests/vectors/families")
VECTORS = sorted(LARGE.glob("*/*.toml"))


def made(path):
    """Return the family and the locked file of a vector, its name, and the content of its key file."""
    name, description = path.parent.name, tomllib.loads(path.read_text())
    maker = importlib.import_module(f"tests.lockers.{name}")
    with mock.patch.object(maker, "content", lambda _, size: Sparse(size)):
        found = maker.make(description)
    assert found.locked.digest() == description["locked_digest"]
    return family(name), found._replace(name=found.name or f"orders.csv{ADDED.get(name, '')}".encode())


def opens_to_zeros(locked, piece):
    """Decrypt a piece, part by part."""
    for start in range(piece.offset, piece.offset + piece.length, CHUNK):
        data = locked.read_at(start, min(CHUNK, piece.offset + piece.length - start))
        assert not decrypted(piece.cipher, data).strip(b"\0")


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_locked_byte_is_opened_and_no_other_touched(path):
    own, file = made(path)
    locked = Salvage(file.locked, file.name)
    mark = own.read(locked)
    keys = [key for key in read_keys(file.key_file, "test") if key.kind in own.takes]
    (file_key,) = filter(None, (own.unwrap(mark, key) for key in keys))
    plan = own.plan(locked, mark, file_key)
    assert plan.size == len(file.plain)
    position = 0
    for piece in plan.pieces:
        if isinstance(piece, Unlock):
            opens_to_zeros(locked, piece)
        elif isinstance(piece, Keep):
            assert piece.offset in {position, position + len(file.locked) - plan.size}  # behind a head
            written = file.locked.written(piece.offset, piece.offset + piece.length)
            assert not any(data.strip(b"\0") for _, data in written)
        else:
            assert isinstance(piece, Insert)
            assert not piece.data.strip(b"\0")
        position += len(piece.data) if isinstance(piece, Insert) else piece.length
    assert position == plan.size


def test_unlock_opens_a_large_file_and_leaves_its_holes(tmp_path):
    _, file = made(LARGE / "trinity" / "three_areas.toml")
    source, key, out = tmp_path / file.name.decode(), tmp_path / "key", tmp_path / "out"
    key.write_bytes(file.key_file)
    with source.open("wb") as stream:
        stream.truncate(len(file.locked))
        for start, data in file.locked.extents():
            stream.seek(start)
            stream.write(data)
    unransom("unlock", source, "--key", key, "--out", out)
    (opened,) = (each for each in out.rglob("*") if each.is_file())
    assert (opened.name, opened.stat().st_size) == ("orders.csv", len(file.plain))
    assert opened.stat().st_blocks * 512 < len(file.plain) // 16
    with opened.open("rb") as stream:
        for start, data in file.locked.extents()[:-1]:
            stream.seek(start)
            assert not stream.read(min(len(data), len(file.plain) - start)).strip(b"\0")


def step_of_esxiargs(each):
    """Return which of the steps of its scripts a vector is of: none, none by a hundredth, that, or a MiB."""
    steps, step = esxiargs.steps(each["size"]), each.get("step", 0) << 20
    if len(steps) == 1:
        return 0
    return 1 + (steps.index(step) + 1 if step else 0)


def way_of_proxima(each):
    """Return which of the modes, or where there are none of the gaps, of its tails a vector is of."""
    if each["tail"] in MODAL:
        return 3 * MODAL.index(each["tail"]) + each["mode"] - 1
    return 3 * len(MODAL) + ("52", "48").index(each["tail"])


MODAL = ("64", "72", "168")
# How many rows a family's table has, and which one a vector is of.
TABLES = {
    "akira": (len(akira.MODES), lambda each: list(akira.MODES.values()).index(each["mode"])),
    "blackbyte1": (
        len(blackbyte1.AREAS),
        lambda each: sum(each["size"] > above for above, _ in blackbyte1.AREAS) - 1,
    ),
    "conti": (len(conti.CHUNKS), lambda each: list(conti.CHUNKS).index(each.get("percent", 10))),
    "darkbit": (
        len(darkbit.SIZES),
        lambda each: sum(each["size"] >= row.below * darkbit.UNIT for row in darkbit.SIZES),
    ),
    "esxiargs": (4, step_of_esxiargs),
    "hive3": (len(hive3.VERSIONS), lambda each: each["version"] - 3),
    "hive1": (len(hive1.SHARES) + 1, lambda each: sum(each["size"] >= below for below, _ in hive1.SHARES)),
    "hunters2": (len(hunters2.MODES) + len(hunters2.WHOLE), lambda each: each["mode"] - 1),
    "proton": (
        1 + len(LISTED_PLACES),
        lambda each: (
            LISTED_PLACES.index(each["places"])
            if each.get("places", 3) == listed_places(each["size"])
            else len(LISTED_PLACES)
        ),
    ),
    "proxima": (3 * len(MODAL) + 2, way_of_proxima),
    "rhysida": (rhysida.AREAS, lambda each: len(list(rhysida.areas(each["size"]))) - 1),
    "shinra": (
        len(shinra.PLACES) + len(LISTED_PLACES),
        lambda each: (
            len(shinra.PLACES) + LISTED_PLACES.index(listed_places(each["size"]))
            if each["name"].endswith((".mdf", ".vmdk"))
            else shinra.PLACES.index(each.get("places", 3))
        ),
    ),
    "yanluowang": (  # locked whole; megabytes of two kinds, with two steps
        1 + len(yanluowang.MEGABYTES) * len(yanluowang.STEPS),
        lambda each: (
            1
            + yanluowang.MEGABYTES.index(each["megabyte"]) * len(yanluowang.STEPS)
            + yanluowang.STEPS.index(each["step"])
            if "step" in each
            else 0
        ),
    ),
}


def test_every_row_of_the_families_tables_has_a_vector():
    seen = defaultdict(set)
    for path in (*SMALL.glob("*/*.toml"), *VECTORS):
        if path.parent.name in TABLES:
            seen[path.parent.name].add(TABLES[path.parent.name][1](tomllib.loads(path.read_text())))
    for name, (rows, _) in TABLES.items():
        assert seen[name] >= set(range(rows)), name


def test_places_of_a_database_under_enmity_end_at_the_last():
    last = 1_344 << 30  # so much to lock that only the places are looked at
    for size in (last + (20 << 20), last + (30 << 20), 2 << 40):
        mark = Mark(64, {"name": b"orders.mdf"}, numbers={"sealed": size}, variant="database")
        plan = enmity.plan(BytesReader(b""), mark, FileKey({"key": bytes(32), "nonce": bytes(16)}))
        places = [piece.offset for piece in plan.pieces if isinstance(piece, Unlock)]
        assert places == list(range(0, last + 1, 10 << 20))
