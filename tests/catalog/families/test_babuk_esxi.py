"""Babuk on ESXi locks the first 512 MiB: too much for a vector, so its plan is looked at."""

from tests.lockers import drawn
from tests.lockers.inc import public_of
from unransom.catalog.families import babuk_esxi
from unransom.catalog.schemes.family import Keep, Unlock
from unransom.core.keys import Key, KeyKind

SIZE = (512 << 20) + 1000


class Large:
    """A file of zeros with a tail."""

    size = SIZE + 32
    tail = public_of(drawn("babuk esxi ephemeral", 32))

    def read_at(self, offset, length):
        """Return zeros, or the tail."""
        return (bytes(max(SIZE - offset, 0)) + self.tail[max(offset - SIZE, 0) :])[:length]


def test_leaves_what_lies_behind_512_mib():
    mark = babuk_esxi.FAMILY.read(Large())
    key = babuk_esxi.FAMILY.unwrap(mark, Key(KeyKind.RAW, drawn("babuk esxi private", 32)))
    plan = babuk_esxi.FAMILY.plan(Large(), mark, key)
    locked, kept = plan.pieces
    assert isinstance(locked, Unlock)
    assert (locked.offset, locked.length) == (0, 512 << 20)
    assert kept == Keep(512 << 20, 1000)
