"""What MySQL 8 writes of a table into its file: dropped columns, partitions, and what a graft leaves out.

The numbers of dropped columns are those that MySQL 9.7 wrote.
"""

import base64
import json
import struct
import zlib

import pytest

from tests.catalog.databases.innodb.made_tablespace import CREATE, SIZE, rows, tablespace, versioned_record
from unransom.catalog.databases.engine import Graft, Hints, Source
from unransom.catalog.databases.innodb import ENGINE, sdi
from unransom.catalog.databases.innodb.collations import collation_name
from unransom.catalog.databases.innodb.graft_pages import Shape, index_page, seal
from unransom.catalog.databases.innodb.types import VARIABLE, Kind
from unransom.core.streams import BytesReader

UTF8, LATIN, BYTES, SJIS = 255, 8, 63, 13  # ids of collations
SPACE, INDEX = 5, 40  # of the made tablespace
PAGE = 50
SDI, SDI_FLAG, ENCRYPTED_FLAG = 17853, 1 << 14, 1 << 13


def column(name, declared, place, number=4, **more):
    values = {"type": number, "is_nullable": True, "hidden": 1, "char_length": 11, "numeric_scale": 0}
    values |= {"is_unsigned": False, "collation_id": UTF8, "elements": []}
    values |= {"name": name, "column_type_utf8": declared, "se_private_data": f"physical_pos={place};"}
    return values | more


def document(columns, **more):
    table = {"name": "made", "schema_ref": "shop", "columns": columns, "indexes": [], "partitions": []}
    return json.dumps({"dd_object_type": "Table", "dd_object": table | more})


@pytest.mark.parametrize(
    ("number", "length", "scale", "collation", "elements", "expected"),
    [
        (2, 4, 0, UTF8, 0, (Kind.SIGNED, 1)),
        (10, 9, 0, UTF8, 0, (Kind.SIGNED, 3)),
        (6, 22, 0, UTF8, 0, (Kind.DOUBLE, 8)),
        (21, 22, 6, UTF8, 0, (Kind.DECIMAL, 10)),
        (17, 13, 0, UTF8, 0, (Kind.BIT, 2)),
        (15, 10, 0, LATIN, 0, (Kind.DATE, 3)),
        (20, 17, 0, LATIN, 0, (Kind.TIME, 6)),
        (20, 10, 0, LATIN, 0, (Kind.TIME, 3)),
        (19, 19, 0, LATIN, 0, (Kind.DATETIME, 5)),
        (19, 23, 0, LATIN, 0, (Kind.DATETIME, 7)),
        (18, 22, 0, LATIN, 0, (Kind.TIMESTAMP, 5)),
        (14, 4, 0, LATIN, 0, (Kind.YEAR, 1)),
        (29, 40, 0, UTF8, 0, (Kind.TEXT, VARIABLE)),
        (29, 10, 0, LATIN, 0, (Kind.TEXT, 10)),
        (29, 10, 0, SJIS, 0, (Kind.TEXT, VARIABLE)),
        (29, 8, 0, BYTES, 0, (Kind.BINARY, 8)),
        (16, 1200, 0, UTF8, 0, (Kind.TEXT, VARIABLE)),
        (27, 65535, 0, UTF8, 0, (Kind.BINARY, VARIABLE)),
        (22, 4, 0, UTF8, 2, (Kind.ENUM, 1)),
        (23, 68, 0, UTF8, 9, (Kind.SET, 2)),
        (31, 4294967295, 0, BYTES, 0, (Kind.JSON, VARIABLE)),
        (30, 4294967295, 0, BYTES, 0, (Kind.BINARY, VARIABLE)),
        (32, 12, 0, BYTES, 0, (Kind.BINARY, VARIABLE)),
    ],
)
def test_the_type_of_a_dropped_column_is_told_by_numbers(
    number, length, scale, collation, elements, expected
):
    dropped = column("!hidden!_dropped_v1_p3_c", "", 3, number, char_length=length, numeric_scale=scale)
    dropped |= {"collation_id": collation, "hidden": 2, "elements": [{"name": "YQ=="}] * elements}
    dropped["se_private_data"] = "physical_pos=3;version_dropped=1;"
    table, _ = sdi.definition(document([column("id", "int", 0), dropped]))
    made = table.columns[1]
    assert (made.type.kind, made.type.length) == expected
    assert (made.dropped, made.hidden) == (1, True)


def partition(name, index, space, parts=()):
    data = f"id={index};root=4;space_id={space};"
    return {"name": name, "se_private_id": 7, "indexes": [{"se_private_data": data}], "subpartitions": parts}


MADE = [
    column("id", "int", 0, is_nullable=False),
    column("name", "varchar(40)", 3, 16),
    column("price", "decimal(9,2)", 4, 21, is_nullable=False),
    column("day", "date", 5, 15, is_nullable=False),
]
KEY = {"type": 1, "elements": [{"column_opx": 0, "length": 4}], "se_private_data": ""}


