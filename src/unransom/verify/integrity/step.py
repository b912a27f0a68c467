"""The step: one output in, the verdict on it out, with the check that says so and its reason."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.core.context import Context
from unransom.core.records import Delivery, Grade, Record, Verdict
from unransom.verify.integrity.manifest import verdict_on


def run(delivery: Delivery, context: Context) -> Iterator[Record]:
    """Yield the verdict on an output; a manifest outranks everything that the output says of itself."""
    del context
    output, item = delivery.output, delivery.ref.id
    if delivery.expected:
        yield verdict_on(output.digests, delivery.expected, delivery.manifest, item)
        return
    check = "structure" if output.format else "key" if output.grade is Grade.UNKNOWN else "tag"
    yield Verdict(item=item, grade=output.grade, check=check, bits=output.bits, why=output.why)
