"""``unransom doctor``: what this machine lacks and what it would enable."""

from __future__ import annotations

import importlib.util
import os
import shutil
from typing import NamedTuple

import click

from unransom.cli.speech import spoken, t
from unransom.core.extras import EXTRAS


class Need(NamedTuple):
    """A part or a program that only some users need."""

    name: str
    enables: str
    remedy: str


SLEUTHKIT = Need("pytsk3", t("disk images and devices: NTFS, ext, FAT"), "pip install pytsk3")
PROGRAMS = (
    Need("mke2fs", t("the disk image of the demo"), "apt install e2fsprogs"),
    Need("7zz", t("archives under a password that 7-Zip made"), "apt install 7zip"),
    Need("zip", t("archives under a password that Info-ZIP made"), "apt install zip"),
    Need("clamdscan", t("ClamAV scans before files go back"), "apt install clamav-daemon"),
)


@click.command(
    help=t("Say what this machine lacks and what it would enable."), epilog=t("Example: unransom doctor")
)
def command() -> int:
    """Print a line for each need, and what the machine has."""
    print(t("cores: {cores}", cores=len(os.sched_getaffinity(0))))
    print(t("free here: {size} GB", size=f"{shutil.disk_usage('.').free / 1e9:,.0f}"))
    _line(SLEUTHKIT, present=importlib.util.find_spec(SLEUTHKIT.name) is not None)
    for extra in EXTRAS:
        need = Need(extra.name, spoken(extra.enables), f"pip install 'unransom[{extra.name}]'")
        _line(need, present=all(map(importlib.util.find_spec, extra.modules)))
    for need in PROGRAMS:
        _line(
            need,
            present=shutil.which(need.name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is not None,
        )
    return 0


def _line(need: Need, *, present: bool) -> None:
    if present:
        print(t("ok       {name}: {enables}", name=need.name, enables=need.enables))
    else:
        print(t("missing  {name}: would enable {enables}", name=need.name, enables=need.enables))
        print(f"         {need.remedy}")
