"""Sales and payment channels, one export shape per file; ``CHANNELS`` holds them all."""

from unransom.catalog.channels import (
    alipay_fund,
    alipay_personal,
    alipay_settlement,
    alipay_summary,
    alipay_trade,
    alipay_transactions,
    amazon_finances,
    amazon_orders,
    amazon_orders_2026,
    amazon_orders_v0,
    amazon_orders_xml,
    amazon_reports,
    amazon_settlement,
    amazon_settlement_v1,
    ebay_finances,
    ebay_fulfillment,
    ebay_orders,
    ebay_transactions,
    own_orders,
    paypal_activity,
    paypal_balances,
    paypal_settlement,
    paypal_transactions,
)
from unransom.catalog.exports.channel import Channel

CHANNELS: tuple[Channel, ...] = (
    amazon_orders.CHANNEL,
    amazon_orders_xml.CHANNEL,
    amazon_orders_v0.CHANNEL,
    amazon_orders_2026.CHANNEL,
    amazon_settlement.CHANNEL,
    amazon_settlement_v1.CHANNEL,
    amazon_finances.CHANNEL,
    amazon_reports.CHANNEL,
    ebay_fulfillment.CHANNEL,
    ebay_orders.CHANNEL,
    ebay_transactions.CHANNEL,
    ebay_finances.CHANNEL,
    paypal_activity.CHANNEL,
    paypal_balances.CHANNEL,
    paypal_settlement.CHANNEL,
    paypal_transactions.CHANNEL,
    alipay_trade.CHANNEL,
    alipay_fund.CHANNEL,
    alipay_summary.CHANNEL,
    alipay_personal.CHANNEL,
    alipay_settlement.CHANNEL,
    alipay_transactions.CHANNEL,
    own_orders.CHANNEL,
)


def recognise(head: bytes) -> Channel | None:
    """Return the channel whose marks the beginning of a file has most of, None where it has none.

    Args:
        head: The first ``HEAD`` bytes.
    """
    marks = [(channel.recognise(head), -place) for place, channel in enumerate(CHANNELS)]
    most, place = max(marks)
    return CHANNELS[-place] if most else None
