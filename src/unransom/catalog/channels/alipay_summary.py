"""Alipay, summary that lies beside a merchant bill in its archive: totals only, no rows to read."""

from __future__ import annotations

import hashlib

from unransom.catalog.exports.channel import Channel, Export, Source
from unransom.catalog.exports.encodings import text_of
from unransom.catalog.exports.pages import rows_export
from unransom.core.messages import say
from unransom.core.streams import chunks

TITLES = ("#支付宝业务汇总查询", "#支付宝账务汇总查询")


def _recognise(head: bytes) -> int:
    return len(TITLES[0]) if text_of(head).lstrip("\ufeff").startswith(TITLES) else 0


def _read(source: Source) -> Export:
    hasher = hashlib.sha256()
    for piece in chunks(source.reader):
        hasher.update(piece)
    note = say("a summary: the bill beside it has the rows")
    return rows_export(source, hasher.hexdigest(), CHANNEL.name, CHANNEL.realm, notes=[note])


CHANNEL = Channel(
    name="alipay_summary",
    title="Alipay merchant bill, summary (汇总)",
    realm="web",
    recognise=_recognise,
    read=_read,
    references=("https://opendocs.alipay.com/open/029i7e",),
    limitations=("It is recognised, not read: the bill has totals of its own.",),
)
