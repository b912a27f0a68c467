"""Originals from files and from memory: the same bytes, and the same account of where they came from."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lockers import drawn
from unransom.catalog.schemes import assemble
from unransom.catalog.schemes.assemble import Assembly, beginning
from unransom.catalog.schemes.family import Insert, Keep, Lost, Plan, Unlock
from unransom.core.errors import UnreadableError
from unransom.core.outputs import FileReader
from unransom.core.spans import Origin, Run
from unransom.core.streams import BytesReader, Salvage
from unransom.crypto.ciphers.aes import AesCtr

KIB, MIB = 1 << 10, 1 << 20
SIZE = 3 * MIB + 777
HOLE = (MIB, 2 * MIB + 300 * KIB)


class Holed(FileReader):
    """A file with a sector that cannot be read."""

    def read_at(self, offset, length):
        start, end = max(offset, 512 * KIB), min(offset + length, 512 * KIB + 1)
        if start < end:
            raise UnreadableError(start, end - start)
        return super().read_at(offset, length)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    """A sparse file, and its bytes."""
    data = bytearray(drawn("assemble", SIZE))
    data[HOLE[0] : HOLE[1]] = bytes(HOLE[1] - HOLE[0])
    path = tmp_path_factory.mktemp("assemble") / "disk.img"
    with path.open("wb") as file:
        file.write(data[: HOLE[0]])
        file.seek(HOLE[1])
        file.write(data[HOLE[1] :])
    return path, bytes(data)


offsets = st.one_of(st.integers(0, SIZE + 1000), st.sampled_from([0, MIB, HOLE[1], HOLE[1] - 1, SIZE - 1]))
lengths = st.one_of(st.integers(0, 300), st.integers(0, SIZE))
keeps = st.builds(Keep, offsets, lengths)
others = st.one_of(
    st.tuples(offsets, lengths),  # to unlock
    st.builds(Insert, st.binary(max_size=100)),
    st.builds(Lost, st.integers(0, 3 * MIB)),
)
plans = st.lists(st.one_of(keeps, others), max_size=6)


def assembled(reader, pieces, size):
    cipher = AesCtr(bytes(16), bytes(16))
    made = [Unlock(*piece, cipher) if isinstance(piece, tuple) else piece for piece in pieces]
    assembly = Assembly(Salvage(reader), Plan(size, iter(made)))
    data, position = bytearray(), 0
    for view in assembly:
        data += view
        if assembly.stored:  # then the file has these bytes
            assert reader.read_at(assembly.stored.offset, len(view)) == view
            position += len(view)
    return bytes(data), assembly.map, position


@settings(max_examples=60)
@given(plans, st.integers(0, 4 * MIB))
def test_files_and_memory_give_the_same(evidence, pieces, size):
    path, data = evidence
    with FileReader(path) as reader:
        assert assembled(reader, pieces, size)[:2] == assembled(BytesReader(data), pieces, size)[:2]


def test_long_plain_pieces_are_said_to_be_stored(evidence):
    path, data = evidence
    with FileReader(path) as reader:
        found, origins, stored = assembled(reader, [(0, 100), Keep(100, SIZE - 100)], SIZE)
    assert found[100:] == data[100:]
    assert stored == SIZE - 100
    assert origins.runs == [Run(0, 100, Origin.UNLOCKED), Run(100, SIZE, Origin.PLAIN)]


def test_what_cannot_be_read_is_lost_and_not_stored(evidence):
    path, data = evidence
    with Holed(path) as reader:
        found, origins, stored = assembled(reader, [Keep(0, SIZE)], SIZE)
    lost = [run for run in origins if run.origin is Origin.LOST]
    assert lost == [Run(512 * KIB, 516 * KIB, Origin.LOST)]
    assert found[: 512 * KIB] == data[: 512 * KIB]
    assert found[512 * KIB : 516 * KIB] == bytes(4096)
    assert found[516 * KIB :] == data[516 * KIB :]
    assert stored == SIZE - MIB


def test_the_beginning_is_all_that_is_decrypted_for_it(evidence):
    class Counted:
        spill, count = 0, 0

        def decrypt_into(self, data, out):
            self.count += len(data)
            out[:] = data

    _, data = evidence
    cipher = Counted()
    head = beginning(Salvage(BytesReader(data)), Plan(SIZE, iter([Unlock(0, SIZE, cipher)])))
    assert head == data[: assemble.HEAD]
    assert cipher.count <= 2 * assemble.HEAD
