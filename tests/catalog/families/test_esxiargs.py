"""ESXiArgs' areas in files too large for a vector, with a MiB made small."""

import pytest

from tests.lockers import drawn
from tests.lockers import esxiargs as maker
from unransom.catalog.families import esxiargs
from unransom.catalog.schemes.assemble import Assembly
from unransom.catalog.schemes.family import FileKey
from unransom.core.streams import BytesReader, Salvage

MIB = 4096
KEY = drawn("esxiargs", 32)


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize(("size", "step"), [(310, 2), (310, 1), (150, 1), (150, 0)])
def test_the_script_is_seen_from_the_content(monkeypatch, size, step, anew):
    monkeypatch.setattr(esxiargs, "MIB", MIB)
    plain = (b"10042;two lamps;shipped\n" * size * MIB)[: size * MIB]
    locked = maker.seal(plain, KEY, MIB, step * MIB, anew=anew) + drawn("tail", 256)
    reader = Salvage(BytesReader(locked))
    file_key = FileKey({"key": KEY, "iv": bytes(16), "tail": (256).to_bytes(2, "little")})
    plan = esxiargs.plan(reader, esxiargs.read(reader), file_key)
    assert b"".join(bytes(view) for view in Assembly(reader, plan)) == plain


def test_steps_are_those_of_the_scripts():
    mib = 1 << 20
    assert esxiargs.steps(128 * mib) == (0,)
    assert esxiargs.steps(129 * mib) == (0, mib)
    assert esxiargs.steps(1000 * mib) == (9 * mib, mib)
