"""Makes cases whose files have come back already, and trees to compare targets by."""

import hashlib
import json
import os
import signal
import stat
import subprocess
import time
from pathlib import Path

from tests.fixtures.program import UNRANSOM
from unransom.case import files
from unransom.case.case import Case
from unransom.case.database import transaction
from unransom.core.messages import say
from unransom.core.records import FileRef, Grade, Output, Source

DAY = 86_400 * 10**9  # nanoseconds
NEW_YEAR = 1_767_225_600 * 10**9  # 2026-01-01


def unransom(*arguments, code=0, environment=None):
    """Run the program as a person does; return what it printed."""
    run = subprocess.run(
        [UNRANSOM, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    assert run.returncode == code, run.stdout + run.stderr
    return run.stdout + run.stderr


def content(number, size=200):
    """Return the bytes of a made file."""
    return hashlib.shake_256(str(number).encode()).digest(size)


def make_case(folder, contents, *, grades=None, modified=None, source="shop"):
    """Make a case in which each of ``contents``, path and bytes, has come back.

    Args:
        folder: Of the case.
        contents: Bytes of each file, by path below the source.
        grades: Verdicts by path; good where there is none.
        modified: Times by path, nanoseconds; days from 2026-01-01 by number where there is none.
        source: Id of the source.
    """
    with Case(folder, create=True, name="made") as case:
        case.add_source(Source(id=source, kind="folder", location=f"/nowhere/{source}"))
        outputs, told = case.outputs(), []
        with transaction(case.database):
            for number, (path, data) in enumerate(sorted(contents.items())):
                when = (modified or {}).get(path, NEW_YEAR + number * DAY)
                files.add(
                    case.database,
                    [FileRef(source=source, path=path, size=len(data), modified=when)],
                )
                (row,) = case.database.execute("SELECT max(id) FROM files").fetchone()
                with outputs.draft() as draft:
                    draft.write(data)
                    place, digests = draft.keep(source.encode() + b"/" + path)
                grade = (grades or {}).get(path, Grade.GOOD)
                output = Output(
                    path=place,
                    digests=digests,
                    derived_from=row,
                    method="unlock",
                    grade=grade,
                    why=say("the image is complete, all checksums agree"),
                )
                files.store(case.database, "unlock", row, [output])
                told.append([place.decode("utf-8", "backslashreplace"), digests.sha256])
            case.record("outputs", {"outputs": told})
        case.publish()
    return folder


def tree(folder):
    """Return everything below a folder: content, mode and time of files, and the folders."""
    found = {}
    for path in sorted(Path(os.fsdecode(folder)).rglob("*")):
        about = path.lstat()
        if stat.S_ISDIR(about.st_mode):
            found[str(path.relative_to(folder))] = "folder"
        elif stat.S_ISLNK(about.st_mode):
            found[str(path.relative_to(folder))] = ("link", str(path.readlink()))
        else:
            found[str(path.relative_to(folder))] = (path.read_bytes(), about.st_mode, about.st_mtime_ns)
    return found


def status(case):
    """Return the batches of the plan of a case."""
    return json.loads(unransom("restore", "status", "--case", case, "--json"))["batches"]


def killed(*arguments, when, environment=None, within=120):
    """Run the program, kill it as soon as ``when()`` is true, and return whether it was still running."""
    run = subprocess.Popen(
        [UNRANSOM, *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    )
    deadline = time.monotonic() + within
    while run.poll() is None and not when() and time.monotonic() < deadline:
        time.sleep(0.005)
    run.send_signal(signal.SIGKILL)
    return run.wait() == -signal.SIGKILL
