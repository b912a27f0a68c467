"""Small healthy files of the text, database and system formats, made here."""

from __future__ import annotations

import json

ROWS = 800
GERMAN = "Grüße aus Köln, die Straße ist naß.\n"
CHINESE = "订单编号 12345，付款金额三百元，收货地址在杭州市。\n"
JAPANESE = "注文番号 12345、お支払い金額は三百円です。カタカナも。\n"
RUSSIAN = "Заказ номер 12345, сумма к оплате триста рублей.\n"


def text() -> bytes:
    return "".join(f"line {number}: the quick brown fox jumps\n" for number in range(ROWS)).encode()


def xml() -> bytes:
    rows = "".join(f'<order id="{number}"><sum>{number}.50</sum>Größe</order>\n' for number in range(ROWS))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<orders>\n{rows}</orders>\n'.encode()


def svg() -> bytes:
    paths = "".join(f'<path d="M{number} 1 L 4 {number} z"/>\n' for number in range(ROWS))
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="9">\n{paths}</svg>\n'.encode()


def html() -> bytes:
    rows = "".join(f"<p>Paragraph {number}<br>with a line\n" for number in range(ROWS))
    return f"<!DOCTYPE html>\n<html><head><title>x</title></head><body>{rows}</body></html>\n".encode()


def json_text() -> bytes:
    rows = [
        {"id": number, "price": number * 1.5, "tags": ["a", None, True], "note": 'q"\\'}
        for number in range(ROWS)
    ]
    return json.dumps(rows, indent=1).encode()


def csv_text() -> bytes:
    return "".join(
        f'{number},"name, {number}",{number * 2}.50,2026-01-02,ok\r\n' for number in range(ROWS)
    ).encode()
