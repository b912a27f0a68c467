"""The step: a part of a search in, the keys that it proves out."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.core.context import Context
from unransom.core.records import Record
from unransom.core.searches import Shard
from unransom.recover.keys.attacks import attack


def run(shard: Shard, context: Context) -> Iterator[Record]:
    """Yield what the attack of ``shard`` finds in it."""
    yield from attack(shard.plan.attack).search(shard, context)
