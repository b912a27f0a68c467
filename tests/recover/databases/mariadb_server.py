"""A private MariaDB server for tests: no network, its data in a folder of its own, gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pymysql

from tests.fixtures.tools import tool


def program(name: str) -> str:
    """Return the path of a program of MariaDB; the test fails where it is not installed."""
    return tool(name, "mariadb-server")


INSTALLS = 3  # attempts: on a busy machine one of some hundred fails


class Server:
    """A running server; ``stop`` ends it, ``close`` also removes its data."""

    def __init__(self, *options: str, logging: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="unransom-mariadb-"))
        self.data = self.folder / "data"
        # A server that starts clears temporary tables away, in a shared folder those of its neighbours, too.
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()
        self.options = options if logging else (*options, "--skip-log-bin")
        self._process: subprocess.Popen[bytes] | None = None
        install = [program("mariadb-install-db"), "--no-defaults", f"--datadir={self.data}", "--user=root"]
        install += [f"--tmpdir={self.temporary}"]
        install += ["--auth-root-authentication-method=normal", "--skip-test-db"]
        install += [option for option in options if option.startswith("--innodb-page-size")]
        for _ in range(INSTALLS):
            run = subprocess.run(install, check=False, capture_output=True, text=True)
            if run.returncode == 0:
                break
            shutil.rmtree(self.data, ignore_errors=True)
        assert run.returncode == 0, run.stdout + run.stderr
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [program("mariadbd"), "--no-defaults", f"--datadir={self.data}", "--user=root"]
        command += [f"--socket={self.folder}/s", "--skip-networking", f"--pid-file={self.folder}/pid"]
        command += [f"--tmpdir={self.temporary}", "--innodb-buffer-pool-size=64M", "--innodb-fast-shutdown=0"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*command, *self.options], stdout=log, stderr=log)
        for _ in range(300):
            if self._listens():
                self.connection = pymysql.connect(
                    unix_socket=f"{self.folder}/s", user="root", autocommit=True, charset="utf8mb4"
                )
                return
            time.sleep(0.1)
        raise RuntimeError((self.folder / "log").read_text()[-2000:])

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(f"{self.folder}/s") == 0

    def run(self, *statements: str) -> list[tuple]:
        """Run statements; return the rows of the last."""
        rows: list[tuple] = []
        with self.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                rows = list(cursor.fetchall())
        return rows

    def processor_seconds(self) -> float:
        """Return the processor time that the server has taken."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """Shut down, so that every page is in its file."""
        if self._process:
            self.connection.close()
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def kill(self) -> None:
        """End it at once, as it is when its host goes down; what it has written so far is in the files."""
        self.connection.close()
        self._process.kill()
        self._process.wait(60)
        self._process = None

    def write_out(self) -> None:
        """Let it write every page that it has changed; a snapshot that is open keeps the undo logs."""
        self.run("set global innodb_max_dirty_pages_pct_lwm = 0", "set global innodb_max_dirty_pages_pct = 0")
        for _ in range(300):
            if self.run("show status like 'Innodb_buffer_pool_pages_dirty'")[0][1] == "0":
                return
            time.sleep(0.1)
        raise RuntimeError("pages are left")

    def close(self) -> None:
        """Stop, and remove the data."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def files(self, database: str, table: str) -> dict[str, bytes]:
        """Return the files of a table by suffix, written out whole; the server stays up."""
        self.run(f"flush tables `{database}`.`{table}` for export")
        try:
            return {path.suffix: path.read_bytes() for path in (self.data / database).glob(f"{table}.*")}
        finally:
            self.run("unlock tables")
