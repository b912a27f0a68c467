"""Private servers for the tests of the fill: MariaDB and PostgreSQL, without a network, gone afterwards."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from tests.fixtures.tools import tool
from tests.recover.databases.mariadb_server import Server

PROGRAMS = (
    "/usr/local/bin:/usr/lib/postgresql/17/bin:/usr/lib/postgresql/16/bin:/usr/lib/postgresql/15/bin:/usr/bin"
)


def postgres_program(name):
    """Return the path of a program of PostgreSQL; a test that needs one that is missing fails."""
    found = shutil.which(name, path=PROGRAMS)
    if found is None:
        pytest.fail(f"{name} is missing: apt-get install postgresql", pytrace=False)
    return found


class MariaDB:
    """The target database ``oms`` on a private MariaDB."""

    def __init__(self):
        self._server = Server()
        self._server.run("CREATE DATABASE oms CHARACTER SET utf8mb4")
        self.url = f"mariadb://root@localhost/oms?unix_socket={self._server.folder}/s"

    def run(self, *statements):
        return self._server.run("USE oms", *statements)

    def close(self):
        self._server.close()


class PostgreSQL:
    """The target database ``oms`` on a private PostgreSQL, which does not run as root."""

    def __init__(self):
        postgres_program("initdb")
        self._folder = Path(tempfile.mkdtemp(prefix="unransom-postgresql-"))
        self._as = [tool("runuser", "util-linux"), "-u", "postgres", "--"] if os.getuid() == 0 else []
        if self._as:
            shutil.chown(self._folder, "postgres")
        data = self._folder / "data"
        self._call("initdb", "-D", data, "-U", "oms", "-A", "trust", "--no-sync", "-E", "UTF8")
        self._call(
            "pg_ctl",
            "-D",
            data,
            "-o",
            f"-k {self._folder} -c listen_addresses=''",
            "-l",
            self._folder / "log",
            "-w",
            "start",
        )
        with psycopg.connect(
            host=str(self._folder), user="oms", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute("CREATE DATABASE oms")
        self.url = f"postgresql://oms@/oms?host={self._folder}"
        self._connection = psycopg.connect(host=str(self._folder), user="oms", dbname="oms", autocommit=True)

    def _call(self, program, *arguments):
        # pg_ctl's server keeps a pipe open: its output goes nowhere.
        subprocess.run(
            [*self._as, postgres_program(program), *map(str, arguments)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )

    def run(self, *statements):
        rows = []
        for statement in statements:
            cursor = self._connection.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
        return rows

    def close(self):
        self._connection.close()
        self._call("pg_ctl", "-D", self._folder / "data", "-m", "immediate", "-w", "stop")
        time.sleep(0.1)
        shutil.rmtree(self._folder, ignore_errors=True)
