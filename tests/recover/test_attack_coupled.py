"""What two coupled times would cost is said, for the files that need it and for no others."""

import pytest

from tests.fixtures.attacking import Evidence
from tests.lockers import drawn
from unransom.recover.keys.attacks import coupled
from unransom.report.figures import duration


def planned(name, family="akira2"):
    evidence = Evidence({name: drawn(name, 5000)})
    target = evidence.target(family)
    return coupled.plan(target, evidence.context)


def test_the_cost_of_a_millisecond_is_told():
    plan = planned("disk.vmdk.akira")
    assert plan.shards == 0
    assert plan.candidates == 3_500_000 * 1_000_000
    assert plan.seconds > 10**6  # weeks of one core
    assert "hours of one core" in str(plan.why)
    assert "graphics card" in str(plan.helps)
    assert duration(plan.seconds)


@pytest.mark.parametrize(("name", "family"), [("a.zq", "akira2"), ("a.akira", "akira"), ("a.akira", "")])
def test_other_files_have_no_such_plan(name, family):
    assert planned(name, family) is None
