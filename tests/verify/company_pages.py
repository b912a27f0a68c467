"""Writes what the interfaces of Amazon, eBay and PayPal answer about a made company, and Amazon's XML."""

import json
from datetime import timedelta
from decimal import Decimal
from xml.sax.saxutils import escape

from tests.verify.company_exports import PACIFIC, START, version

PAGE = 50  # entries of a page
STATES_V0 = {"Cancelled": "Canceled"}
STATES_2026 = {"Cancelled": "CANCELLED", "Shipped": "SHIPPED", "Pending": "PENDING", "Unshipped": "UNSHIPPED"}


def pages_of(entries):
    return [entries[at : at + PAGE] for at in range(0, len(entries), PAGE)] or [[]]


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def amazon_v0(path, orders, site, currency, updated=None):
    """getOrders and one getOrderItems for each order, a response to a line."""
    answers, items = [], []
    for order, state, amount in version(orders, updated):
        priced = state not in {"Pending", "Cancelled"}
        money = lambda value: {"CurrencyCode": currency, "Amount": str(value)}  # noqa: E731
        entry = {
            "AmazonOrderId": order.id,
            "PurchaseDate": stamp(order.at),
            "LastUpdateDate": stamp(order.touched(updated)),
            "OrderStatus": STATES_V0.get(state, state),
            "SalesChannel": site,
            "IsReplacementOrder": "true" if order.replacement else "false",
        }
        if priced:
            entry["OrderTotal"] = money(amount + order.tax * order.lines)
        answers.append(entry)
        lines = []
        for line in range(order.lines):
            item = {"OrderItemId": f"{line}{order.id[4:11]}", "SellerSKU": f"SKU-{order.quantity}"}
            item["QuantityOrdered"] = order.quantity if priced else 0
            if priced:  # the price of the whole line, not of a piece
                item |= {"ItemPrice": money(amount / order.lines), "ItemTax": money(order.tax)}
            lines.append(item)
        items.append({"payload": {"AmazonOrderId": order.id, "OrderItems": lines}})
    answers = [{"payload": {"Orders": page}} for page in pages_of(answers)]
    path.write_text("\n".join(json.dumps(answer) for answer in (*answers, *items)))


def amazon_2026(path, orders, site, currency, updated=None):
    """Pages of searchOrders in one list, in UTF-16 as PowerShell saves it."""
    entries = []
    for order, state, amount in version(orders, updated):
        priced = state not in {"Pending", "Cancelled"}
        money = lambda value: {"amount": str(value), "currencyCode": currency}  # noqa: E731
        items = [
            {
                "orderItemId": f"{line}{order.id[4:11]}",
                "quantityOrdered": order.quantity,
                "product": {"sellerSku": f"SKU-{order.quantity}"},
                "proceeds": {
                    "proceedsTotal": money(amount / order.lines + order.tax),
                    "breakdowns": [
                        {"type": "ITEM", "subtotal": money(amount / order.lines)},
                        {"type": "TAX", "subtotal": money(order.tax)},
                    ],
                }
                if priced
                else {},
            }
            for line in range(order.lines)
        ]
        entry = {
            "orderId": order.id,
            "createdTime": stamp(order.at),
            "lastUpdatedTime": stamp(order.touched(updated)),
            "salesChannel": {"channelName": "AMAZON", "marketplaceName": site},
            "fulfillment": {"fulfillmentStatus": STATES_2026[state]},
            "orderItems": items,
        }
        if priced:
            entry["proceeds"] = {"grandTotal": money(amount + order.tax * order.lines)}
        if order.replacement:
            first = {"orderId": "099-0000000-0000000", "associationType": "REPLACEMENT_ORIGINAL_ID"}
            entry["associatedOrders"] = [first]
        entries.append(entry)
    answers = [{"orders": page, "pagination": {"nextToken": "x"}} for page in pages_of(entries)]
    path.write_bytes(json.dumps(answers, indent=1).encode("utf-16"))


