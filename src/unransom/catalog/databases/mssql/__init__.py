"""SQL Server: data files, logs and backups, read from whatever is left of them."""

from __future__ import annotations

from unransom.catalog.databases.engine import Engine
from unransom.catalog.databases.mssql.opening import open_databases, recognise
from unransom.catalog.databases.mssql.repair import repairs

ENGINE = Engine("mssql", "Microsoft SQL Server", recognise, open_databases, repair=repairs)
