"""Options that several commands have, defined once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from unransom.cli.screen import Style
from unransom.cli.speech import t
from unransom.core.errors import UsageError
from unransom.core.messages import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unransom.run.executor import Executor

UNITS = {"k": 10, "m": 20, "g": 30, "t": 40}  # suffix: power of two
TIMES = {"s": 1, "m": 60, "h": 3600, "d": 86400}  # suffix: seconds
PATH = click.Path(path_type=Path)
EXISTING = click.Path(path_type=Path, exists=True)

case_option = click.option("--case", type=PATH, required=True, metavar="DIR", help=t("The case folder."))
key_option = click.option(
    "--key",
    "keys",
    type=EXISTING,
    multiple=True,
    metavar="FILE",
    help=t("A key file, or a folder of them: PEM, DER, XML, raw, hex, base64, CAPI or BCRYPT."),
)
server_key_option = click.option(
    "--server-key",
    "server_keys",
    type=EXISTING,
    multiple=True,
    metavar="FILE",
    help=t("A key file of MariaDB or MySQL, for tables that the server encrypted."),
)
library_option = click.option(
    "--library",
    "libraries",
    type=EXISTING,
    multiple=True,
    metavar="FILE",
    help=t("A key library, as `unransom library` keeps it: all its keys are tried."),
)
family_option = click.option(
    "--family",
    "families",
    type=EXISTING,
    multiple=True,
    metavar="FILE",
    help=t("A family that is described as TOML, or a folder of them."),
)
manifest_option = click.option(
    "--manifest",
    "manifests",
    type=EXISTING,
    multiple=True,
    metavar="FILE",
    help=t("Hashes of originals: md5sum, sha256sum, hashdeep or CSV."),
)
out_option = click.option(
    "--out", type=PATH, required=True, metavar="DIR", help=t("Folder for what comes back; made if missing.")
)
known_option = click.option(
    "--known",
    type=EXISTING,
    multiple=True,
    metavar="DIR",
    help=t("Originals of some files: old backups, downloads, copies elsewhere."),
)
dump_option = click.option(
    "--memory",
    "dumps",
    type=EXISTING,
    multiple=True,
    metavar="DUMP",
    help=t("Memory dump, hibernation or page file, or capture, in which keys may lie."),
)
budget_option = click.option(
    "--budget",
    default="1h",
    envvar="UNRANSOM_BUDGET",
    metavar="TIME",
    callback=lambda _context, _parameter, value: seconds_of(value),
    help=t("Time that searches for keys may take, e.g. 30m; 0 for none."),
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help=t("Write one JSON document to standard output.")
)
jsonl_option = click.option("--jsonl", is_flag=True, help=t("Write one JSON record per line."))
progress_option = click.option(
    "--progress",
    type=click.Choice([style.value for style in Style]),
    callback=lambda _context, _parameter, value: Style(value),
    default=Style.AUTO.value,
    help=t("How progress is shown on standard error."),
)
workers_option = click.option(
    "--workers", type=click.IntRange(0), default=0, metavar="N", help=t("Worker processes; 0 is one a core.")
)
memory_option = click.option(
    "--memory-limit", default="2G", metavar="SIZE", help=t("Memory that one worker may take.")
)
time_limit_option = click.option(
    "--time-limit",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    metavar="SECONDS",
    help=t("Time that one file may take, besides a share for its size."),
)
cluster_option = click.option(
    "--cluster", metavar="ADDRESS", help=t("Scheduler of a dask cluster, e.g. tcp://10.0.0.5:8786.")
)


def size_of(text: str) -> int:
    """Return the bytes that e.g. ``512M`` or ``2G`` means.

    Raises:
        UsageError: It means nothing.
    """
    number, unit = text.strip().lower().removesuffix("ib").removesuffix("b"), 0
    if number and number[-1] in UNITS:
        unit, number = UNITS[number[-1]], number[:-1]
    if not number.isdigit():
        raise UsageError(say("{text} is no size", text=text), hint=say("write e.g. 512M or 2G"))
    return int(number) << unit


def seconds_of(text: str) -> float:
    """Return the seconds that e.g. ``90``, ``30m`` or ``1h`` means.

    Raises:
        UsageError: It means nothing.
    """
    number = text.strip().lower()
    unit = TIMES.get(number[-1:], 0)
    number = number[:-1] if unit else number
    if not number.replace(".", "", 1).isdigit():
        raise UsageError(say("{text} is no length of time", text=text), hint=say("write e.g. 30m or 1h"))
    return float(number) * (unit or 1)


def executor_of(
    workers: int = 0, cluster: str | None = None, memory_limit: str = "2G", preload: Sequence[str] = ()
) -> Executor:
    """Return the executor that the options ask for; ``preload`` are modules that its processes need."""
    if cluster:
        from unransom.run.cluster import ClusterExecutor

        return ClusterExecutor(cluster)
    from unransom.run import nursery

    if preload:
        nursery.begin(preload)  # it imports while this process does
    from unransom.run.local import LocalExecutor

    return LocalExecutor(workers, size_of(memory_limit), preload)
