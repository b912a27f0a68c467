"""Rows straight into a running MariaDB and a running PostgreSQL, and what they do not do there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pyarrow
import pytest

from tests.catalog.databases.innodb.made_tablespace import CREATE, rows, tablespace
from tests.recover.databases.mariadb_server import Server
from tests.recover.databases.test_databases_step import RUN
from unransom.catalog.databases.table import Column, Table
from unransom.recover.databases.into import IntoWriter, connect
from unransom.recover.databases.sql import SqlWriter
from unransom.recover.databases.writer import Shown

COUNT = 500


class Postgres:
    """A private PostgreSQL server: a socket in a folder of its own, gone afterwards."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self.programs = folder, programs
        self.as_user = ["setpriv", "--reuid=nobody", "--clear-groups"] if os.getuid() == 0 else []
        if self.as_user:
            shutil.chown(folder, "nobody")
        self.call("initdb", "-D", folder / "data", "-U", "root", "-A", "trust", "-E", "UTF8")
        self.call("pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log", "-o",
                  f"-k {folder} -c listen_addresses=''", "start")  # fmt: skip
        self.call("createdb", "-h", folder, "-U", "root", "shop")

    def call(self, name: str, *arguments: object) -> None:
        command = [*self.as_user, str(self.programs / name), *map(str, arguments)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")

    def query(self, statement: str) -> list[tuple]:
        with psycopg.connect(host=str(self.folder), user="root", dbname="shop") as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        pytest.fail("initdb is missing: apt-get install postgresql", pytrace=False)
    folder = Path(subprocess.check_output(["mktemp", "-d", "/tmp/unransom-pg-XXXXXX"], text=True).strip())
    server = Postgres(folder, found[-1])
    yield server
    server.call("pg_ctl", "-D", folder / "data", "-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def mariadb():
    server = Server()
    server.run("create database shop", "use shop", "create user shop identified by 'p%s:@'",
               "grant all on shop.* to shop")  # fmt: skip
    yield server
    server.close()


def run(folder, url, *, code=0, password=""):
    (folder / "made.ibd").write_bytes(tablespace(COUNT))
    (folder / "schema.sql").write_text(CREATE)
    arguments = ["databases", folder / "made.ibd", "--schema", folder / "schema.sql", "--out", folder / "out"]
    ran = subprocess.run(
        [sys.executable, "-c", RUN, "--lang", "en", *map(str, arguments), "--into", url],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env=os.environ | {"UNRANSOM_INTO_PASSWORD": password},
    )  # fmt: skip
    assert ran.returncode == code, ran.stderr + ran.stdout
    return ran.stdout + ran.stderr


WANTED = {(n, name, f"{cents / 100:.2f}", f"2024-05-{day:02d}") for n, name, cents, day in rows(COUNT)}


def test_mariadb_takes_every_row_once(mariadb, tmp_path):
    url = f"mysql://shop@localhost/shop?unix_socket={mariadb.folder}/s"
    run(tmp_path, url, password="p%s:@")
    found = mariadb.run("select * from shop.made")
    assert {(row[0], row[1], str(row[2]), str(row[3])) for row in found} == WANTED
    mariadb.run("update shop.made set name = 'mine' where id = 1")
    said = run(tmp_path, url, code=2, password="p%s:@")
    assert "already has a table made" in said
    assert mariadb.run("select name from shop.made where id = 1") == [("mine",)]
    assert [name for (name,) in mariadb.run("show tables in shop")] == ["made"]


def test_postgresql_takes_every_row_once(postgres, tmp_path):
    url = f"postgresql://root@/shop?host={postgres.folder}"
    run(tmp_path, url)
    found = postgres.query("select * from made")
    assert {(row[0], row[1], str(row[2]), str(row[3])) for row in found} == WANTED
    assert "already has a table made" in run(tmp_path, url, code=2)
    assert postgres.query("select count(*) from made") == [(COUNT,)]
    tables = postgres.query("select tablename from pg_tables where schemaname = 'public'")
    assert tables == [("made",)]


LOST = Table(
    "lost", (Column("id", "int", pyarrow.int32(), False), Column("price", "int", pyarrow.int32(), False)),
    ("id",), dialect="mysql",
)  # fmt: skip
BATCHES = [pyarrow.record_batch([[n, n + 1], [7, n or None]], ["id", "price"]) for n in (2, 0)]


def new_databases(name, mariadb, postgres):
    """Make an empty database on each server; return their URLs by dialect."""
    mariadb.run(f"create database {name}")
    postgres.call("createdb", "-h", postgres.folder, "-U", "root", name)
    return {
        "mysql": f"mysql+pymysql://root@localhost/{name}?unix_socket={mariadb.folder}/s",
        "postgresql": f"postgresql+psycopg://root@/{name}?host={postgres.folder}",
    }


def statements(script):
    """Return what a script consists of, one by one."""
    return [each for each in script.read_text().split(";\n") if each.strip()]


def test_a_value_that_is_lost_is_no_zero_though_its_column_may_not_be_null(mariadb, postgres, tmp_path):
    """As it is said of the rows: by script and straight into a server."""
    urls = new_databases("lost", mariadb, postgres)
    for url in urls.values():
        write(IntoWriter(connect(url, "")))
    for dialect, url in urls.items():
        write(SqlWriter(tmp_path, dialect, dialect), "scripted")
        with connect(url, "").begin() as server:
            for statement in statements(tmp_path / f"{dialect}.sql"):
                server.exec_driver_sql(statement)
            for name in ("lost", "scripted"):
                found = server.exec_driver_sql(f"select id, price from {name} order by id").fetchall()
                assert [tuple(row) for row in found] == [(0, 7), (1, None), (2, 7), (3, 2)]
    write(SqlWriter(tmp_path, "mssql", "mssql"))
    assert "ALTER TABLE [lost] ALTER COLUMN [price] int NULL;" in (tmp_path / "mssql.sql").read_text()


def write(writer, name="lost", table=LOST, batches=BATCHES):
    writer.begin(Shown(name, table, table.columns))
    for batch in batches:
        writer.write(batch)
    writer.keep()


DRAWN = Table(
    "drawn", (
        Column("code", "varchar(9)", pyarrow.string(), False),
        Column("I'd", "int unsigned", pyarrow.uint32(), False, automatic=True),
    ), ("code",), dialect="mysql",
)  # fmt: skip
CODES = [
    pyarrow.record_batch([[f"c{n}"], pyarrow.array([n], pyarrow.uint32())], ["code", "I'd"])
    for n in (0, 7, 3)
]


def test_a_restored_table_goes_on_behind_its_largest_number(mariadb, postgres, tmp_path):
    """By script and straight into a server; a zero stays one."""
    urls = new_databases("drawn", mariadb, postgres)
    for dialect, url in urls.items():
        write(IntoWriter(connect(url, "")), "drawn", DRAWN, CODES)
        write(SqlWriter(tmp_path, dialect, dialect), "scripted", DRAWN, CODES)
        with connect(url, "").begin() as server:
            for statement in statements(tmp_path / f"{dialect}.sql"):
                server.exec_driver_sql(statement)
            quote = "`" if dialect == "mysql" else '"'
            for name in ("drawn", "scripted"):
                server.exec_driver_sql(f"insert into {name} (code) values ('new')")
                found = server.exec_driver_sql(f"select code, {quote}I'd{quote} from {name}").fetchall()
                assert sorted(map(tuple, found)) == [("c0", 0), ("c3", 3), ("c7", 7), ("new", 8)]


def test_sql_server_takes_numbers_as_they_are_and_draws_new_ones(tmp_path):
    writer = SqlWriter(tmp_path, "shop", "mssql")
    for name in ("one", "two"):
        writer.begin(Shown(name, DRAWN, DRAWN.columns))
        writer.write(CODES[1])
    writer.keep()
    script = (tmp_path / "shop.sql").read_text()
    assert script.count("[I'd] bigint NOT NULL IDENTITY(1,1)") == 2
    assert "SET IDENTITY_INSERT [one] ON;\nINSERT INTO [one] ([code], [I'd]) VALUES\n(N'c7', 7);\n" in script
    order = [
        script.index(f"SET IDENTITY_INSERT [{each}")
        for each in ("one] ON", "one] OFF", "two] ON", "two] OFF")
    ]
    assert order == sorted(order)


def test_a_password_in_the_url_is_refused(tmp_path):
    assert "UNRANSOM_INTO_PASSWORD" in run(tmp_path, "mysql://root:secret@localhost/shop", code=2)


@pytest.mark.parametrize("url", ["nonsense", "sqlite:///x.db", "mysql://root@localhost"])
def test_what_names_no_database_of_a_server_is_refused(tmp_path, url):
    assert "mysql://user@host/database" in run(tmp_path, url, code=2)
