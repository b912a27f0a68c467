"""Every vector of every family: triage names that family and its variant, whatever became of the name."""

import contextlib

import pytest

from tests.fixtures.vectors import VECTORS, make
from unransom.catalog.families import family
from unransom.core.context import Context
from unransom.core.records import FileRef
from unransom.core.streams import BytesReader, Salvage
from unransom.examine.triage.step import run

# Nothing but random bytes is in these: only the name, or a key that opens them, says what they are.
MARKLESS = {
    "akira2",
    "babuk_esxi",
    "blackbyte1",
    "esxiargs",
    "homuwitch",
    "hsharada",
    "lockbit3",
    "locked",
    "lokilocker",
    "magniber",
    "mammon",
    "megazord",
    "prometheus",
    "proton",
    "shinra",
    "thanatos",
    "yanluowang",
}
MARKLESS_VARIANTS = {("proxima", "48")}
NAMELESS = {"esxiargs", "hsharada", "locked", "magniber"}  # and these give no name of their own either
IN_NAME = {"hive1", "hive3"}  # the metadata is in the name


def triaged(path, data):
    context = Context(open=lambda _: contextlib.nullcontext(BytesReader(data)))
    found = run(FileRef(source="s", path=path, size=len(data)), context)
    return next(record for record in found if isinstance(record, FileRef))


def doubled(name):
    """Return ``name`` with the locker's extension twice."""
    return name + name.removeprefix(b"orders.csv") if name != b"orders.csv" else b"orders.csv.csv"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_one_family_and_variant_under_any_name(vector):
    own, made = vector.parent.name, make(vector)
    mark = family(own).read(Salvage(BytesReader(made.locked), made.name))
    markless = own in MARKLESS or (own, mark.variant) in MARKLESS_VARIANTS
    names = {
        "its own": made.name,
        "doubled": doubled(made.name),
        "more added": made.name + b".bak",
        "removed": b"evidence.bin",
        "changed": b"shop/photo.jpg",
    }
    for change, path in names.items():
        found = triaged(path, made.locked)
        assert found.family in {None, own}, change
        if own in IN_NAME and (change in {"removed", "changed"} or not made.locked):
            continue  # nothing is left of the metadata, or nothing was locked
        if not markless or (own not in NAMELESS and change in {"its own", "doubled"}):
            assert (found.family, found.variant) == (own, mark.variant), change
        else:
            assert own in found.candidates, change
