"""Files stay small enough to read in one sitting, and what the wheel needs is declared."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

LONGEST = 400  # lines


@pytest.mark.parametrize("folder", ["src", "tests", "tools", "benchmarks"])
def test_no_file_is_too_long(folder):
    too_long = {
        str(path): lines
        for path in Path(folder).rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > LONGEST
    }
    assert not too_long


def test_imports_go_down_the_house():
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout


def test_help_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['unransom', '--help']\n"
        "from unransom.cli.program import run\n"
        "run()\n"
        "print(sorted({'numpy', 'numba', 'cryptography', 'sqlite3', 'rich', 'jinja2'} & sys.modules.keys()))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_nothing_stands_under_a_name_that_says_nothing():
    empty = {"utils", "helpers", "manager", "misc", "common", "base"}
    assert not [path for path in Path("src").rglob("*.py") if path.stem in empty]


def test_no_test_asks_how_long_a_thing_took():
    """A machine's speed says nothing of the program: work is counted, what may hang has a limit."""
    timed = re.compile(r"assert .*(process_time|perf_counter|monotonic|time\.time)\(\).*<")
    assert not [path for path in Path("tests").rglob("*.py") if timed.search(path.read_text())]
