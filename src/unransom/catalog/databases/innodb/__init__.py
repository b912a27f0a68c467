"""InnoDB of MySQL and MariaDB: pages, records and dictionaries, read from whatever is left of a file."""

from __future__ import annotations

from unransom.catalog.databases.engine import Engine
from unransom.catalog.databases.innodb.database import graft_of, open_databases, recognise

ENGINE = Engine("innodb", "InnoDB (MySQL, MariaDB)", recognise, open_databases, graft_of)
