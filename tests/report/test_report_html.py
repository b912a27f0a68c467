"""The page: well formed, offline, bounded, in both languages, and never a stage for what evidence says."""

import re
import string
from html.parser import HTMLParser

import msgspec
import pytest

from tests.report import sample_results
from unransom.core.messages import say
from unransom.core.records import State
from unransom.report import figures, html, labels
from unransom.report.document import CaseFacts, FamilyFacts, LossGroup, Result
from unransom.report.tallies import Counts

VOID = {"meta", "link", "br", "img", "hr", "input"}
SAMPLES = [sample_results.ordinary, sample_results.empty, sample_results.hostile]


class Page(HTMLParser):
    """A page taken apart: its tags, attributes, texts by class, and whether every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, str]] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):
            self.open.append((tag, dict(attrs).get("class") or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and self.open:
            self.texts.append((self.open[-1][0], data.strip()))

    def words(self) -> str:
        return " ".join(text for tag, text in self.texts if tag != "style")


def page_of(result: Result, language: str = "en") -> Page:
    return Page(html.render(result, language))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("sample", SAMPLES)
def test_every_tag_is_closed_and_the_language_is_said(sample, language) -> None:
    page = page_of(sample(), language)
    assert page.open == []
    assert ("html", "lang", html.HTML_LANGUAGES[language]) in page.attributes


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_page_needs_nothing_and_runs_nothing(sample) -> None:
    page = page_of(sample())
    assert not {"script", "img", "link", "iframe", "object", "a", "form"} & set(page.tags)
    assert not [attribute for attribute in page.attributes if attribute[1].startswith("on")]
    assert not [attribute for attribute in page.attributes if attribute[1] in {"src", "href", "srcset"}]
    (policy,) = [value for tag, name, value in page.attributes if name == "content" and "-src" in value]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
    urls = re.findall(r"url\(([^)]*)\)|@import", html.render(sample()))
    assert all(url.startswith("#") for url in urls)


def test_what_evidence_says_stays_text() -> None:
    page = page_of(sample_results.hostile())
    shown = sample_results.HOSTILE.replace("\x1b", "\\x1b").replace("\u202e", "\\x202e")
    shown = shown.replace("\udcff", "\\xdcff")
    assert page.words().count(shown) > 15
    styles = [value for _, name, value in page.attributes if name in {"style", "class"}]
    assert not [value for value in styles if "script" in value or "alert" in value]
    text = html.render(sample_results.hostile())
    assert text.encode()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)


def test_the_counts_stand_as_an_equation() -> None:
    words = " ".join(page_of(sample_results.ordinary()).words().split())
    assert (
        "1,204,881 in all = 792,610 intact + 408,112 recovered + 731 recovered in part + 2,163 lost"
        " + 1,000 unknown + 251 skipped + 14 failed" in words
    )
    assert "4,673,265,213,472 B in all = 3,104,551,870,221 B intact" in words
    assert "≠" not in words


def test_counts_that_do_not_add_up_raise_the_alarm() -> None:
    result = Result(
        version="1", created="", case=CaseFacts(name="x"), command="", counts=Counts(total=9, intact=8)
    )
    page = page_of(result)
    assert "≠" in page.words()
    assert ("p", "role", "alert") in page.attributes


@pytest.mark.parametrize("sample", [sample_results.ordinary, sample_results.empty])
def test_chinese_pages_have_no_english_label(sample) -> None:
    words = page_of(sample(), "zh").words()
    every = [*labels.LABELS.values(), *labels.STATES.values(), *labels.ORIGINS.values()]
    every += [*labels.GRADES.values(), *labels.OUTCOMES.values(), *labels.PROBLEMS.values()]
    english = {message.text for message in every if len(message.text) > 4}
    evidence = {"Files", "unknown"}  # words of the sample's own sentences
    found = {text for text in english if re.search(rf"(?<![\w/-]){re.escape(text)}(?![\w/-])", words)}
    assert found <= evidence
    assert labels.LABELS["accounts"].render("zh") in words


def test_a_huge_document_gives_a_bounded_page() -> None:
    text = html.render(sample_results.huge())
    assert len(text) < 4_000_000
    words = Page(text).words()
    assert "and 1,960 more" in words
    assert "68,000,000,001 in all" in " ".join(words.split())
    assert "> 99.99 %" in words


def test_an_unknown_outcome_and_code_are_no_class_names() -> None:
    page = page_of(sample_results.hostile())
    classes = {
        name for _, attribute, value in page.attributes if attribute == "class" for name in value.split()
    }
    assert all(set(name) <= set(string.ascii_lowercase + "-") for name in classes)
    assert "k-none" in classes


def test_nothing_is_said_to_be_missing_only_where_nothing_is() -> None:
    base = {"version": "1", "created": "", "case": CaseFacts(name="x"), "command": ""}
    nothing = labels.LABELS["nothing_missing"].text
    assert nothing in page_of(Result(**base, counts=Counts.of({State.RECOVERED: 3}))).words()
    assert nothing not in page_of(Result(**base, counts=Counts.of({State.LOST: 3}))).words()
    assert nothing not in page_of(Result(**base)).words()
    loss = LossGroup(state=State.LOST, reason=say("gone"), files=3)
    listed = page_of(Result(**base, counts=Counts.of({State.LOST: 3}), not_recovered=(loss,))).words()
    assert nothing not in listed
    assert "gone" in listed


def test_the_deadline_and_the_commands_to_verify() -> None:
    words = page_of(sample_results.ordinary()).words()
    assert "12.7 h of 48 h" in words
    assert "unransom case verify /cases/acme-2026-03" in words
    hostile = page_of(
        Result(version="1", created="", case=CaseFacts(name="x", folder="/a b; rm"), command="")
    ).words()
    assert "case verify '/a b; rm'" in hostile
    assert "--case '/a b; rm'" in hostile  # of `files`


@pytest.mark.parametrize(
    ("ends", "carved", "sentence"),
    [
        ({}, 0, "No files were found in the evidence."),
        ({State.INTACT: 2_000}, 0, "No locked files were found among 2,000."),
        (
            {State.INTACT: 9, State.RECOVERED: 1},
            1,
            "No locked files were found among 10; deleted files that came back: 1.",
        ),
        ({State.RECOVERED: 1}, 0, "The one locked file came back whole."),
        ({State.RECOVERED: 2, State.INTACT: 1}, 0, "All 2 locked files came back whole."),
        ({State.LOCKED: 1}, 0, "The one locked file has not come back."),
        ({State.LOCKED: 5_000}, 0, "None of the 5,000 locked files has come back."),
        ({State.RECOVERED: 2, State.LOST: 1}, 0, "2 of 3 locked files came back whole."),
        ({State.RECOVERED: 3, State.LOST: 1}, 1, "2 of 3 locked files came back whole."),
        ({State.RECOVERED: 2, State.PARTIAL: 1}, 0, "2 of 3 locked files came back whole, 1 in part."),
    ],
)
def test_the_headline(ends, carved, sentence) -> None:
    counts = Counts.of(ends, carved)
    result = Result(version="1", created="", case=CaseFacts(name="x"), command="", counts=counts)
    assert labels.headline(result).render("en") == sentence
    assert sentence in page_of(result).words()
    assert re.search("[一-鿿]", labels.headline(result).render("zh"))


def test_family_cards_say_what_is_needed() -> None:
    words = page_of(sample_results.ordinary()).words()
    assert "The attackers' RSA-1024 private key for the identifier 1E857D00-3351" in words
    assert "proven key found" in words
    assert "9f13c2aa01b7d4e6" in words
    assert "48.0 %" in words
    many = Result(
        version="1",
        created="",
        case=CaseFacts(name="x"),
        command="",
        families=tuple(FamilyFacts(name=f"f{number}", title=f"Family {number}") for number in range(55)),
    )
    assert "and 15 more" in page_of(many).words()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_order_and_the_speed_of_the_locking_are_told(language: str) -> None:
    """Each source once, the first one locked at the top, with hostile names of folders as text."""
    result = sample_results.ordinary()
    timelines = tuple(
        msgspec.structs.replace(
            each, order=2 - number, files_per_second=1930.4 / 60, bytes_per_second=2.5e9 / 60, folders=names
        )
        for number, (each, names) in enumerate(
            zip(result.timelines, [("data", "<b>x"), ("www",)], strict=False)
        )
    )
    page = html.render(msgspec.structs.replace(result, timelines=timelines), language)
    assert labels.LABELS["folders_in_order"].render(language) in page
    assert "1,930" in page
    assert "2,500" in page  # per minute
    assert page.index("<td>esx02</td>") < page.index("<td>file01</td>")
    assert "<code>&lt;b&gt;x</code>" in page
    assert "<b>x" not in page


def test_what_free_space_holds_is_a_table_that_adds_up() -> None:
    result = sample_results.ordinary()
    (space,) = result.spaces
    assert sum(space.holds.by_class().values()) == space.searched
    for language in ("en", "zh"):
        words = page_of(result, language).words()
        for name, size in space.holds.by_class().items():
            said = f"{labels.HOLDINGS[name].render(language)} {figures.size(size)}"
            assert (said in words) == bool(size)
    assert labels.LABELS["spaces"].text not in page_of(sample_results.empty()).words()