def described(data, text):
    """Return a tablespace with a page of SDI."""
    packed = zlib.compress(text.encode())
    record = struct.pack(">I8s6s7sII", 1, bytes(8), bytes(6), bytes(7), len(text.encode()), len(packed))
    front = bytes([len(packed) & 0xFF, 0x80 | len(packed) >> 8]) + bytes(5)
    shape = Shape(SIZE, SPACE, (1 << 64) - 1, True, True, 1000)
    page = index_page(shape, PAGE, 0, [(front, record + packed)], leftmost=False)
    page[24:26] = SDI.to_bytes(2, "big")
    return data[: PAGE * SIZE] + seal(page, shape) + data[(PAGE + 1) * SIZE :]


@pytest.mark.parametrize("nested", [False, True])
def test_the_file_of_the_first_partition_describes_the_others(nested):
    parts = [partition("p0", INDEX, SPACE), partition("p1", INDEX, SPACE + 1)]
    listed = [partition("whole", 0, 0, parts)] if nested else parts
    text = document(MADE, indexes=[KEY], partitions=listed)
    files = {
        "made#p#p0.ibd": described(tablespace(700), text),
        "made#p#p1.ibd": tablespace(900, space=SPACE + 1),
        "made#p#p2.ibd": tablespace(50, space=SPACE + 2),  # of which nothing is told
    }
    sources = [Source(name, BytesReader(data)) for name, data in files.items()]
    (database,) = ENGINE.open(sources, Hints())
    table = next(each for each in database.tables if each.name == "shop/made")
    back = [row["name"] for each in database.rows(table) for row in each.batch.to_pylist()]
    assert back == [name for _, name, _, _ in (*rows(700), *rows(900))]


def test_hostile_partitions_give_a_definition_or_none():
    for parts in ([3], [{}], [{"name": "p", "indexes": []}], {"a": 1}, [{"subpartitions": [{}]}], None):
        assert sdi.definition(document(MADE, indexes=[KEY], partitions=parts)) is None


@pytest.mark.parametrize(
    ("flags", "kept", "ending"),
    [
        (0x21 | SDI_FLAG | ENCRYPTED_FLAG, 0x21, "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"),
        (SDI_FLAG, 0, "ROW_FORMAT=COMPACT"),
    ],
)
def test_a_graft_has_no_flag_of_pages_that_it_leaves_out(flags, kept, ending):
    data = bytearray(tablespace(full_crc32=False))
    data[54:58] = flags.to_bytes(4, "big")
    data[:SIZE] = seal(data[:SIZE], Shape(SIZE, SPACE, INDEX, True, False, 1000))
    (database,) = ENGINE.open([Source("made.ibd", BytesReader(bytes(data)))], Hints(sql=(CREATE,)))
    made = ENGINE.graft(database, database.tables[0])
    assert isinstance(made, Graft)
    assert made.create.endswith(ending)
    first = dict(made.pages)[0]
    assert int.from_bytes(first[54:58], "big") == kept


