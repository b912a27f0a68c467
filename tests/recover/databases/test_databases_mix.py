"""A folder with the files of several tables, a dump of their definitions, and what does not belong to it."""

import gzip
import sqlite3
import subprocess
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.catalog.databases.innodb.made_tablespace import CREATE, tablespace
from tests.recover.databases.mariadb_server import Server, program
from tests.recover.databases.test_databases_step import command
from unransom.recover.databases.gathering import gather, statements

DUMP = """-- MariaDB dump
/*!40101 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS `made`;
{create};
INSERT INTO `made` VALUES (1,'CREATE TABLE no (a int);',1.00,'2024-05-01'),
(2,'x',1.00,'2024-05-02');
UNLOCK TABLES;
CREATE TABLE `other` (`a` int NOT NULL, `b` blob, PRIMARY KEY (`a`));
"""


def test_of_a_folder_what_is_of_a_database_is_taken(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "made.ibd").write_bytes(tablespace(50))
    (tmp_path / "data" / "made.txt").write_bytes(b"notes" * 1000)
    (tmp_path / "dump.sql.gz").write_bytes(gzip.compress(DUMP.format(create=CREATE).encode()))
    (tmp_path / "data" / "link.ibd").symlink_to("made.ibd")
    with ExitStack() as stack:
        found = gather([tmp_path], [], stack)
        assert [source.name for source in found.sources] == ["made.ibd"]
        assert len(found.sql) == 1
    assert "made: 50 of 50 rows" in command(tmp_path, source="")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_rows_of_a_dump_are_passed_over(tmp_path, encoding):
    (tmp_path / "dump.sql").write_text(DUMP.format(create=CREATE), encoding=encoding)
    text = statements(tmp_path / "dump.sql")
    assert "CREATE TABLE `other`" in text
    assert "CREATE TABLE `made`" in text
    assert "INSERT" not in text
    assert "2024-05-02" not in text


def test_rows_without_semicolons_end_where_something_else_begins(tmp_path):
    script = "INSERT dbo.a VALUES (1)\nINSERT dbo.a VALUES (2)\nGO\nCREATE TABLE dbo.b (c int)\nGO\n"
    (tmp_path / "script.sql").write_text(script)
    assert statements(tmp_path / "script.sql") == "GO\nCREATE TABLE dbo.b (c int)\nGO\n"


def test_a_database_of_many_tables_is_read_by_its_dump(tmp_path):
    server = Server()
    try:
        server.run("create database shop", "use shop")
        for number in range(12):
            server.run(
                f"create table t{number} (id int primary key, a{number} varchar(20), b{number} datetime)",
                f"insert into t{number} select seq, seq * {number}, now() from seq_1_to_{100 + number}",
            )
        server.run("create table big (id int primary key, v int, w bigint, key (v))")
        server.run("insert into big select seq, seq % 7, seq * seq from seq_1_to_3000")
        dump = [program("mariadb-dump"), "--no-defaults", f"--socket={server.folder}/s", "-uroot", "shop"]
        (tmp_path / "dump.sql").write_bytes(subprocess.run(dump, check=True, capture_output=True).stdout)
        server.stop()
        for path in (server.data / "shop").glob("*.ibd"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    finally:
        server.close()
    command(tmp_path, source="")
    with closing(sqlite3.connect(tmp_path / "out" / "innodb.sqlite")) as base:
        counts = {
            name: base.execute(f'select count(*) from "{name}"').fetchone()[0]
            for (name,) in base.execute("select name from sqlite_master where type = 'table'").fetchall()
        }
        columns = [row[1] for row in base.execute("pragma table_info(t7)")]
    assert counts == {f"t{number}": 100 + number for number in range(12)} | {"big": 3000}
    assert columns == ["id", "a7", "b7"]
    assert Path(tmp_path / "out" / "loss.txt").exists()
