"""Reads tables that are larger than memory, in a process of its own whose memory is told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from typing import Any

from unransom.catalog.databases.engine import Database
from unransom.catalog.databases.table import Table

GIB = 1 << 30
MOST_MEMORY = 512 << 20  # bytes


def by_state(database: Database, table: Table) -> Counter[str]:
    """Read every row; return how many there were of each state."""
    counts: Counter[str] = Counter()
    for rows in database.rows(table):
        for each in rows.batch.column("_state").value_counts().to_pylist():
            counts[each["values"]] += each["counts"]
    return counts


def in_own_process(module: str, size: int) -> dict[str, Any]:
    """Return what the function ``stream`` of a module of tests tells of ``size`` bytes."""
    code = f"import json; from {module} import stream; print(json.dumps(stream({size})))"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(ran.stdout)
    return found
