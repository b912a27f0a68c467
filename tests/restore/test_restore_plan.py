"""Plans and priorities: what fits where, what is refused, and input that was never written by us."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.restore.made_case import DAY, NEW_YEAR, make_case, unransom
from unransom.core.errors import UnransomError, UsageError
from unransom.restore.moving.place import Throttle
from unransom.restore.moving.plan import KIND, OUT, Batch, Entry, Head, Plan, texts, write_plan
from unransom.restore.moving.priority import Priorities, fits, in_batches, load_priorities
from unransom.restore.moving.targets import location_of

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def entry(path, size=10, day=0, batch=1):
    return Entry(batch, path, f"recovered/{path}", size, "0" * 64, modified=NEW_YEAR + day * DAY)


def batched(rules, *entries):
    batches, ordered = in_batches(entries, load_priorities(rules.encode()), NOW)
    paths = {batch.name: [each.path for each in ordered if each.batch == batch.number] for batch in batches}
    assert [batch.files for batch in batches] == [len(each) for each in paths.values()]
    return paths


@pytest.mark.parametrize(
    ("glob", "path", "found"),
    [
        ("*.jpg", "a/b/c.jpg", True),
        ("*.jpg", "c.jpg", True),
        ("a/*.jpg", "a/b/c.jpg", False),
        ("a/**/*.jpg", "a/c.jpg", True),
        ("a/**", "a/b/c.jpg", True),
        ("/a/?/c.jpg", "a/b/c.jpg", True),
        ("a/b", "a/b/c.jpg", False),
        ("[x].jpg", "[x].jpg", True),
        ("*.jpg", "c.jpg\n", False),
    ],
)
def test_patterns(glob, path, found):
    assert fits(path, [glob]) is found


def test_rules_go_by_path_shop_age_and_size():
    rules = (
        '[[batch]]\nname = "de"\nshops = ["amazon-de"]\nfirst = "largest"\n'
        '[[batch]]\nname = "own part"\nshops = ["Web7"]\n'
        '[[batch]]\nname = "recent"\nnewer = 30\n'
        '[[batch]]\nname = "old and small"\nolder = 2026-01-10\nsmaller = 10\nfirst = "newest"\n'
        '[[batch]]\nname = "heavy"\nlarger = 100\nmost_size = 250\n'
        '[shops]\namazon-de = ["export/de/**"]\n'
    )
    found = batched(
        rules,
        *(entry("export/de/a", 5), entry("export/de/b", 7), entry("x/web7/a"), entry("x/web70/a", 50, 40)),
        *(entry("new", day=170), entry("o1", 10, 1), entry("o2", 9, 2), entry("o3", 11, 3)),
        *(entry("h1", 100), entry("h2", 150), entry("h3", 600), entry("out", batch=OUT)),
    )
    assert found == {
        "de": ["export/de/b", "export/de/a"],
        "own part": ["x/web7/a"],
        "recent": ["new"],
        "old and small": ["o2", "o1"],
        "heavy 1/2": ["h1", "h2"],
        "heavy 2/2": ["h3"],
        "everything else": ["o3", "x/web70/a"],
    }
    assert batched("", entry("b"), entry("a")) == {"all": ["a", "b"]}
    assert batched("", entry("b", batch=OUT)) == {}


@pytest.mark.parametrize(
    "text",
    [
        *(b"[[batch]]", b"[[batch]]\nname='a'\ntypo=1", b"[[batch]]\nname='a'\nfirst='never'"),
        *(b"\xff", b"[[batch", b"[[batch]]\nname='a'\nmost_files=0"),
    ],
)
def test_rules_that_make_no_sense_are_told(text):
    with pytest.raises(UsageError):
        load_priorities(text)


@pytest.mark.parametrize("text", ["ftp://host/x", "s3://", "http://host", "mysql://a:b@c/d", "sqlite:///x"])
def test_targets_of_no_known_kind_are_told(text):
    with pytest.raises(UsageError):
        location_of(text)


def written(path, *entries):
    write_plan(path, Head(KIND, 1, "made", "/mnt", (Batch(1, "all", len(entries), 0),)), entries)
    return path


def test_a_plan_comes_back_as_it_was_written(tmp_path):
    raw = b"a/\xff\xfe"
    text, encoded = texts(raw, "a/odd")
    entries = [entry("目录/a"), Entry(1, text, text, 1, "0" * 64, path_b64=encoded, source_b64=encoded)]
    plan = Plan(written(tmp_path / "plan", *entries))
    assert [each for _, each in plan.entries()] == entries
    assert next(reversed(list(plan.entries())))[1].target == raw
    assert plan.id == Plan(written(tmp_path / "again", *entries)).id
    with pytest.raises(UnransomError, match="no batch 2"):
        plan.batch(2)


@pytest.mark.parametrize("path", ["../a", "/a", "a/../b", "", "a//b", "CON", "a/\\b", "a\nb"])
def test_a_path_that_leads_elsewhere_is_refused(tmp_path, path):
    with pytest.raises(UnransomError):
        Plan(written(tmp_path / "plan", Entry(1, path, "recovered/a", 1, "0" * 64)))
    with pytest.raises(UnransomError):
        Plan(written(tmp_path / "plan", Entry(1, "a", path, 1, "0" * 64)))


@given(st.data())
def test_a_damaged_plan_never_crashes_and_is_never_taken(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "fuzzed"
    whole = bytearray(written(path, entry("a"), entry("b")).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(whole[: data.draw(st.integers(len(whole) // 2, len(whole)))])
    before = Plan(written(path.with_name("sound"), entry("a"), entry("b"))).id
    try:
        plan = Plan(path)
    except UnransomError:
        return
    assert plan.id == before  # a byte was changed and changed back


@given(st.binary(max_size=300))
def test_what_is_no_plan_is_told(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "noise"
    path.write_bytes(content)
    with pytest.raises(UnransomError):
        Plan(path)
    path.write_text(json.dumps({"plan": "unransom fill"}) + "\n")
    with pytest.raises(UnransomError):
        Plan(path)


def test_the_throttle_shares_its_rate():
    waits = []
    throttle = Throttle(1000, waits.append)
    for _ in range(5):
        throttle(500)
    assert sum(waits) == pytest.approx(0.5 + 1 + 1.5 + 2, abs=0.2)
    Throttle(0, waits.append)(10**12)
    assert len(waits) == 4


def test_no_rules_are_rules_too():
    assert load_priorities(b"") == Priorities()


def test_a_target_that_is_not_there_changes_no_plan(tmp_path):
    case = make_case(tmp_path / "case", {b"a.jpg": b"a"})
    (tmp_path / "share").mkdir()
    unransom("restore", "plan", "--case", case, "--to", tmp_path / "share")
    before = (case / "restore/plan.jsonl").read_bytes()
    assert "no folder" in unransom("restore", "plan", "--case", case, "--to", tmp_path / "none", code=2)
    assert (case / "restore/plan.jsonl").read_bytes() == before
    unransom("restore", "apply", "--case", case)
    assert "undone; 0 of 1" in unransom("restore", "undo", "--case", case)
