"""Writes Alipay's bills for the web shops of a made company: of a merchant, a person, across borders."""

import zipfile
from datetime import timedelta, timezone
from decimal import Decimal

from tests.verify.company_exports import START, columns, write_rows

CHINA = timezone(timedelta(hours=8))
TRADE = columns(
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,订单金额（元）,"
    "商家实收（元）,支付宝红包（元）,支付宝优惠（元）,商家优惠（元）,退款批次号/请求号,"
    "服务费（元）,备注"
)
FUND = columns(
    "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,"
    "账户余额（元）,交易渠道,业务类型,备注"
)
PERSONAL = columns(
    "交易时间,交易分类,交易对方,对方账号,商品说明,收/支,金额,收/付款方式,交易状态,交易订单号,商家订单号,备注,"
)
SETTLED = columns(
    "Partner_transaction_id,Transaction_id,Amount,Rmb_amount,Fee,Settlement,Rmb_settlement,Currency,Rate,"
    "Payment_time,Settlement_time,Type,Status,Remarks"
)
MOVED = columns(
    "Partner_transaction_id,Transaction_id,Transaction_amount,Charge_amount,Currency,Payment_time,"
    "Transaction_type,Remark,original_partner_transaction_ID"
)


def moves_of(orders):
    """Yield each movement in the order of time: its order's number, its part, and what it is."""
    found = [
        (at, number, part, kind, amount, key, coupon)
        for number, order in enumerate(orders)
        for part, (kind, amount, key, coupon, at) in enumerate(order.payments)
    ]
    for at, *rest in sorted(found, key=lambda each: each[:3]):
        yield at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S"), *rest


def window():
    first, last = ((START + timedelta(days=days)).strftime("%Y年%m月%d日 00:00:00") for days in (-1, 30))
    return f"#账号：[20880000000000010156]\n#起始日期：[{first}]   终止日期：[{last}]\n"


def trade_number(number, part, kind):
    return f"2026061022001400{number:08}{part if kind == 'pay' else 0:04}"


def alipay_trade(path, orders, _currency):
    """The trade bill and its summary in one zip, names in GBK without saying so."""
    rows, counts, sums, coupons = (
        [],
        {"交易": 0, "退款": 0},
        {"交易": Decimal(0), "退款": Decimal(0)},
        Decimal(0),
    )
    for stamp, number, part, kind, amount, key, coupon in moves_of(orders):
        word = "交易" if kind == "pay" else "退款"
        counts[word] += 1
        sums[word] += amount
        coupons += coupon
        batch = f"RF{number}-{part}" if kind != "pay" else "\t"
        trade = trade_number(number, part, kind)
        about = [trade + "\t", key + "\t", word, "木碗", stamp, stamp, "\t", amount + coupon, amount]
        rows.append([*about, "0.00", "0.00", coupon, batch, "-0.10", ""])
    above = f"#支付宝业务明细查询\n{window()}#---业务明细列表---\n"
    below = (
        f"#---业务明细列表结束---\n#交易合计：{counts['交易']}笔，商家实收共{sums['交易']}元，商家优惠共{coupons}元\n"
        f"#退款合计：{counts['退款']}笔，商家实收退款共{sums['退款']}元，商家优惠退款共0.00元\n"
        "#导出时间：[2026年07月10日 10:00:00]\n"
    )
    inner = path.with_suffix(".tmp")
    write_rows(inner, TRADE, rows, delimiter=",", encoding="gb18030", above=above, below=below)
    data = inner.read_bytes()
    inner.unlink()

    class Chinese(zipfile.ZipInfo):
        def _encodeFilenameFlags(self):  # noqa: N802 zipfile's name
            return self.filename.encode("gbk"), self.flag_bits & ~0x800

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        when = (2026, 7, 10, 10, 0, 0)
        archive.writestr(Chinese("20880000000000010156_业务明细.csv", when), data)
        summary = f"#支付宝业务汇总查询\n{window()}".encode("gb18030")
        archive.writestr(Chinese("20880000000000010156_业务明细(汇总).csv", when), summary)


