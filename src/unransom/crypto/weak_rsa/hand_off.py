"""Numbers that a factoring program has to take: what that would cost, and the file to give it."""

from __future__ import annotations

import math

from unransom.core.messages import Message, say

# The number field sieve on one core: RSA-512 took some 2,800 to 6,000 core hours with CADO-NFS.
MEASURED_BITS, MEASURED_HOURS = 512, 4000.0
FEASIBLE_HOURS = 100_000.0  # some weeks on a rented cluster


def core_hours(bits: int) -> float:
    """Return what factoring a number of ``bits`` costs, from the sieve's asymptotic growth, in core hours.

    It is right within a factor of some three from 400 to 830 bits.
    """
    return MEASURED_HOURS * math.exp(_growth(max(bits, 64)) - _growth(MEASURED_BITS))


def _growth(bits: int) -> float:
    """Return the logarithm of the number field sieve's cost."""
    size = bits * math.log(2)
    return float((64 / 9 * size * math.log(size) ** 2) ** (1 / 3))


def advice(modulus: int) -> Message:
    """Return what can be said about factoring ``modulus`` by force."""
    bits = modulus.bit_length()
    hours = core_hours(bits)
    if hours > FEASIBLE_HOURS:
        return say("RSA-{bits} cannot be factored by force", bits=bits)
    return say(
        "RSA-{bits} can be factored by force: some {hours} core hours with CADO-NFS",
        bits=bits,
        hours=f"{max(hours, 0.1):,.1f}" if hours < 10 else f"{hours:,.0f}",
    )


def hand_off(modulus: int, comment: str = "") -> str:
    """Return the text of a file that CADO-NFS, msieve and GGNFS take.

    Args:
        modulus: The number.
        comment: What it is, for people; a line.
    """
    lines = [f"# {comment.splitlines()[0]}"] if comment else []
    return "\n".join([*lines, f"n: {modulus}", ""])
