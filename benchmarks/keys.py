"""Searches for keys: what they try in a second, beside public programs in one run.

    python benchmarks/keys.py [--only SECTION]... [--seconds N] [--peers] [--json FILE]

The clock's rate is that of all cores together and suffers from neighbours on the machine; the rate of a
second of processor time does less. ``--peers`` also runs programs of others that are installed, which
takes minutes.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import keys_neighbours
import keys_seeds
import keys_zip

SECTIONS = {"seeds": keys_seeds.rows, "zip": keys_zip.rows, "neighbours": keys_neighbours.rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", action="append", choices=sorted(SECTIONS))
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = {}
    for name in options.only or SECTIONS:
        print(f"{name:<56}{'a second':>16}{'per core':>16}{'wanted':>14}")
        rows = SECTIONS[name](options.seconds, peers=options.peers)
        results[name] = [row._asdict() for row in rows]
        for row in rows:
            core, wanted = (f"{value:,.0f}" if value else "" for value in (row.core, row.wanted))
            print(f"{row.what:<56}{row.rate:>16,.0f}{core:>16}{wanted:>14}  {row.unit}  {row.note}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
