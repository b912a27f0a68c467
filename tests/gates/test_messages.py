"""Every sentence for people has its Chinese translation with the same values, and none is left over."""

import ast
import re
import string
import tomllib
from pathlib import Path

from unransom.catalog.formats import FORMATS
from unransom.catalog.losses import LOSSES
from unransom.evidence import STORES

SOURCE = Path("src/unransom")
CATALOGUES = sorted((SOURCE / "core/locale/zh").glob("*.toml"))
ONE_WORD = {"案例": "案件", "例：": "示例：", "被锁": "被加密"}
CLICK_WRITES_A_COLON = "用法:"  # and so behind each other heading of its help


def spoken():
    """Yield each template with the place it is used at."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"say", "t"} and node.args:
                place = f"{path}:{node.lineno}"
                if place.startswith(("src/unransom/cli/speech.py", "src/unransom/core/messages.py")):
                    continue
                assert isinstance(node.args[0], ast.Constant), f"{place}: the template is no literal"
                yield node.args[0].value, place, {keyword.arg for keyword in node.keywords}
            if isinstance(node, ast.keyword) and node.arg == "limitations":
                for each in getattr(node.value, "elts", ()):
                    yield each.value, f"{path}:{each.lineno}", set()
    for each in (*FORMATS, *LOSSES, *STORES):
        yield str(each.title), f"the title of {each.name}", set()


def fields(template):
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def translations():
    merged = {}
    for path in CATALOGUES:
        for template, translation in tomllib.loads(path.read_text()).items():
            assert merged.setdefault(template, translation) == translation, f"{path}: two for {template!r}"
    return merged


def test_every_template_is_translated_with_the_same_values():
    known = translations()
    missing = sorted({f"{template!r} ({place})" for template, place, _ in spoken() if template not in known})
    assert not missing, "\n".join(missing)
    for template in known:
        assert fields(known[template]) == fields(template), template


def test_every_template_gets_the_values_it_asks_for():
    for template, place, values in spoken():
        if None not in values:  # **values cannot be read here
            assert fields(template) == values, f"{place}: {template!r}"


def test_no_translation_is_left_over():
    used = {template for template, _, _ in spoken()}
    assert not sorted(set(translations()) - used)


def test_chinese_sentences_have_chinese_marks_and_one_word_for_a_thing():
    wrong = []
    for template, said in translations().items():
        bare = re.sub(r"`[^`]*`", "", said)
        if template.endswith(".") and not template.endswith("...") and said[-1] not in "。…":
            wrong.append(f"no full stop: {said}")
        if re.search(r"[\u4e00-\u9fff}）][,;!?]|[\u4e00-\u9fff][:(]|[,;:!?)] ?[\u4e00-\u9fff]", bare):
            wrong.append(f"a half-width mark: {said}")
        wrong += [
            f"{word} for {better}: {said}"
            for word, better in ONE_WORD.items()
            if word in said.replace(better, "")
        ]
    assert wrong == [f"a half-width mark: {CLICK_WRITES_A_COLON}"]
