"""What nobody can bring back stands in the page and in the summary, with its reasons and references."""

import re

import pytest

from tests.report import sample_results
from unransom.core.messages import say
from unransom.report import html, text
from unransom.report.document import CaseFacts, LostFacts, Result

REASON = say(
    "Azov overwrites every second 666 bytes with noise that depends on nothing: there is no key for them"
)


def result(*losses):
    return Result(version="1", created="", case=CaseFacts(name="c"), command="x", losses=losses)


def group(**fields):
    given = {"rule": "azov", "title": "Azov wiper", "reason": REASON, "files": 7, "size": 3_000_000}
    references = ("https://example.org/azov",)
    return LostFacts(**(given | {"references": references, "examples": ("s:a.pdf.azov",)} | fields))


@pytest.mark.parametrize("render", [text.render, html.render])
def test_what_is_lost_is_told_with_reason_reference_and_example(render):
    shown = re.sub(r"\s+", " ", render(result(group())))
    assert "do not pay for these, no key can bring them back" in shown
    assert "Azov wiper · files: 7 · gone: 3.00 MB" in shown
    assert "there is no key for them" in shown
    assert "https://example.org/azov" in shown
    assert "s:a.pdf.azov" in shown
    assert "May be lost" not in shown


@pytest.mark.parametrize("render", [text.render, html.render])
def test_a_warning_stands_by_itself(render):
    shown = re.sub(r"\s+", " ", render(result(group(proven=False, size=0))))
    assert "May be lost" in shown
    assert "Azov wiper · files: 7" in shown
    assert "do not pay for these" not in shown


@pytest.mark.parametrize("render", [text.render, html.render])
def test_nothing_is_said_where_nothing_is_lost(render):
    shown = render(result())
    assert "do not pay" not in shown
    assert "May be lost" not in shown


def test_the_sentences_are_said_in_chinese():
    shown = text.render(result(group(), group(proven=False)), "zh")
    assert "不要为它们付款" in shown
    assert "可能已丢失" in shown
    assert "没有密钥可言" in shown.replace("\n", "").replace(" ", "")


def test_the_page_stays_bounded_and_hostile_names_stay_text():
    bad = sample_results.HOSTILE
    groups = [group(rule=bad, title=bad, references=(bad,) * 99, examples=(bad,) * 9)] * 500
    page = html.render(result(*groups))
    assert len(page) < 200_000
    assert "<script>" not in page
    assert len(text.render(result(*groups)).splitlines()) < 200
