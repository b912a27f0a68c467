"""Definitions, types, binary JSON and packed pages, each by itself."""

import bz2
import lzma
import os
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unransom.catalog.databases.innodb import (
    binary_json,
    ddl,
    frm,
    page_zip,
    sdi,
    tablespace,
    unpack,
    unpackers,
)
from unransom.catalog.databases.innodb.charsets import LATIN1, UTF8, charset_named, charset_of_collation
from unransom.catalog.databases.innodb.types import Kind, column_type

EXAMPLES = 100 * int(os.environ.get("UNRANSOM_SOAK", "1"))


@pytest.mark.parametrize(
    ("declared", "kind", "length"),
    [
        ("int(10) unsigned", Kind.UNSIGNED, 4),
        ("MEDIUMINT", Kind.SIGNED, 3),
        ("decimal(10,2)", Kind.DECIMAL, 5),
        ("numeric", Kind.DECIMAL, 5),
        ("double precision", Kind.DOUBLE, 8),
        ("float(53)", Kind.DOUBLE, 8),
        ("datetime(3)", Kind.DATETIME, 7),
        ("timestamp", Kind.TIMESTAMP, 4),
        ("bit(13)", Kind.BIT, 2),
        ("enum('a','b''c')", Kind.ENUM, 1),
        ("set('a','b')", Kind.SET, 1),
        ("char(3)", Kind.TEXT, -1),
        ("binary(16)", Kind.BINARY, 16),
        ("text character set latin1", Kind.TEXT, -1),
        ("json", Kind.JSON, -1),
        ("uuid", Kind.UUID, 16),
        ("point", Kind.BINARY, -1),
    ],
)
def test_a_declared_type_is_known(declared, kind, length):
    found = column_type(declared, UTF8)
    assert (found.kind, found.length) == (kind, length)


def test_char_of_one_byte_characters_has_a_fixed_length():
    assert column_type("char(3)", LATIN1).length == 3


def test_what_is_no_type_is_none():
    assert column_type("wobbly(3)", UTF8) is None
    assert column_type("decimal(99,2)", UTF8) is None


def test_character_sets_are_known_by_name_and_by_collation():
    assert charset_named("utf8mb4_unicode_ci") is UTF8
    assert charset_of_collation(8) is LATIN1
    assert charset_of_collation(255) is UTF8
    assert charset_of_collation(8 + 1024) is LATIN1  # MariaDB's variant that does not pad


def test_statements_of_a_dump_are_read():
    text = """
    -- a comment with CREATE TABLE in it
    /*!40101 SET NAMES utf8 */;
    CREATE TABLE IF NOT EXISTS `shop`.`odd ``name` (
      `a b` int NOT NULL COMMENT 'it''s, (really)',
      c varchar(10) CHARACTER SET gbk COLLATE gbk_bin DEFAULT 'x,y',
      e enum('one','t,wo') NOT NULL DEFAULT 'one',
      v int GENERATED ALWAYS AS (`a b` + 1) VIRTUAL,
      s int AS (`a b` * 2) STORED,
      PRIMARY KEY (`a b`, c(4) DESC),
      UNIQUE KEY u (e),
      CONSTRAINT f FOREIGN KEY (c) REFERENCES other (c)
    ) ENGINE=InnoDB DEFAULT CHARSET=latin1;
    INSERT INTO x VALUES ('CREATE TABLE `not` (`this` int)');
    """
    table = next(table for table in ddl.definitions(text) if table.name.startswith("shop"))
    assert table.name == "shop/odd `name"
    assert [column.name for column in table.columns] == ["a b", "c", "e", "s"]
    assert table.columns[1].type.charset.name == "gbk"
    assert table.columns[2].type.elements == ("one", "t,wo")
    assert [(part.column, part.prefix) for part in table.key] == [("a b", 0), ("c", 8)]
    items, options = ddl.items_of(table.create)
    assert [kind for kind, _, _ in items] == ["", "", "", "", "", "primary", "unique", "foreign"]
    assert options == "ENGINE=InnoDB DEFAULT CHARSET=latin1"


def test_a_unique_key_without_nulls_stands_in_for_the_primary_key():
    (table,) = ddl.definitions("create table t (a int, b int not null, unique (a), unique k (b))")
    assert [part.column for part in table.key] == ["b"]


