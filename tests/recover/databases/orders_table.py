"""The table that the damage is measured on: 50,000 orders of a shop, ten columns, one secondary key."""

from __future__ import annotations

import random
from collections.abc import Iterator

CREATE = """CREATE TABLE {name} (
  id int NOT NULL AUTO_INCREMENT,
  number varchar(24) NOT NULL,
  customer int NOT NULL,
  placed datetime NOT NULL,
  status enum('new','paid','sent','done','returned') NOT NULL,
  amount decimal(12,2) NOT NULL,
  currency char(3) NOT NULL,
  email varchar(80) DEFAULT NULL,
  note varchar(200) DEFAULT NULL,
  changed timestamp NOT NULL DEFAULT current_timestamp(),
  PRIMARY KEY (id),
  KEY customer (customer)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 {options}"""
ROWS = 50_000
STATES = ("new", "paid", "sent", "done", "returned")
WORDS = [
    "请",
    "尽快",
    "发货",
    "please",
    "leave",
    "at",
    "the",
    "door",
    "谢谢",
    "gift",
    "wrap",
    "blue",
    "red",
    "large",
    "small",
    "包装",
    "call",
    "before",
]


def rows(count: int = ROWS) -> Iterator[tuple]:
    """Yield rows in the order of their ids."""
    chance = random.Random(50_000)
    for number in range(1, count + 1):
        second = number * 37 % 86400
        yield (
            number,
            f"SO-{2020 + number % 6}-{number:08d}",
            chance.randrange(1, 9000),
            f"20{20 + number % 6}-{1 + number % 12:02d}-{1 + number % 28:02d} "
            f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}",
            STATES[number % 5],
            f"{chance.randrange(1, 10_000_000) / 100:.2f}",
            ("EUR", "USD", "CNY")[number % 3],
            f"customer{chance.randrange(9000)}@example.org" if number % 7 else None,
            " ".join(chance.choices(WORDS, k=chance.randrange(1, 14))) if number % 3 else None,
            f"2024-{1 + number % 12:02d}-{1 + number % 28:02d} 08:00:{number % 60:02d}",
        )


def fill(server, name: str, options: str = "", count: int = ROWS) -> None:
    """Create the table on ``server`` and fill it."""
    server.run(CREATE.format(name=name, options=options), "set time_zone = '+00:00'")
    marks = ", ".join(["%s"] * 10)
    with server.connection.cursor() as cursor:
        every = list(rows(count))
        for first in range(0, count, 1000):
            cursor.executemany(f"insert into {name} values ({marks})", every[first : first + 1000])
