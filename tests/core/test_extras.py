"""Parts that only some users need: what is missing is named, and how to install it."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from unransom.core.extras import EXTRAS, remedy

WITHOUT = """
import sys
for name in {modules!r}:
    sys.modules[name] = None
sys.argv = ["unransom", *{arguments!r}]
from unransom.cli import main
main()
"""


def without(modules, *arguments):
    """Run the command line as where ``modules`` are not installed."""
    code = WITHOUT.format(modules=modules, arguments=[str(each) for each in arguments])
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_every_extra_of_the_package_is_told():
    extras = tomllib.loads(Path("pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {extra.name for extra in EXTRAS} == extras.keys() - {"all"}
    assert all(extra.name in extras["all"][0] for extra in EXTRAS)


@pytest.mark.parametrize(
    ("modules", "part", "arguments"),
    [
        (("pyarrow",), "databases,orders", ("databases", "README.md", "--out")),
        (("duckdb",), "orders", ("orders", "match", "README.md", "--out")),
        (("zstandard",), "images", ("acquire", "README.md", "--out")),
    ],
)
def test_a_missing_part_is_named_with_how_to_install_it(tmp_path, modules, part, arguments):
    run = without(modules, *arguments, tmp_path / "out")
    assert run.returncode == 2, run.stderr
    assert f"pip install 'unransom[{part}]'" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_module_of_no_extra_is_a_fault_of_ours():
    assert remedy(ModuleNotFoundError("no", name="left_pad")) is None
