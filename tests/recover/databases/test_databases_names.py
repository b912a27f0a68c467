"""Several databases of a real MariaDB at once: each table has its own definition, name and partitions."""

import json
import shutil
import sqlite3
import subprocess

import pytest

from tests.recover.databases.mariadb_server import Server, program
from tests.recover.databases.test_databases_step import command

TABLES = {  # by database and name: columns, and the rest of the statement
    ("shop", "orders.2024"): ("id int primary key, v varchar(20)", ""),
    ("shop", "orders.2025"): ("id int primary key, v varchar(20)", ""),
    ("shop", "客户"): ("id int primary key, n varchar(30)", ""),
    ("shop", "a-b c"): ("id int primary key, n varchar(30)", ""),
    ("shop", "users"): ("id int primary key, name varchar(40)", ""),
    ("blog", "users"): ("id int primary key, login varchar(40)", ""),
    ("odd name", "users"): ("id int primary key, z varchar(50)", ""),
    ("shop", "parts"): (
        "id int, v varchar(30), primary key (id)",
        "partition by range (id) (partition p0 values less than (90), partition `P Max` values less than"
        " maxvalue)",
    ),
    ("shop", "subparts"): (
        "id int, d date not null default '2020-01-01', v varchar(30), primary key (id, d)",
        "partition by range (year(d)) subpartition by hash (id) subpartitions 2"
        " (partition p0 values less than (2020), partition p1 values less than maxvalue)",
    ),
}


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """Return the folder of a server with a dump of its definitions, and the rows of each table."""
    folder = tmp_path_factory.mktemp("names")
    server = Server("--character-set-server=utf8mb4")
    wanted = {}
    try:
        server.run("create database shop", "create database blog", "create database `odd name`", "use shop")
        for place, ((database, name), (columns, rest)) in enumerate(TABLES.items()):
            text = columns.split(" varchar")[0].rpartition(" ")[2]
            server.run(
                f"create table `{database}`.`{name}` ({columns}) {rest}",
                f"insert into `{database}`.`{name}` (id, {text}) select seq, concat('{name} ', seq)"
                f" from seq_1_to_{200 + place}",
            )
            wanted[f"{database}.{name}"] = set(server.run(f"select id, {text} from `{database}`.`{name}`"))
        dump = [
            program("mariadb-dump"),
            "--no-defaults",
            f"--socket={server.folder}/s",
            "-uroot",
            "--no-data",
        ]
        dump += ["--databases", "shop", "blog", "odd name"]
        (folder / "dump.sql").write_bytes(subprocess.run(dump, check=True, capture_output=True).stdout)
        server.stop()
        for name in ("shop", "blog", "odd@0020name"):
            shutil.copytree(server.data / name, folder / name)
    finally:
        server.close()
    return folder, wanted


@pytest.mark.parametrize("kept", [("frm", "sql"), ("frm",), ("sql",)])
def test_every_table_has_its_own_definition_and_all_of_its_rows(taken, kept, tmp_path):
    folder, wanted = taken
    left_out = {"*.frm", "*.sql"} - {f"*.{each}" for each in kept}
    shutil.copytree(folder, tmp_path / "given", ignore=shutil.ignore_patterns(*left_out))
    told = json.loads(command(tmp_path, "--json", source="given"))
    assert not told["problems"]
    (path,) = (tmp_path / "out").glob("*.sqlite")
    base = sqlite3.connect(path)
    names = [name for (name,) in base.execute("select name from sqlite_master where type = 'table'")]
    assert len(names) == len(wanted)
    for name in names:
        columns = [row[1] for row in base.execute(f'pragma table_info("{name}")') if row[1] != "d"]
        rows = set(base.execute(f'select {", ".join(columns)} from "{name}"'))
        home = name if name in wanted else next(each for each in wanted if each.endswith(f".{name}"))
        assert rows == wanted[home], name
        database, _, table = home.partition(".")
        assert all(column in TABLES[database, table][0] for column in columns)
    base.close()
