"""The command line: one file per command, named like its folder or its verb."""

from __future__ import annotations


def main() -> None:
    """Run the program and exit with its code."""
    from unransom.cli.program import run

    raise SystemExit(run())
