"""Runs damaged pages through the readers of an engine, as often as is asked for."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

TOGETHER = 64  # pages at a time


class Target(Protocol):
    """Something opened, and what its reader does with damaged pages instead of its own."""

    def run(self, chance: np.random.Generator) -> int:
        """Read ``TOGETHER`` damaged pages; return how many rows they gave."""


def repeat(targets: Sequence[Target], executions: int, seed: int) -> tuple[int, int]:
    """Run that many executions; return how many were run and how many rows came out of them."""
    chance = np.random.default_rng(seed)
    done = rows = 0
    while done < executions:
        for target in targets:
            rows += target.run(chance)
            done += TOGETHER
    return done, rows


def report(fuzz: Callable[[int, int], tuple[int, int]]) -> None:
    """Run as many executions as the command says, and print how many there were."""
    executions = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    began = time.process_time()
    done, rows = fuzz(executions, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    taken = time.process_time() - began
    sys.stdout.write(
        f"{done} executions, {rows} rows, {taken:.0f} s of processor time, {done / taken:.0f} a second\n"
    )