def test_binary_json_is_printed():
    # {"a": [1, "x"], "b": null}
    inner = b"\x02\x00\x0c\x00" + b"\x05\x01\x00" + b"\x0c\x0a\x00" + b"\x01x"
    head = b"\x02\x00" + (b"%c\x00" % (4 + 8 + 6 + 2 + len(inner)))
    keys = b"\x12\x00\x01\x00\x13\x00\x01\x00"
    values = b"\x02\x14\x00" + b"\x04\x00\x00"
    document = b"\x00" + head + keys + values + b"ab" + inner
    assert binary_json.text(document) == '{"a": [1, "x"], "b": null}'
    assert binary_json.decimal_text(bytes([0x8C, 0x22]), 4, 2) == "12.34"


@settings(max_examples=EXAMPLES)
@given(st.binary(max_size=300))
def test_hostile_parts_do_not_raise(data):
    binary_json.text(data)
    binary_json.text(b"\x00" + data)
    list(frm.definitions(b"\xfe\x01" + data, "t"))
    sdi.definition(data.decode("latin-1"))
    list(ddl.definitions("create table " + data.decode("latin-1")))
    list(ddl.definitions("create table t (a int" + data.decode("latin-1") + ")"))
    head = bytes(24) + (17855).to_bytes(2, "big") + bytes(38)
    page_zip.unzip((head + data).ljust(8192, data[:1] or b"\0"), 16384)
    unpack.unpack((bytes(24) + b"\x80\x01" + data).ljust(4096, b"\0"), 16384)


def test_packed_pages_are_unpacked():
    page = bytes(24) + (17855).to_bytes(2, "big") + bytes(range(256)) * 63
    page = page.ljust(16384, b"\0")
    body = zlib.compress(page)
    size = (26 + len(body) + 4 + 255) // 256
    packed = (bytes(24) + (0x8000 | size).to_bytes(2, "big") + body).ljust(16384, b"\0")
    assert unpack.unpack(packed, 16384) == page
    # LZ4: eight literals, then twelve bytes that repeat them
    assert unpack.lz4_block(b"\x88abcdefgh\x08\x00", 20) == b"abcdefghabcdefghabcd"


@pytest.mark.parametrize("pack", [lambda page: zlib.compress(page, 0), bz2.compress, lzma.compress])
def test_packed_pages_are_unpacked_only_where_their_own_checksum_holds(pack):
    page = bytes(24) + (17855).to_bytes(2, "big") + random.Random(4).randbytes(8166)
    body = pack(page)
    size = (26 + len(body) + 4 + 255) // 256

    def unpacked(body):
        return unpack.unpack(
            (bytes(24) + (0x8000 | size).to_bytes(2, "big") + body).ljust(16384, b"\0"), 8192
        )

    assert unpacked(body) == page
    for place in (len(body) // 2, len(body) - 3):
        assert unpacked(body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]) is None


def test_halves_of_a_page_are_patched_only_where_the_checksum_holds():
    from tests.catalog.databases.innodb.made_tablespace import SIZE
    from tests.catalog.databases.innodb.made_tablespace import tablespace as made

    page = made(200)[4 * SIZE : 5 * SIZE]
    one = bytes(8192) + page[8192:]
    other = page[:8192] + bytes(8192)
    assert tablespace.patch([one, other]) == page
    assert tablespace.patch([one, one[:-1] + b"x"]) is None


@given(st.binary(min_size=1, max_size=200), st.integers(1, 5000))
def test_no_block_breaks_an_unpacker(noise, size):
    for unpacker in (unpackers.lz4_block, unpackers.snappy_block, unpackers.lzo_block):
        try:
            plain = unpacker(noise, size)
        except (ValueError, IndexError):
            continue
        assert len(plain) <= size


def test_blocks_of_snappy_and_lzo_are_read():
    assert unpackers.snappy_block(b"\x14\x1cabcdefgh\x2e\x08\x00", 20) == b"abcdefghabcdefghabcd"
    assert unpackers.lzo_block(b"\x19abcdefgh\x2a\x1c\x00\x11\x00\x00", 20) == b"abcdefghabcdefghabcd"
