"""The step: one output in, the verdict on it out, with the check that says so and its reason."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.core.context import Context
from unransom.core.messages import say
from unransom.core.records import Delivery, Grade, Record, Verdict

STRENGTH = {32: 128, 40: 160, 64: 256}  # bits of a digest by its hexadecimal digits


def run(delivery: Delivery, context: Context) -> Iterator[Record]:
    """Yield the verdict on an output; a manifest outranks everything that the output says of itself."""
    del context
    output = delivery.output
    if not delivery.expected:
        check = "structure" if output.format else "key" if output.grade is Grade.UNKNOWN else "tag"
        yield Verdict(item=delivery.ref.id, grade=output.grade, check=check, bits=output.bits, why=output.why)
        return
    digests = output.digests
    found = {32: digests.md5, 64: digests.sha256}.get(len(delivery.expected), "")
    if found == delivery.expected:
        yield Verdict(
            item=delivery.ref.id,
            grade=Grade.GOOD,
            check="manifest",
            bits=STRENGTH[len(found)],
            why=say("the hash agrees with {manifest}", manifest=delivery.manifest),
        )
        return
    yield Verdict(
        item=delivery.ref.id,
        grade=Grade.BAD,
        check="manifest",
        why=say(
            "{manifest} promises {expected}, the output has {found}",
            manifest=delivery.manifest,
            expected=delivery.expected,
            found=found,
        ),
    )
