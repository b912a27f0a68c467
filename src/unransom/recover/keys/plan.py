"""The step: locked files of one kind in, what each attack on them would cost and promises out."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.core.context import Context
from unransom.core.records import Record
from unransom.core.searches import Target
from unransom.recover.keys.attacks import ATTACKS


def run(target: Target, context: Context) -> Iterator[Record]:
    """Yield the plan of every attack that has something to say about ``target``."""
    for attack in ATTACKS:
        plan = attack.plan(target, context)
        if plan:
            yield plan
