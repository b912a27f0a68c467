"""What Alipay's bills have in common: encodings, and the lines above the table."""

from __future__ import annotations

import re

import pyarrow

from unransom.catalog.exports.building import SHANGHAI
from unransom.catalog.exports.channel import UnreadableExportError
from unransom.catalog.exports.delimited import Sheet
from unransom.catalog.exports.moments import to_moments

ENCODINGS = ("utf-8", "gb18030")
_ACCOUNT = re.compile(r"(?:账号|支付宝账户)[:：]\s*\[?([^\]\s]+)")
_WINDOW = re.compile(r"起始(?:日期|时间)[:：]\s*\[([^\]]+)\]\s*终止(?:日期|时间)[:：]\s*\[([^\]]+)\]")


def account(sheet: Sheet) -> str:
    """Return whose bill it is, "" where the lines above the table do not say."""
    return next((found[1] for line in sheet.header.above if (found := _ACCOUNT.search(line))), "")


def window(sheet: Sheet) -> tuple[int, int] | None:
    """Return the first and last microsecond that the bill covers, None where it does not say."""
    for line in sheet.header.above:
        if found := _WINDOW.search(line):
            try:
                times = to_moments(pyarrow.array([found[1], found[2]]), zone=SHANGHAI).times
            except UnreadableExportError:
                return None
            start, end = times.cast("int64").to_pylist()
            return (start, end) if start is not None and end is not None else None
    return None