def amazon_xml(path, orders, site, currency, updated=None):
    """The all-orders report as XML, in the encoding that it declares."""
    parts = ['<?xml version="1.0" encoding="ISO-8859-1"?>\n<AmazonEnvelope><MessageType>AllOrdersReport']
    parts.append("</MessageType>\n")
    for order, state, amount in version(orders, updated):
        priced = state not in {"Pending", "Cancelled"}
        about = {
            "AmazonOrderID": order.id,
            "PurchaseDate": order.at.isoformat(),
            "LastUpdatedDate": order.touched(updated).isoformat(),
            "OrderStatus": state,
            "SalesChannel": site,
            "IsReplacementOrder": str(order.replacement).lower(),
        }
        parts.append("<Message><Order>" + elements(about))
        for line in range(order.lines):
            parts.append("<OrderItem>")
            code = f"{line}{order.id[4:11]}"
            parts.append(elements({"AmazonOrderItemCode": code, "SKU": f"SKU-{order.quantity}"}))
            parts.append(elements({"ProductName": "Boîte à thé", "Quantity": order.quantity}))
            if priced:
                parts.append("<ItemPrice>")
                for kind, value in (("Principal", amount / order.lines), ("Tax", order.tax)):
                    parts.append(f'<Component><Type>{kind}</Type><Amount currency="{currency}">{value}')
                    parts.append("</Amount></Component>")
                parts.append("</ItemPrice>")
            parts.append("</OrderItem>")
        parts.append("</Order></Message>\n")
    path.write_bytes(("".join(parts) + "</AmazonEnvelope>\n").encode("latin-1"))


def elements(texts):
    return "".join(f"<{name}>{escape(str(text))}</{name}>" for name, text in texts.items())


def amazon_reports(path):
    """What the Reports API says about the reports; one of them held nothing."""
    about = {"reportType": "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL"}
    times = {"dataStartTime": stamp(START), "dataEndTime": stamp(START + timedelta(days=5))}
    reports = [
        {"reportId": f"{number}", **about, **times, "processingStatus": status}
        for number, status in enumerate(("DONE", "CANCELLED"))
    ]
    path.write_text(json.dumps({"reports": reports}))


def balances(path):
    """What an account of PayPal holds at a moment, by currency: of one that is not used for the shops."""
    money = {"currency_code": "HKD", "value": "10.00"}
    entry = {"currency": "HKD", "primary": True, "total_balance": money, "available_balance": money}
    told = {"balances": [entry], "account_id": "SAVED1", "as_of_time": stamp(START)}
    path.write_text(json.dumps(told))


