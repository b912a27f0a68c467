"""What names of files say of the tables in them."""

import pytest

from unransom.catalog.databases.innodb.file_names import decoded, named


@pytest.mark.parametrize(
    ("file", "table", "partition"),
    [
        ("orders.ibd", "orders", ""),
        ("shop.orders.2024.ibd", "shop.orders.2024", ""),
        ("orders@002e2024.ibd", "orders.2024", ""),
        ("@5ba2@6237.ibd", "客户", ""),
        ("parts#P#P@0020Max.ibd", "parts", "P Max"),
        ("parts#p#p0#sp#p0sp1.ibd", "parts", "p0#sp#p0sp1"),
        ("k@0kse.frm", "käse", ""),
        ("-@M0.ibd", "-Ж", ""),
        ("kein@zz.ibd", "kein@zz", ""),
    ],
)
def test_a_name_is_read(file, table, partition):
    assert named(file) == (table, partition)


def test_letters_of_every_block_are_those_that_servers_write():
    written = {"à": "@0g", "À": "@0G", "ß": "@1j", "ā": "@1s", "ĸ": "@3g", "ž": "@4v", "Ź": "@4T", "ΐ": "@5y"}
    written |= {"ά": "@6g", "Ω": "@7P", "а": "@g0", "Я": "@R1", "ѡ": "@o2", "中": "@4e2d"}
    assert [decoded(code) for code in written.values()] == list(written)
