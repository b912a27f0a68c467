"""Tables after a working life: rows inserted out of order, deleted in ranges, moved, and pages freed."""

from __future__ import annotations

import random

MAKE = (
    "create table shop.scattered (id int primary key, name varchar(60), amount decimal(10,2),"
    " placed datetime, note varchar(300), status enum('a','b','c'), key (name))",
    "create table shop.texts (a varchar(24) charset utf8mb4, b int, body varchar(250) charset utf8mb4,"
    " changed timestamp not null default current_timestamp, primary key (a, b))",
    "create table shop.grown (id bigint primary key, body varchar(200), n int) row_format=redundant",
)
TABLES = ("scattered", "texts", "grown")
COUNT = 12_000


def churn(server, seed: int) -> None:
    """Make the tables on ``server`` and let them live; what happens to them is told by ``seed``."""
    chance = random.Random(seed)
    run = server.run
    run("use shop", f"drop table if exists {', '.join(TABLES)}", *MAKE)
    scattered = (
        "insert ignore into scattered select seq * 3 + {shift}, concat('name ', md5(seq + {seed})),"
        " seq * 7 % 99999 / 100, '2024-01-01' + interval seq minute,"
        " repeat(substr(md5(seq * {seed}), 1, 6), seq % 20), 1 + seq % 3 from seq_{first}_to_{last}"
        " order by rand({seed})"
    )
    texts = (
        f"insert ignore into texts select concat('Kunde ', seq * 7919 % {COUNT}), seq,"
        " repeat('{word}', seq % 25), '2024-01-01' + interval seq minute"
        f" from seq_1_to_{COUNT} where seq % {{part}} = 0 order by rand({seed})"
    )
    run(scattered.format(shift=0, seed=seed, first=1, last=COUNT), texts.format(word="请 abc ", part=1))
    run(
        f"insert into grown select seq, concat('row ', seq, repeat('z', seq % 90)), seq from seq_1_to_{COUNT}"
    )
    for turn in range(4):
        low = chance.randrange(COUNT * 3)
        run(
            f"delete from scattered where id between {low} and {low + COUNT // 3}",
            f"delete from scattered where id % {chance.randrange(5, 17)} = 1",
            f"update scattered set note = repeat(substr(md5(id + {turn}), 1, 7), 1 + id % 30)"
            f" where id % {chance.randrange(2, 9)} = 0",
            f"update ignore scattered set id = id + 1 where id % {chance.randrange(7, 19)} = 0",
            scattered.format(shift=turn % 3, seed=seed, first=low // 3 + 1, last=low // 3 + COUNT // 10),
            f"delete from texts where b % {chance.randrange(3, 13)} = 1",
            f"delete from texts where a like 'Kunde {chance.randrange(1, 10)}%'",
            f"update texts set body = repeat('更新 {turn} ', b % 31) where b % {chance.randrange(2, 7)} = 0",
            texts.format(word="neu ", part=chance.randrange(5, 9)),
        )
        low = chance.randrange(COUNT)
        run(
            f"delete from grown where id between {low} and {low + COUNT // 4}",
            f"update grown set body = concat(body, 'more {turn}') where id % 5 = {turn}",
        )
