"""PayPal, activity download and statement as CSV, in several languages, with a balance in each row."""

from __future__ import annotations

import pyarrow
import pyarrow.compute as pc

from unransom.catalog.exports import paypal
from unransom.catalog.exports.building import (
    Column,
    chain,
    ends,
    export,
    identity,
    joined,
    mapped,
    present,
    tabular,
)
from unransom.catalog.exports.channel import Channel, Export
from unransom.catalog.exports.delimited import Sheet, times_of
from unransom.catalog.exports.layouts import Layout
from unransom.catalog.exports.moments import DAY
from unransom.catalog.exports.money import summed
from unransom.catalog.exports.paypal_names import NAMES
from unransom.core.messages import say
from unransom.core.orders import ControlTotal, MoveKind, MoveState

# Rows that say again what the payment of their cart has in all, by their type.
CART_ITEM = (
    r"shopping cart item|warenkorb|panier|carrito|carrello|carrinho|ショッピングカート|购物车|購物車|koszyk"
    r"|winkelwagen|kundvagn|varukorg|indkøbskurv|handlekurv|handlevogn|ostoskori|nákupní košík|nákupný košík"
    r"|bevásárlókosár|корзин|καλάθι|sepet|장바구니|ตะกร้า|รถเข็น|keranjang|עגלת|سلة|عربة"
)
# What stands in the column of the balance's impact where a row has none.
MEMO = pyarrow.array(
    [
        *(
            "memo",
            "mémo",
            "nota",
            "memorando",
            "promemoria",
            "メモ",
            "备忘录",
            "备注",
            "備註",
            "備忘錄",
            "notatka",
        ),
        *("notitie", "notering", "muistio", "merkintä", "poznámka", "emlékeztető", "feljegyzés", "заметка"),
        *("примечание", "памятка", "σημείωμα", "σημείωση", "not", "메모", "บันทึก", "מזכר", "תזכיר", "مذكرة"),
    ]
)
LAYOUT = Layout(
    columns=NAMES,
    required=("date", "currency", "gross", "net", "id"),
    texts=("clock", "id", "invoice", "custom", "reference"),
    orders=("invoice", "custom"),
    local=("cp932", "gb18030", "big5", "cp1250", "cp1251"),
)


def _convert(sheet: Sheet) -> Export:
    sheet.keep(present(sheet.text("id")))
    marks = sheet.settle(("gross", "fee", "net", "balance"), ("date",), total_decides=True)
    if len(marks) == 2:
        sheet.decide(*(_chained(sheet, mark) for mark in marks))
    gross, fee, net = (sheet.money(name) for name in ("gross", "fee", "net"))
    words = sheet.text("type")
    state = mapped(sheet.text("status"), paypal.state_of)
    memo = pc.or_(
        pc.is_in(pc.utf8_lower(sheet.text("impact").cast("string")), value_set=MEMO),
        pc.match_substring_regex(pc.utf8_lower(words.cast("string")), CART_ITEM),
    )
    affects = pc.and_(pc.equal(state.cast("string"), MoveState.DONE), pc.invert(memo))
    time, precision, zoned = _times(sheet)
    invoice, custom = sheet.text("invoice"), sheet.text("custom")
    change = pc.if_else(affects, net, pyarrow.scalar(None, pyarrow.int64()))
    totals = identity(say("gross and fee are net"), summed([gross, fee]), net, sheet.numbers())
    totals += _chain(sheet, change)
    return export(
        sheet,
        CHANNEL.name,
        CHANNEL.realm,
        moves={
            "account": "",
            "order_key": pc.if_else(present(invoice), invoice, custom),
            "payment_id": sheet.text("id"),
            "refers_to": sheet.text("reference"),
            "line_key": "",
            "kind": _kinds(words, gross, sheet.text("reference")),
            "code": words,
            # A memo row tells of a movement that another row carries out.
            "state": pc.if_else(memo, MoveState.PENDING, state.cast("string")),
            "time": time,
            "currency": sheet.text("currency"),
            "amount": gross,
            "fee": pc.fill_null(fee, 0),
            "shop_coupon": 0,
            "channel_coupon": 0,
        },
        zone="zone of each row" if zoned else sheet.source.reading.zone or "UTC",
        precision=precision,
        totals=totals,
        ends=ends(sheet.text("currency"), change, sheet.money("balance"), time),
    )


def _kinds(words: Column, gross: Column, reference: Column) -> Column:
    """Return what the rows' words mean; what goes back to an earlier row is a refund in any language."""
    kinds = mapped(words, paypal.kind_of_words).cast("string")
    back = pc.and_(pc.fill_null(pc.less(gross, 0), False), present(reference))
    return pc.if_else(pc.and_(pc.equal(kinds, MoveKind.PAYMENT), back), MoveKind.REFUND, kinds)


def _times(sheet: Sheet) -> tuple[Column, int, bool]:
    """Return the rows' times, put together from up to three columns."""
    if not sheet.has("clock"):
        return sheet.time("date")
    date, clock, zone = (sheet.text(name).cast("string") for name in ("date", "clock", "zone"))
    texts = joined(date, clock, zone, separator=" ")
    times, precision, zoned = times_of(texts, sheet.order, sheet.source.reading.zone or "UTC")
    return times, min(precision, DAY), zoned


def _chain(sheet: Sheet, change: Column, mark: str = "") -> list[ControlTotal]:
    return chain(sheet.text("currency"), change, sheet.money("balance", mark), sheet.numbers())


def _chained(sheet: Sheet, mark: str) -> bool:
    """Return whether the balances hold when amounts are read with the decimal mark ``mark``."""
    totals = _chain(sheet, sheet.money("net", mark), mark)
    return bool(totals) and all(total.holds for total in totals)


CHANNEL: Channel = tabular(
    LAYOUT,
    _convert,
    name="paypal_activity",
    title="PayPal activity download or statement (CSV)",
    realm="web",
    references=(
        "https://www.paypal.com/us/cshelp/article/how-do-i-view-and-download-statements-and-reports-help145",
    ),
    limitations=(
        "The first and the last row of each currency can be missing without a trace, save where the"
        " neighbouring file or the balances of that moment are given too; so can rows that move no money.",
    ),
)
