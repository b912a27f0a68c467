"""What the attacks on keys came to stands in the page and in the summary, in every language."""

import re

import pytest

from unransom.core.messages import say
from unransom.report import html, text
from unransom.report.attacks import AttackFacts, CostFacts
from unransom.report.document import CaseFacts, Result

LEFT = say(
    "{count} searches are not done; a larger --budget goes on with them. They take {hours} hours"
    " of one core or more, and the likeliest of them finds a key in {percent} of 100 cases.",
    count=1,
    hours="3.7",
    percent="2",
)
FACTS = (
    AttackFacts(
        attack="seeds",
        title=say("Seeds of weak generators"),
        weakness="T5",
        family="prometheus",
        family_title="Prometheus",
        outcome="stopped",
        each=True,
        candidates=1 << 31,
        seconds=229.0,
        cost=CostFacts(cores=2, seconds_here=114.5, machines=10, seconds_together=11.45),
        tried=1_000_000,
        done=0.25,
        chance=0.02,
        why=say("its keys are drawn from a generator with {count} seeds", count=1 << 31),
    ),
    AttackFacts(
        attack="keystream",
        title=say("{name}", name="<b>One keystream</b>"),
        weakness="T1",
        outcome="ruled_out",
        why=say("no two of {count} files are under one keystream, as far as their heads show", count=12),
        helps=say("one plain copy of a locked file, the larger the better"),
    ),
)


def shown(render, facts=FACTS, language="en", **fields):
    result = Result(version="1", created="", case=CaseFacts(name="c"), command="x", attacks=facts, **fields)
    return re.sub(r"\s+", " ", render(result, language))


@pytest.mark.parametrize("render", [text.render, html.render])
def test_a_search_that_is_left_is_told_with_what_helps(render):
    page = shown(render, attacks_verdict=LEFT, attacks_total=2)
    assert "They take 3.7 hours of one core or more" in page
    assert "begun, not done" in page
    assert "this machine, 2 cores: 1 min 54 s; 10 machines like it: 11 s" in page
    assert "its keys are drawn from a generator with 2147483648 seeds" in page
    assert "one plain copy of a locked file, the larger the better" in page
    assert "<b>One keystream</b>" not in page


def test_the_page_has_cost_chance_and_what_is_ruled_out():
    page = shown(html.render, attacks_total=7)
    assert "1,000,000 keys tried, 25.0 % of the search done" in page
    assert "3 min 49 s" in page
    assert "2.0 %" in page
    assert "no two of 12 files are under one keystream" in page
    assert "and 5 more" in page


@pytest.mark.parametrize("render", [text.render, html.render])
def test_both_languages(render):
    page = shown(render, language="zh", attacks_verdict=LEFT)
    assert "对密钥的攻击" in page
    assert "已开始，未完成" in page
    assert "一个被加密文件的未加密副本" in page


@pytest.mark.parametrize("render", [text.render, html.render])
def test_without_attacks_nothing_is_told(render):
    assert "Attacks on the keys" not in shown(render, facts=())
