"""A connection to a database that can only read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa

from unransom.core.errors import UnransomError, UsageError
from unransom.core.messages import say

DRIVERS = {"mysql": "mysql+pymysql", "mariadb": "mysql+pymysql", "postgresql": "postgresql+psycopg"}
READ_ONLY = {
    "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET time_zone = '+00:00'"),
    "postgresql": ("SET default_transaction_read_only = on", "SET TIME ZONE 'UTC'"),
    "sqlite": ("PRAGMA query_only = ON",),
}
TIMEOUTS = {"mysql": ("connect_timeout", "read_timeout"), "postgresql": ("connect_timeout",)}


@contextlib.contextmanager
def reading(url: str, seconds: float) -> Iterator[sa.Connection]:
    """Give a connection whose transactions cannot write.

    Args:
        url: Of SQLAlchemy.
        seconds: That connecting, and reading an answer where the driver can, may take.

    Raises:
        UsageError: It is no URL of a database that is known.
        UnransomError: It does not answer.
    """
    try:
        address = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise UsageError(say("the target is no database URL")) from error
    kind = address.get_backend_name().replace("mariadb", "mysql")
    if kind not in READ_ONLY:
        raise UsageError(say("{scheme} is no kind of target", scheme=kind))
    address = address.set(drivername=DRIVERS.get(address.drivername, address.drivername))
    limits = {name: max(1, round(seconds)) for name in TIMEOUTS.get(kind, ())}
    engine = sa.create_engine(address, poolclass=sa.NullPool, connect_args=limits)
    try:
        with _connected(engine) as connection:
            for statement in READ_ONLY[kind]:
                connection.exec_driver_sql(statement)
            connection.commit()
            yield connection
    finally:
        engine.dispose()


@contextlib.contextmanager
def _connected(engine: sa.Engine) -> Iterator[sa.Connection]:
    try:
        connection = engine.connect()
    except sa.exc.SQLAlchemyError as error:
        # What the driver says, without the address, which may hold a secret.
        reason = str(getattr(error, "orig", error))[:300]
        raise UnransomError(say("the target database does not answer"), detail=reason) from error
    with connection:
        yield connection
