"""``report.html``: one file that needs nothing else, for people, on a screen or on paper.

The page holds no script, and its content security policy forbids scripts, remote fonts and pictures
from elsewhere; so even a name out of the evidence that got past the escaping could do nothing.
"""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from unransom.core.messages import Message, translated
from unransom.report import charts, figures, labels
from unransom.report.document import Result, Timeline

PICTURE = re.compile(r"data:image/jpeg;base64,[A-Za-z0-9+/=]+")
HTML_LANGUAGES = {"en": "en", "zh": "zh-CN"}
ATTACK_SIGNS = {"found": "✓", "searched": "✕", "stopped": "…", "waiting": "…", "ruled_out": "–"}
ATTACK_BADGES = {"found": "found", "searched": "refused", "stopped": "unproven", "waiting": "unproven"}
OUTCOME_SIGNS = {"found": "✓", "refused": "✕", "unproven": "?", "none": "–"}
SHOWN = SimpleNamespace(
    sources=50,
    families=40,
    attacks=60,
    timelines=12,
    partial_files=25,
    repaired_files=25,
    losses=40,
    lost=20,
    notes=20,
    spaces=12,
    problems=20,
    formats=40,
    steps=40,
)  # entries of each list on the page; the rest is counted


def render(result: Result, language: str = "en") -> str:
    """Return the page in ``language``; its size is bounded whatever the document holds."""
    return (
        _environment(language)
        .get_template("report.html.j2")
        .render(
            result=result,
            headline=labels.headline(result),
            histograms=charts.histograms(result.timelines[: SHOWN.timelines]),
            speeds=_in_order(result.timelines)[: SHOWN.timelines],
            file_segments=charts.segments(result.counts.by_state(), labels.STATES),
            size_segments=charts.segments(result.sizes.by_state(), labels.STATES),
            origin_segments=charts.segments(result.origins.by_origin(), labels.ORIGINS),
            grade_segments=charts.segments(result.verdicts.by_grade(), labels.GRADES),
            outputs=sum(result.verdicts.by_grade().values()),
            keys=sorted({key.fingerprint for family in result.families for key in family.keys}),
        )
    )


def _in_order(timelines: Sequence[Timeline]) -> list[Timeline]:
    """Return the sources in the order in which they were locked, without those of which it is not known."""
    return sorted((each for each in timelines if each.order), key=lambda each: each.order)


def _picture(address: str) -> Markup:
    """Return the address of a picture that is in itself, as it stands; nothing for any other."""
    return Markup(address if PICTURE.fullmatch(address) else "")  # noqa: S704  only letters that need no escape


@functools.cache
def _environment(language: str) -> Environment:
    """Return the templates' surroundings for ``language``."""

    def finalize(value: Any) -> Any:
        """Return what stands in the page for ``value``; escaping comes after this."""
        if isinstance(value, Message):
            value = value.render(language)
        return figures.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        autoescape=True,
        finalize=finalize,
        keep_trailing_newline=True,
        loader=PackageLoader("unransom.report"),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "number": figures.count,
        "size": figures.size,
        "rate": figures.rate,
        "duration": figures.duration,
        "moment": figures.moment,
        "quote": shlex.quote,
        "picture": _picture,
        "translated": functools.partial(translated, language=language),
    }
    environment.globals |= {
        "language": HTML_LANGUAGES[language],
        "t": SimpleNamespace(**labels.LABELS),
        "states": labels.STATES,
        "holdings": labels.HOLDINGS,
        "origins": {origin.value: label for origin, label in labels.ORIGINS.items()},
        "outcomes": labels.OUTCOMES,
        "outcome_signs": OUTCOME_SIGNS,
        "attack_outcomes": labels.ATTACKS,
        "attack_signs": ATTACK_SIGNS,
        "attack_badges": ATTACK_BADGES,
        "searched": labels.searched,
        "cost": lambda each: labels.cost(each.seconds, each.cost, lambda message: message.render(language)),
        "kinds": labels.KINDS,
        "problem_titles": labels.PROBLEMS,
        "steps": labels.STEPS,
        "other_problems": labels.OTHER_PROBLEMS,
        "shown": SHOWN,
        "more": labels.more,
        "lost_of": labels.lost,
        "share": figures.share,
        "strip": charts.strip,
        "spent": labels.spent,
        "whole_of": labels.whole_of,
    }
    return environment