def alipay_fund(path, orders, _currency):
    """Every movement with the balance behind it; fees are rows of their own, orders have Taobao's prefix."""
    balance, rows = Decimal(1000), []
    totals = {"支出": [0, Decimal(0)], "收入": [0, Decimal(0)]}
    for count, (stamp, number, part, kind, amount, key, _) in enumerate(moves_of(orders)):
        fee = Decimal("-0.11") if kind == "pay" else Decimal(0)
        for nth, (change, word) in enumerate(
            ((amount, "在线支付" if kind == "pay" else "交易退款"), (fee, "收费"))
        ):
            if not change:
                continue
            balance += change
            side = totals["收入" if change > 0 else "支出"]
            side[0] += 1
            side[1] += change
            income, expense = (change, "0.00") if change > 0 else ("0.00", change)
            trade = trade_number(number, part, kind)
            named = f"T200P{key}" if key[:3] == "WEB" else key
            about = [f"9{count:011}{nth}\t", trade + "\t", named + "\t", "木碗\t", stamp, "\t"]
            rows.append([*about, income, expense, balance, "支付宝", word, ""])
    below = "#---账务明细列表结束---\n"
    below += "".join(f"#{word}合计：{n}笔，共{total}元\n" for word, (n, total) in totals.items())
    above = f"#支付宝账务明细查询\n{window()}#---账务明细列表---\n"
    write_rows(path, FUND, rows, delimiter=",", encoding="gb18030", above=above, below=below)


def alipay_personal(path, orders, _currency):
    """A person's bill: amounts without a sign, and attempts that were closed before anything was paid."""
    rows, sums = [], {"收入": [0, Decimal(0)], "支出": [0, Decimal(0)], "不计收支": [0, Decimal(0)]}
    for stamp, number, part, kind, amount, key, _ in moves_of(orders):
        trade = f"2026061122001{number:010}{part}"
        told = [("转账红包", "收入", "交易成功")] if kind == "pay" else [("退款", "支出", "退款成功")]
        told += [("转账红包", "不计收支", "交易关闭")] if number % 6 == 0 and kind == "pay" else []
        for nth, (category, direction, state) in enumerate(told):
            sums[direction][0] += 1
            sums[direction][1] += abs(amount)
            about = [f"{stamp} ", f"{category}   ", "某人", "a***@example.com ", "木碗  "]
            ids = [f"{trade}{nth}\t", f"{key}\t"]
            rows.append([*about, direction, f"{abs(amount)}  ", "余额 ", state, *ids, " ", ""])
    above = "-" * 40 + "\n导出信息：\n姓名：某人\n支付宝账户：a@example.com\n"
    above += "起始时间：[2026-06-09 00:00:00]    终止时间：[2026-07-10 23:59:59]\n导出交易类型：[全部]\n"
    above += f"共{len(rows)}笔记录\n"
    above += "".join(f"{word}：{count}笔 {total}元\n" for word, (count, total) in sums.items())
    above += "\n特别提示：\n" + "".join(f"{line}.本明细仅供个人对账使用。\n" for line in range(1, 10))
    above += "\n" + "-" * 20 + "支付宝（中国）网络技术有限公司  电子客户回单" + "-" * 20 + "\n"
    write_rows(path, PERSONAL, rows, delimiter=",", encoding="gb18030", above=above)


def alipay_settlement(path, orders, currency):
    """Across borders: a refund has an identifier of its own and its payment's number with Alipay."""
    rows = []
    for stamp, number, part, kind, amount, key, _ in moves_of(orders):
        fee = Decimal("0.09") if kind == "pay" else Decimal("0.00")
        partner = key if kind == "pay" else f"RF-{number}-{part}"
        money = [amount, amount * 8, fee, amount - fee, (amount - fee) * 8, currency, "8.00000000"]
        word = "P" if kind == "pay" else "R"
        trade = trade_number(number, part, kind)
        rows.append([partner, trade, *money, stamp, "2026-06-20 03:00:00", word, "L", ""])
    write_rows(path, SETTLED, rows, delimiter=",")


def alipay_transactions(path, orders, currency):
    """Across borders, the same money told again: refunds without a sign, the number of rows above."""
    rows = []
    for stamp, number, part, kind, amount, key, _ in moves_of(orders):
        partner, first = (key, "") if kind == "pay" else (f"RF-{number}-{part}", order_key(orders[number]))
        word = "PAYMENT" if kind == "pay" else "REFUND"
        trade = trade_number(number, part, kind)
        rows.append([partner, trade, abs(amount), "0.00", currency, stamp, word, "", first])
    above = f"Partner,20880000000000010156\nPayment_time,2026-06-09\nTotal_count,{len(rows)}\n"
    write_rows(path, MOVED, rows, delimiter="|", above=above)


def order_key(order):
    return order.payments[0][2]
