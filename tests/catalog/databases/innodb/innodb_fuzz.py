"""Fuzzes the reader of InnoDB pages: damaged pages of every column type and both record formats.

    python -m tests.catalog.databases.innodb.innodb_fuzz [EXECUTIONS] [SEED]

One execution is one damaged page, from which live, deleted and salvaged records are read and made into
values. With NUMBA_BOUNDSCHECK=1 (and a NUMBA_CACHE_DIR of its own) the compiled parts also check every index.
"""

from __future__ import annotations

import random

import numpy as np

from tests.catalog.databases.innodb.made_tablespace import ROLL, TRANSACTION
from tests.catalog.databases.page_fuzz import TOGETHER, repeat, report
from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.innodb import ENGINE, database, ddl, decode, lobs, salvage
from unransom.catalog.databases.innodb.damaged import candidates
from unransom.catalog.databases.innodb.graft_pages import NIL, Shape, index_page, seal
from unransom.catalog.databases.innodb.schema import ROLL_PTR, TRX_ID, Field, layout_of
from unransom.core.streams import BytesReader

SIZE, LEAVES = 4096, 6
CREATE = """create table t (
  id int not null, k varchar(20) not null, a tinyint, b smallint unsigned, c mediumint, d bigint unsigned,
  e float, f double, g decimal(30,10), h date, i time(3), j datetime(6), l timestamp(2) null, m year,
  n enum('a','b','c'), o set('a','b','c','d'), p bit(11), q char(5) character set gbk, r varchar(300), s text,
  u blob, v json, w binary(7), x uuid, y inet6, z varchar(10) character set utf16, primary key (id, k)
) engine=innodb default charset=utf8mb4 {options}"""


def record(
    fields: tuple[Field, ...], number: int, chance: random.Random, compact: bool
) -> tuple[bytes, bytes]:
    """Return what stands in front of the start of a record with random values, and what behind."""
    values = [_value(field, number, chance) for field in fields]
    body = b"".join(value or b"" for value in values)
    if not compact:
        ends, last = [], 0
        for value in values:
            last += len(value or b"")
            ends.append(last | (0x8000 if value is None else 0))
        table = b"".join(end.to_bytes(2, "big") for end in reversed(ends))
        return table + bytes(2) + (len(ends) << 1).to_bytes(2, "big") + bytes(2), body
    lengths, nulls, bit = b"", 0, 0
    for field, value in zip(fields, values, strict=True):
        nulls |= (value is None) << bit
        bit += field.nullable
        if field.type.length < 0 and value is not None:
            two = field.type.big and len(value) > 127
            lengths = (
                bytes([len(value) & 0xFF, 0x80 | len(value) >> 8]) if two else bytes([len(value)])
            ) + lengths
    return lengths + nulls.to_bytes((bit + 7) // 8, "big") + bytes(5), body


def _value(field: Field, number: int, chance: random.Random) -> bytes | None:
    if field.name in {TRX_ID, ROLL_PTR}:
        return TRANSACTION if field.name == TRX_ID else ROLL
    if field.name == "id":
        return (number + (1 << 31)).to_bytes(4, "big")
    if field.nullable and chance.random() < 0.2:
        return None
    if field.type.length >= 0:
        return chance.randbytes(field.type.length)
    most = min(field.type.most, chance.choice((5, 30, 150)))
    return bytes(chance.choices(b"abcdefgh 0123456789", k=chance.randrange(most + 1)))


def tablespace(compact: bool) -> bytes:
    """Return a small tablespace with a table of every type."""
    chance = random.Random(compact)
    shape = Shape(SIZE, 9, 77, compact, True, 1000)
    (definition,) = ddl.definitions(CREATE.format(options=""))
    fields = layout_of(definition).fields
    out = bytearray((4 + LEAVES) * SIZE)
    for leaf in range(LEAVES):
        records = [record(fields, leaf * 100 + row, chance, compact) for row in range(6)]
        page = index_page(shape, 4 + leaf, 0, records, leftmost=False)
        before, after = (3 + leaf if leaf else NIL), (5 + leaf if leaf < LEAVES - 1 else NIL)
        page[8:16] = before.to_bytes(4, "big") + after.to_bytes(4, "big")
        out[(4 + leaf) * SIZE : (5 + leaf) * SIZE] = seal(page, shape)
    return bytes(out)


class Target:
    """An opened tablespace, and what its reader does with damaged pages instead of its own."""

    def __init__(self, compact: bool) -> None:
        data = tablespace(compact)
        (opened,) = ENGINE.open([Source("t.ibd", BytesReader(data))], Hints(sql=(CREATE.format(options=""),)))
        assert isinstance(opened, database.InnodbDatabase)
        (table,) = opened.tables
        assert table.source == "CREATE TABLE"
        assert sum(rows.batch.num_rows for rows in opened.rows(table)) == 6 * LEAVES
        self.found = opened.found(table)
        self.target = database.shown_in(self.found)
        self.known = salvage.profile(self.found)
        self.page = np.frombuffer(data[4 * SIZE : (4 + LEAVES) * SIZE], np.uint8).reshape(LEAVES, SIZE)

    def run(self, chance: np.random.Generator) -> int:
        """Read ``TOGETHER`` damaged pages; return how many rows they gave."""
        data = damaged(self.page, chance)
        numbers = np.arange(TOGETHER, dtype=np.int64)
        rows = 0

        def fetch(reference: bytes) -> bytes | None:
            return lobs.fetch(self.found.space, reference)

        for located in (
            database.live(self.found, numbers, data),
            *database.deleted(self.found, numbers, data),
        ):
            rows += decode.batch(located, self.target, fetch, decode.LIVE).num_rows
        judged = candidates(self.known.form, numbers, data)
        some = judged.located.only(judged.results > 0)
        rows += decode.batch(some, self.target, fetch, decode.SALVAGED).num_rows
        return rows


def damaged(sound: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Return ``TOGETHER`` pages with damage: single bytes, most of them in headers, runs, moved parts."""
    out = sound[chance.integers(0, len(sound), TOGETHER)].copy()
    for page in out:
        kind = chance.integers(0, 4)
        if kind == 0:
            at = chance.integers(38, SIZE, chance.integers(1, 40))
            page[at] = chance.integers(0, 256, len(at))
        elif kind == 1:
            at = chance.integers(38, 200, chance.integers(1, 8))
            page[at] = chance.choice(np.array([0, 1, 0x7F, 0x80, 0xFF], np.uint8), len(at))
        elif kind == 2:
            start, length = chance.integers(38, SIZE), chance.integers(1, SIZE)
            page[start : start + length] = chance.integers(0, 256, len(page[start : start + length]))
        else:
            start, other = chance.integers(38, SIZE // 2, 2)
            length = chance.integers(1, SIZE // 2)
            page[start : start + length] = page[other : other + length].copy()
    return out.reshape(-1)


def fuzz(executions: int, seed: int = 1) -> tuple[int, int]:
    """Run that many executions; return how many were run and how many rows came out of them."""
    return repeat([Target(True), Target(False)], executions, seed)


if __name__ == "__main__":
    report(fuzz)
