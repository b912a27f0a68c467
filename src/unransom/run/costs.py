"""What a search takes on this machine, and on several machines like it."""

from __future__ import annotations

import os

from unransom.core.searches import AttackPlan
from unransom.report.attacks import CostFacts

MACHINES = 10  # that a cost is told for where nobody says how many there are


def cost_of(plan: AttackPlan, machines: int = MACHINES) -> CostFacts | None:
    """Return the cost of ``plan`` on this machine and on ``machines`` like it, None where it is ruled out.

    A search is never cut finer than its shards: one of a single shard gains nothing from more cores.
    """
    if not plan.shards:
        return None
    cores = len(os.sched_getaffinity(0))
    return CostFacts(
        cores=cores,
        seconds_here=plan.seconds / min(cores, plan.shards),
        machines=machines,
        seconds_together=plan.seconds / min(cores * machines, plan.shards),
    )
