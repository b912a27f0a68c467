"""Coupled times: the second Akira draws key and IV from two clocks of nanoseconds, one behind the other.

Each time is hashed 1,500 times, so a table of what all times give is made once; then every key is tried with
the IVs of the times that may follow it. ``crypto.search.pairs`` does that. What it costs is beyond processors
as long as the times are not known to some microseconds, which no file system tells: the plan says the cost.
"""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.families import akira2
from unransom.core.context import Context
from unransom.core.messages import say
from unransom.core.records import Record
from unransom.core.searches import AttackPlan, Searched, Shard, Target
from unransom.crypto.generators import generator
from unransom.recover.keys.attacks.attack import Attack

NAME = "coupled"
MILLISECOND = 1_000_000  # nanoseconds
GAPS = 3_500_000  # nanoseconds by which the IV's time may differ: 1.5 to 5 milliseconds after the key's
PAIRS_PER_SECOND = 2e6  # that one core tries under KCipher-2
HOUR = 3600.0


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Return what each millisecond costs in which the keys of a file may have been drawn."""
    del context
    named = any(akira2.FAMILY.original_name(ref.path) for ref in target.samples)
    if target.family != akira2.FAMILY.name or not named:  # its tail alone says nothing
        return None
    pairs = MILLISECOND * GAPS
    table = (MILLISECOND + GAPS) / generator("yarrow256").per_second
    seconds = table + pairs / PAIRS_PER_SECOND
    return AttackPlan(
        attack=NAME,
        family=target.family,
        each=True,
        candidates=pairs,
        seconds=seconds,
        why=say(
            "its key and IV are drawn from two times in nanoseconds, which are not known closely enough:"
            " {pairs} pairs of times for each millisecond take {hours} hours of one core here",
            pairs=pairs,
            hours=round(seconds / HOUR),
        ),
        helps=say(
            "a graphics card, the time to the millisecond from the machine's log, and a program for it:"
            " akira-bruteforce"
        ),
    )


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Search nothing: its plan has no shards."""
    del context
    yield Searched(attack=NAME, family=shard.target.family, item=0, shard=shard.number, candidates=0)


ATTACK = Attack(
    name=NAME,
    title=say("Keys drawn from two times in nanoseconds"),
    weakness="T6",
    plan=plan,
    search=search,
    references=(
        "https://github.com/yohanes/akira-bruteforce",
        "https://tinyhack.com/2025/03/13/decrypting-encrypted-files-from-akira-ransomware-linux-esxi-variant-2024-using-a-bunch-of-gpus/",
    ),
    limitations=("Its cost is told; the search itself needs a graphics card, which is not used.",),
)