def finances_2024(path, orders, site, currency):
    """listTransactions: nets, with breakdowns within breakdowns; an empty page comes before the last one."""
    entries = []
    money = lambda value: {"currencyAmount": float(value), "currencyCode": currency}  # noqa: E731
    part = lambda name, value, *parts: {  # noqa: E731
        "breakdownType": name,
        "breakdownAmount": money(value),
        "breakdowns": list(parts),
    }
    for number, order in enumerate(orders):
        for count, (kind, amount, key, _, at) in enumerate(order.payments):
            fee = -(abs(amount) // 10 + 1) if kind == "pay" else Decimal(1)
            promotion = Decimal(-1) if kind == "pay" and number % 4 == 0 else Decimal(0)
            expenses = [part("Promo rebates", promotion), part("FBA fees", fee)]
            if order.tax:
                expenses.append(part("Marketplace facilitator tax", -order.tax))
            spent = promotion + fee - order.tax
            entry = {
                "transactionType": "Shipment" if kind == "pay" else "Refund",
                "transactionId": f"T{number}-{count}",
                "transactionStatus": "DEFERRED" if order.deferred else "RELEASED",
                "postedDate": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "marketplaceDetails": {"marketplaceName": site},
                "relatedIdentifiers": [
                    {"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": key},
                    {"relatedIdentifierName": "SHIPMENT_ID", "relatedIdentifierValue": f"S{number}"},
                ],
                "totalAmount": money(amount + fee),
                "breakdowns": [
                    part(
                        "Sales",
                        amount - promotion + order.tax,
                        part("Product Charges", amount - promotion),
                        part("Tax", order.tax),
                    ),
                    part("Expenses", spent, *expenses),
                ],
            }
            if order.deferred:
                entry["contexts"] = [
                    {
                        "contextType": "DeferredContext",
                        "deferralReason": "DD7",
                        "maturityDate": stamp(at + timedelta(days=7)),
                    }
                ]
            entries.append(entry)
    answers = [{"payload": {"transactions": page}} for page in [*pages_of(entries[:-1]), [], entries[-1:]]]
    path.write_text("\n".join(map(json.dumps, answers)))


def finances_v0(path, orders, site, currency):
    """listFinancialEvents: what each shipment and each refund consists of."""
    events = {
        "ShipmentEventList": [],
        "RefundEventList": [],
        "AdjustmentEventList": [{"AdjustmentType": "x"}],
    }
    money = lambda value: {"CurrencyCode": currency, "CurrencyAmount": float(value)}  # noqa: E731
    for order in orders:
        for kind, amount, key, _, at in order.payments:
            suffix = "" if kind == "pay" else "Adjustment"
            fee = -(abs(amount) // 10 + 1) if kind == "pay" else Decimal(1)
            charges = [{"ChargeType": "Principal", "ChargeAmount": money(amount)}]
            item = {f"ItemCharge{suffix}List": charges}
            item[f"ItemFee{suffix}List"] = [{"FeeType": "Commission", "FeeAmount": money(fee)}]
            if order.tax:
                charges.append({"ChargeType": "Tax", "ChargeAmount": money(order.tax)})
                withheld = {"ChargeType": "MarketplaceFacilitatorTax", "ChargeAmount": money(-order.tax)}
                item["ItemTaxWithheldList"] = [{"TaxesWithheld": [withheld]}]
            event = {"AmazonOrderId": key, "PostedDate": stamp(at), "MarketplaceName": site}
            event[f"ShipmentItem{suffix}List"] = [item]
            events["ShipmentEventList" if kind == "pay" else "RefundEventList"].append(event)
    path.write_text(json.dumps({"payload": {"FinancialEvents": events}}))


def ebay_fulfillment(path, orders, seller):
    """Pages of getOrders: eBay's tax is in the total of some, some amounts were converted."""
    entries = []
    for number, order in enumerate(orders):
        if order.state == "absent":
            continue
        tax = Decimal("1.25") if number % 3 == 0 and order.lines == 1 else Decimal(0)
        total = order.amount + tax * (number % 2)
        entry = ebay_order(order, seller, total, number)
        if tax:
            entry["lineItems"][0]["ebayCollectAndRemitTaxes"] = [{"amount": dollars(tax)}]
        entries.append(entry)
        if order.renamed:  # before it was paid it had another identifier, and the same line
            older = {"orderId": order.renamed, "orderPaymentStatus": "PENDING"}
            entries.append(entry | older | {"lastModifiedDate": stamp(order.at)})
    pages = pages_of(entries)
    answers = [{"total": len(entries), "limit": PAGE, "offset": 0, "orders": page} for page in pages]
    path.write_text(json.dumps(answers))


def dollars(value):
    return {"value": str(value), "currency": "USD"}


def ebay_order(order, seller, total, number):
    price = order.amount / order.lines
    converted = {"convertedFromValue": str(price), "convertedFromCurrency": "GBP"} if number % 5 == 0 else {}
    cancelled = order.state == "Cancelled"
    return {
        "orderId": order.id,
        "legacyOrderId": f"L{order.id}",
        "creationDate": order.at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "lastModifiedDate": (order.at + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "sellerId": seller,
        "orderPaymentStatus": "PENDING" if order.state == "Pending" else "PAID",
        "orderFulfillmentStatus": "FULFILLED" if order.state == "Shipped" else "NOT_STARTED",
        "cancelStatus": {"cancelState": "CANCELED" if cancelled else "NONE_REQUESTED"},
        "buyer": {"username": "v1|immutable"},
        "pricingSummary": {"priceSubtotal": dollars(order.amount), "total": dollars(total)},
        "lineItems": [
            {
                "lineItemId": f"7{number:09}{line}",
                "sku": "MUG",
                "quantity": order.quantity,
                "total": {**dollars(price), **converted},
            }
            for line in range(order.lines)
        ],
    }


def ebay_finances(path, orders, seller):
    """getTransactions: amounts are nets; a late fee names its order only among the references."""
    entries = []
    for number, order in enumerate(orders):
        for count, (kind, amount, key, _, at) in enumerate(order.payments):
            fee = Decimal("0.35") if kind == "pay" else Decimal("0.10")
            entry = {
                "transactionId": f"{number:09}-{count}",
                "transactionType": "SALE" if kind == "pay" else "REFUND",
                "bookingEntry": "CREDIT" if kind == "pay" else "DEBIT",
                "transactionStatus": "PAYOUT",
                "transactionDate": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "sellerId": seller,
                "orderId": key,
                "amount": dollars(abs(amount) - fee),
                "totalFeeAmount": dollars(fee),
            }
            entries.append(entry)
            if number % 7 == 0 and kind == "pay":
                late = {"references": [{"referenceId": key, "referenceType": "ORDER_ID"}], "orderId": ""}
                late |= {"transactionType": "NON_SALE_CHARGE", "bookingEntry": "DEBIT"}
                late |= {"transactionId": f"FEE{number}", "amount": dollars("0.40")}
                entries.append({**entry, **late, "totalFeeAmount": dollars("0")})
    pages = pages_of(entries)
    path.write_text(json.dumps([{"total": len(entries), "transactions": page} for page in pages]))


def paypal_search(path, orders, currency):
    """Pages of Transaction Search: holds, conversions, an identifier that comes twice, keys in three places.

    Offsets stand without a colon, as PayPal's own samples have them; the text is UTF-8 with a mark.
    """
    entries = []
    for number, order in enumerate(orders):
        first = ""
        for part, (kind, amount, key, _, at) in enumerate(order.payments):
            name = f"{number:08}{part}JS{order.id[-5:]}"
            code = "T0006" if kind == "pay" else "T1107"
            told = paypal_entry(name, code, amount, currency, at)
            if kind == "pay":
                place = number % 3
                told["transaction_info"] |= {"invoice_id": key} if place == 0 else {}
                told["transaction_info"] |= {"custom_field": key} if place == 1 else {}
                told["cart_info"] = {"item_details": [{"invoice_number": key}] if place == 2 else []}
                first = first or name
            else:
                about = {"paypal_reference_id": first, "paypal_reference_id_type": "TXN"}
                told["transaction_info"] |= about
            entries.append(told)
            if number % 9 == 4 and kind == "pay":
                again = paypal_entry(name, "T1300", amount, currency, at)
                again["transaction_info"]["transaction_status"] = "P"
                entries.append(again)
            if number % 9 == 6:
                for code, sign in (("T1501", -1), ("T1503", 1), ("T0200", -1), ("T0200", 1)):
                    entries.append(paypal_entry(f"{code}{sign}{name}", code, sign * amount, currency, at))
    pages = pages_of(entries)
    answers = [
        {
            "transaction_details": page,
            "account_number": "ACCT2",
            "total_items": len(entries),
            "total_pages": len(pages),
            "page": number,
            "last_refreshed_datetime": "2026-06-15T00:00:00+0000",
        }
        for number, page in enumerate(pages, 1)
    ]
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(answers).encode())


def paypal_entry(name, code, amount, currency, at):
    return {
        "transaction_info": {
            "transaction_id": name,
            "transaction_event_code": code,
            "transaction_status": "S",
            "transaction_initiation_date": at.astimezone(PACIFIC).strftime("%Y-%m-%dT%H:%M:%S-0700"),
            "transaction_amount": {"currency_code": currency, "value": str(amount)},
            "fee_amount": {"currency_code": currency, "value": "-1"},
        }
    }
