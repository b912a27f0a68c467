"""``unransom selftest``: known answers before real work."""

from __future__ import annotations

import click

from unransom.cli.speech import t
from unransom.core.errors import EXIT_DONE, VerificationError

EXPECTED = 51  # known answers; a primitive that is silently left out is a failure too


@click.command(help=t("Check known answers of every cipher."), epilog=t("Example: unransom selftest"))
def command() -> int:
    """Compute every known answer and print a line for each."""
    from unransom.crypto.answers import ANSWERS

    wrong = 0
    for known in ANSWERS:
        right = known.compute() == known.answer
        wrong += not right
        print(f"{'ok' if right else 'WRONG':<6} {known.name}  ({known.source})")
    print(t("{right} of {expected} known answers are right", right=len(ANSWERS) - wrong, expected=EXPECTED))
    return EXIT_DONE if not wrong and len(ANSWERS) == EXPECTED else VerificationError.exit_code
