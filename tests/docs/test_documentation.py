"""What the documentation says is so: commands and options exist, links lead somewhere, pages are fresh."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from unransom.catalog.families import FAMILIES
from unransom.catalog.losses import LOSSES
from unransom.cli.program import program
from unransom.core.errors import ERRORS

PAGES = sorted([*Path().glob("*.md"), *Path("docs").rglob("*.md")])
BLOCK = re.compile(r"^(?: {4,}|\$ )(?:\$ )?(unransom .*)$", re.M)
INLINE = re.compile(r"`(unransom [^`]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def examples():
    for page in PAGES:
        for line in [*BLOCK.findall(page.read_text()), *INLINE.findall(page.read_text())]:
            if "..." not in line and "[OPTIONS]" not in line and "COMMAND" not in line:
                yield pytest.param(line, id=f"{page}: {line[:60]}")


def words_of(line):
    words = shlex.split(line, comments=True)[1:]
    ends = [words.index(word) for word in (">", "|", "&&", "2>") if word in words]
    words = words[: min(ends, default=len(words))]
    while "--lang" in words:
        at = words.index("--lang")
        assert words[at + 1] in {"en", "zh"}
        del words[at : at + 2]
    return words


def parsed(command, words, parent=None):
    """Parse ``words`` without running anything: unknown options and commands raise."""
    context = click.Context(command, parent=parent, info_name="unransom")
    parser = command.make_parser(context)
    values, rest, _ = parser.parse_args(list(words))
    for parameter in command.params:
        given = values.get(parameter.name)
        if isinstance(parameter.type, click.Choice) and isinstance(given, str):
            parameter.type.convert(given, parameter, context)
    if isinstance(command, click.Group) and rest:
        below = command.get_command(context, rest[0])
        assert below is not None, f"there is no command {rest[0]}"
        parsed(below, rest[1:], context)


@pytest.mark.parametrize("line", list(examples()))
def test_an_example_is_understood(line):
    parsed(program, words_of(line))


def test_an_example_that_is_wrong_is_noticed():
    with pytest.raises(click.NoSuchOption):
        parsed(program, ["recover", "x", "--no-such-option"])
    with pytest.raises(AssertionError):
        parsed(program, ["no-such-command"])
    with pytest.raises(click.BadParameter):
        parsed(program, ["list", "nothings"])


def test_there_are_examples():
    assert len(list(examples())) > 30


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text()):
        if not target.startswith(("https://", "http://")):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("tool", sorted(path.stem for path in Path("tools").glob("*_reference.py")))
def test_generated_pages_are_up_to_date(tool):
    run = subprocess.run(
        [sys.executable, f"tools/{tool}.py", "--check"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_both_readmes_name_the_same_commands_and_exit_codes():
    english, chinese = Path("README.md").read_text(), Path("README.zh-CN.md").read_text()
    commands = [
        {line for line in [*BLOCK.findall(text), *INLINE.findall(text)] if " demo" not in line}
        for text in (english, chinese)
    ]
    assert commands[0] == commands[1]
    headings = [re.findall(r"^#+ ", text, re.M) for text in (english, chinese)]
    assert headings[0] == headings[1]


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
@pytest.mark.parametrize(("reference", "known"), [("families", FAMILIES), ("losses", LOSSES)])
def test_the_readmes_count_what_there_is(page, reference, known):
    (count,) = re.findall(rf"\[(\d+)[^]]*\]\(docs/reference/{reference}\.md\)", Path(page).read_text())
    assert int(count) == len(known)


def test_every_exit_code_of_the_readme_exists():
    known = {0, 3, 70, 130, *(error.exit_code for error in ERRORS)}
    table = Path("README.md").read_text().partition("| code |")[2].partition("[All of them]")[0]
    named = {int(code) for row in re.findall(r"^\| ([\d, ]+) \|", table, re.M) for code in row.split(",")}
    assert {0, 3, 13, 14, 130} <= named <= known


def fields_of(heading):
    section = Path("docs/reference/json.md").read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `(\w+)` \|", section, re.M))


def unransom(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "unransom", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_json_has_the_fields_that_its_page_names(tmp_path):
    (tmp_path / "letter.txt").write_text("Dear customer,\n" * 40)
    run = unransom("triage", tmp_path, "--jsonl", "--progress", "json")
    assert json.loads(run.stdout).keys() == fields_of("One record per file")
    assert json.loads(run.stderr.splitlines()[0]).keys() == fields_of("Progress")
    run = unransom("verify", tmp_path, "--jsonl")
    assert json.loads(run.stdout).keys() == fields_of("Verdicts on plain files")
