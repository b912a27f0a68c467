"""Parts of unransom that only some users need, and the packages that each stands on."""

from __future__ import annotations

from typing import NamedTuple

from unransom.core.messages import Message, say


class Extra(NamedTuple):
    """An extra of the package, as ``pip install 'unransom[name]'`` takes it.

    Attributes:
        name: Of the extra.
        modules: What it brings, by the names under which they are imported.
        enables: What it is for.
    """

    name: str
    modules: tuple[str, ...]
    enables: Message


EXTRAS: tuple[Extra, ...] = (
    Extra("bucket", ("s3fs", "botocore", "aiohttp"), say("buckets")),
    Extra("images", ("zstandard", "isal"), say("compressed images, fast E01")),
    Extra("carve", ("hyperscan", "isal"), say("carving at full speed")),
    Extra(
        "databases",
        ("pyarrow", "google_crc32c", "sqlalchemy", "pymysql", "psycopg"),
        say("rows of damaged databases"),
    ),
    Extra(
        "orders",
        ("duckdb", "pyarrow", "xlsxwriter", "sqlalchemy", "pymysql", "psycopg"),
        say("orders and payments"),
    ),
    Extra(
        "restore",
        ("yara_x", "sqlalchemy", "pymysql", "psycopg", "xlsxwriter"),
        say("scans before files go back, databases as targets"),
    ),
    Extra("custody", ("rfc3161_client",), say("time stamps")),
    Extra("previews", ("PIL",), say("pictures of rebuilt files in the report")),
    Extra("cluster", ("distributed",), say("--cluster")),
)


def remedy(error: ImportError) -> Message | None:
    """Return how to install what ``error`` misses, None where that is no part of any extra."""
    module = (error.name or "").partition(".")[0]
    parts = [extra.name for extra in EXTRAS if module in extra.modules]
    return say("pip install 'unransom[{part}]'", part=",".join(parts)) if parts else None
