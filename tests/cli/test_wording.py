"""click speaks the language of the process too, and breaks lines by the width of letters."""

import gettext

import pytest
from rich.cells import cell_len

from tests.fixtures.program import unransom
from unransom.cli import wording
from unransom.cli.program import COMMANDS


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("recover", "x"), "错误：缺少选项 '--case'"),
        (("recover", "--case", "c"), "错误：缺少参数 'SOURCE...'"),
        (("files", "--case", "c", "--state", "foo"), "'foo' 不在可选值之中"),
        (("keys", "x", "--key", "/nowhere/key"), "路径 '/nowhere/key' 不存在。"),
        (("keys", "x", "--workers", "-1"), "-1 不在范围 x>=0 之内"),
        (("keys", "x", "--nothing"), "没有选项 '--nothing'"),
        (("nothing",), "没有命令 'nothing'"),
    ],
)
def test_mistakes_in_the_command_line_are_told_in_chinese(arguments, said):
    shown = unransom(*arguments, "--lang", "zh", code=2).stderr
    assert said in shown
    assert "用法:" in shown
    assert "Try" not in shown


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_chinese_help_is_chinese_and_fits_the_terminal(command):
    shown = unransom(command, "--help", "--lang", "zh").stdout
    for english in ("Usage:", "Options:", "Commands:", "Show this", "[required]", "[default"):
        assert english not in shown
    assert "示例：unransom" in shown
    assert max(map(cell_len, shown.splitlines())) <= 80


def test_a_language_that_there_is_not_is_refused():
    shown = unransom("list", "sources", "--lang", "fr", code=2)
    assert "there is no language fr" in shown.stderr
    assert not shown.stdout


def test_each_sentence_is_one_that_click_looks_up():
    written = "".join(
        constant
        for module in (wording.core, wording.decorators, wording.exceptions, wording.types, wording.parser)
        for constant in _texts(module)
    )
    written += "".join(_texts(wording.formatting))
    for sentence in wording.SENTENCES:
        assert sentence.text in written, sentence.text


def _texts(module):
    from pathlib import Path

    text = Path(module.__file__).read_text(encoding="utf-8")
    return [text.replace('"\n                    "', ""), text.replace("\\n", "\n").replace("\\t", "\t")]


def test_english_is_left_to_click():
    assert "Usage: unransom" in unransom("list", "--help").stdout
    assert gettext.gettext("Options") == "Options"