def test_a_document_tells_the_statement_as_the_server_shows_it():
    text = {"collation_id": 46, "is_explicit_collation": True, "type": 16}
    columns = [
        column("id", "int", 0, is_nullable=False, is_auto_increment=True),
        column("v", "int", -1, is_virtual=True, generation_expression="(`a``b` * 2)"),
        column("a`b", "varchar(20)", 3, char_length=80, **text, default_value_utf8_null=False)
        | {"default_value_utf8": "it's \\", "comment": "中'"},
        column("ts", "timestamp(3)", 4, default_option="CURRENT_TIMESTAMP(3)", is_nullable=False)
        | {"update_option": "CURRENT_TIMESTAMP(3)"},
        column("r", "double", 5, default_option="rand()", hidden=4),
        column("bin", "varbinary(9)", 6, collation_id=BYTES, char_length=9, default_value_utf8_null=False)
        | {"default_value_utf8": "0x", "default_value": "AgD/AAAAAAAAAA=="},
        column("bi", "bit(5)", 7, default_value_utf8_null=False, default_value_utf8="b'101'"),
        column("gn", "geometry", 8, collation_id=BYTES, is_nullable=False, srs_id=4326, srs_id_null=False),
        column("!hidden!ex!0!0", "bigint", -1, is_virtual=True, hidden=3, generation_expression="(`v` + 7)"),
    ]

    def index(name, kind, *parts, **more):
        elements = [
            {"column_opx": place, "length": length, "order": order, "hidden": False}
            for place, length, order in parts
        ]
        return {"name": name, "type": kind, "hidden": False, "is_visible": True, "elements": elements} | more

    indexes = [
        index("PRIMARY", 1, (0, 4, 2)),
        index("k", 2, (2, 80, 3), (1, 4, 2)),
        index("p", 3, (2, 20, 2), is_visible=False, comment="c"),
        index("ex", 3, (8, 8, 2)),
        index("ft", 4, (2, 80, 1)),
        index("sp", 5, (7, 32, 2)),
    ]
    clause = {"check_clause": base64.b64encode(b"(`id` > 0)").decode()}
    checks = [{"name": "pos", "state": 2} | clause, {"name": "lax", "state": 1} | clause]
    elements = [{"column_opx": 0, "referenced_column_name": "id"}]
    foreign = {"name": "f", "referenced_table_name": "other", "elements": elements, "delete_rule": 3}
    more = {"check_constraints": checks, "foreign_keys": [foreign], "collation_id": UTF8, "comment": "t"}
    (made, _) = sdi.definition(document(columns, indexes=indexes, row_format=5, **more))
    assert made.create == (
        "CREATE TABLE `made` (\n"
        "  `id` int NOT NULL AUTO_INCREMENT,\n"
        "  `v` int GENERATED ALWAYS AS ((`a``b` * 2)) VIRTUAL NULL,\n"
        "  `a``b` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL DEFAULT 'it''s \\\\'"
        " COMMENT '中''',\n"
        "  `ts` timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),\n"
        "  `r` double NULL DEFAULT (rand()) INVISIBLE,\n"
        "  `bin` varbinary(9) NULL DEFAULT 0x00ff,\n"
        "  `bi` bit(5) NULL DEFAULT b'101',\n"
        "  `gn` geometry NOT NULL SRID 4326,\n"
        "  PRIMARY KEY (`id`),\n"
        "  UNIQUE KEY `k` (`a``b` DESC, `v`),\n"
        "  KEY `p` (`a``b`(5)) COMMENT 'c' INVISIBLE,\n"
        "  KEY `ex` (((`v` + 7))),\n"
        "  FULLTEXT KEY `ft` (`a``b`),\n"
        "  SPATIAL KEY `sp` (`gn`),\n"
        "  CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `other` (`id`) ON DELETE CASCADE,\n"
        "  CONSTRAINT `pos` CHECK ((`id` > 0)),\n"
        "  CONSTRAINT `lax` CHECK ((`id` > 0)) NOT ENFORCED\n"
        ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci ROW_FORMAT=COMPACT COMMENT='t'"
    )
    assert [each.name for each in made.columns] == ["id", "a`b", "ts", "r", "bin", "bi", "gn"]


@pytest.mark.parametrize(
    ("number", "mariadb", "name"),
    [
        (8, False, "latin1_swedish_ci"),
        (33, True, "utf8_general_ci"),
        (255, False, "utf8mb4_0900_ai_ci"),
        (298, False, "utf8mb4_hr_0900_as_cs"),
        (308, False, "utf8mb4_zh_0900_as_cs"),
        (245, False, "utf8mb4_croatian_ci"),
        (245, True, "utf8mb4_croatian_mysql561_ci"),
        (608, True, "utf8mb4_croatian_ci"),
        (1070, True, "utf8mb4_nopad_bin"),
        (1238, True, "utf8_unicode_520_nopad_ci"),
        (2323, True, "utf8mb4_uca1400_latvian_as_cs"),
        (2222, True, ""),
        (9999, False, ""),
    ],
)
def test_collations_have_the_names_of_the_servers(number, mariadb, name):
    assert collation_name(number, mariadb=mariadb) == name


def test_without_sdi_versions_of_rows_are_told_by_a_statement():
    data = bytes(SIZE) + tablespace(900, made=versioned_record)[SIZE:]
    (database,) = ENGINE.open([Source("made.ibd", BytesReader(data))], Hints(sql=(CREATE,)))
    (table,) = database.tables
    back = [row for each in database.rows(table) for row in each.batch.to_pylist()]
    assert [row["name"] for row in back] == [name for _, name, _, _ in rows(900)]
    for row, (number, _, cents, day) in zip(back, rows(900), strict=True):
        assert row["price"] * 100 == cents
        whole = number % 3 == 0
        assert (row["day"].day if whole else row["day"]) == (day if whole else None)
        assert (row["_confidence"] == 1) == whole  # what older rows have there is lost


@pytest.mark.parametrize("lost", ["  `price` decimal(9,2) NOT NULL,\n", "  `day` date NOT NULL,\n"])
def test_rows_of_versions_that_no_statement_explains_are_withheld(lost):
    data = bytes(SIZE) + tablespace(900, made=versioned_record)[SIZE:]
    create = CREATE.replace(lost, "")
    (database,) = ENGINE.open([Source("made.ibd", BytesReader(data))], Hints(sql=(create,)))
    assert not database.tables
    assert any("instantly" in str(problem) for problem in database.problems)
