"""Database engines on disk: pages, records and dictionaries, read from whatever is left of a file."""

from __future__ import annotations

from unransom.catalog.databases.engine import Engine
from unransom.catalog.databases.innodb import ENGINE as INNODB
from unransom.catalog.databases.mssql import ENGINE as MSSQL

ENGINES: tuple[Engine, ...] = (INNODB, MSSQL)
