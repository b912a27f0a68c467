"""What an attack on keys is to unransom."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from unransom.core.context import Context
from unransom.core.messages import Message
from unransom.core.records import Record
from unransom.core.searches import AttackPlan, Shard, Target


class Attack(msgspec.Struct, frozen=True):
    """A way to a key that nobody handed over.

    Attributes:
        name: Lower-case short name, the same as its module's.
        title: What people call it.
        weakness: Which flaw it needs, as in the taxonomy: ``T1`` to ``T19``.
        plan: Takes a target; returns what the attack would cost and promises, with no shards and the
            reason where it cannot be tried on it, or None where it has nothing to say about such files.
            May read the files; takes seconds at most.
        search: Takes a shard; yields every key that it proves as ``KeyFound`` with its ``Secret``, families
            that it describes, findings, and one ``Searched`` at its end.
        references: Where the flaw or the method is written down.
        limitations: What is not supported.
        apart: Of a search for each file: files differ in what is known of them, so one that does not give
            way says nothing about the others. Where the first shard of a stage tries nothing, no other of
            the stage would on that file.
    """

    name: str
    title: Message
    weakness: str
    plan: Callable[[Target, Context], AttackPlan | None]
    search: Callable[[Shard, Context], Iterator[Record]]
    references: tuple[str, ...]
    limitations: tuple[str, ...] = ()
    apart: bool = False
