"""The proof as SQL that an auditor can read and run again; money is BIGINT in units of 1/10000.

Tables that are there before: ``given_files``, ``sales`` and ``moves`` (the exports' rows with the number of
their file), ``cover`` (which stretches of time the payment exports of a shop cover).
"""

from unransom.core.orders import OrderClass

# Words of which there are few are held as numbers: a proof of millions of orders stays small.
TYPES = f"""
CREATE TYPE class_word AS ENUM ({", ".join(f"'{each.value}'" for each in OrderClass)});
CREATE TEMP MACRO settled(class) AS class IN ('paid', 'paid-split', 'replacement', 'renamed', 'cancelled');
CREATE TYPE why_word AS ENUM (
    '', 'conversion', 'exact', 'market-tax', 'shop-coupon', 'channel-coupon', 'multiple', 'fee-netted', 'tax',
    'withheld', 'factor-100', 'unexplained');
CREATE TYPE refund_word AS ENUM ('none', 'partly', 'full');
CREATE TYPE state_word AS ENUM ('pending', 'placed', 'shipped', 'cancelled', 'unknown');
CREATE TYPE realm_name AS ENUM (SELECT '' UNION SELECT realm FROM given_files);
CREATE TEMP TABLE files AS
SELECT * REPLACE (id::INTEGER AS id, realm::realm_name AS realm) FROM given_files;
CREATE TEMP TABLE aliases (order_key VARCHAR, order_id VARCHAR, realm realm_name);
CREATE TYPE shop_name AS ENUM (
    SELECT '' UNION SELECT shop FROM sales WHERE shop <> ''
    UNION SELECT account FROM moves WHERE account <> '');
CREATE TYPE currency_name AS ENUM (
    SELECT '' UNION SELECT currency FROM sales WHERE currency <> ''
    UNION SELECT currency FROM moves WHERE currency <> '');
"""  # noqa: S608 our own names
# Most orders are one row of one export, and most movements come once. What comes more often is told by a
# hash, which is quick; only that is put together, and what shares a hash by chance comes out the same.
SEVERAL_LINES = """
CREATE OR REPLACE TEMP TABLE several_lines AS
SELECT hash(file, order_id) FROM sales GROUP BY ALL HAVING count(*) > 1
"""
# One row for each order and export. An order's total is stated, or else the sum of its lines.
VERSIONS = """
CREATE OR REPLACE TEMP VIEW versions AS
SELECT f.realm, s.order_id, s.file, s.shop::shop_name AS shop, s.updated, s.created,
       coalesce(s.order_total, s.line_total) AS total,
       (s.line_total IS NOT NULL OR s.order_total IS NULL)::INTEGER AS lines,
       s.tax, s.market_tax, coalesce(s.state, 'unknown')::state_word AS state,
       s.currency::currency_name AS currency,
       coalesce(s.free, false) AS free, s.row
FROM sales s JOIN files f ON f.id = s.file
WHERE s.order_id <> '' AND hash(s.file, s.order_id) NOT IN (FROM several_lines)
UNION ALL
SELECT f.realm, s.order_id, s.file, max(s.shop)::shop_name AS shop,
       max(s.updated) AS updated, min(s.created) AS created,
       coalesce(max(s.order_total), sum(s.line_total)::BIGINT) AS total,
       (count(*) FILTER (s.line_total IS NOT NULL OR s.order_total IS NULL))::INTEGER AS lines,
       sum(s.tax)::BIGINT AS tax, sum(s.market_tax)::BIGINT AS market_tax,
       coalesce(any_value(s.state) FILTER (s.state <> 'unknown'), 'unknown')::state_word AS state,
       max(s.currency)::currency_name AS currency,
       coalesce(bool_or(s.free), false) AS free,
       min(s.row) AS row
FROM sales s JOIN files f ON f.id = s.file
WHERE s.order_id <> '' AND hash(s.file, s.order_id) IN (FROM several_lines)
GROUP BY f.realm, s.order_id, s.file
"""
SEVERAL_VERSIONS = """
CREATE OR REPLACE TEMP TABLE several_versions AS
SELECT hash(order_id) FROM sales GROUP BY ALL HAVING min(file) <> max(file)
"""
# The export with the newest state of an order gives the whole order: lines are never mixed.
NEWEST = """
CREATE OR REPLACE TEMP VIEW orders AS
SELECT * FROM versions WHERE hash(order_id) NOT IN (FROM several_versions)
UNION ALL
SELECT * FROM versions WHERE hash(order_id) IN (FROM several_versions)
QUALIFY row_number() OVER (
    PARTITION BY realm, order_id ORDER BY updated DESC NULLS LAST, total IS NULL, lines DESC, file
) = 1
"""
ONLY = "CREATE OR REPLACE TEMP VIEW orders AS SELECT * FROM versions"

NAMED = """
CREATE OR REPLACE TEMP VIEW named AS
SELECT m.*, f.channel, f.unique_ids,
       hash(f.channel, m.order_key, m.line_key, m.payment_id, m.kind, m.code, m.time, m.amount) AS alike
FROM moves m JOIN files f ON f.id = m.file
"""
ALIKE = """
CREATE OR REPLACE TEMP TABLE several_alike AS
SELECT alike FROM named GROUP BY alike HAVING count(*) > 1
"""
# Within one export equal rows may all be real; across exports the same row is the same movement. Where
# a channel gives each movement an identifier of its own, an equal row is never another one.
COUNTED = """
CREATE OR REPLACE TEMP VIEW counted AS
SELECT * EXCLUDE (alike, unique_ids) FROM named WHERE alike NOT IN (FROM several_alike)
UNION ALL
SELECT * EXCLUDE (alike, unique_ids, nth) FROM (
    SELECT *, CASE WHEN unique_ids THEN 1 ELSE row_number() OVER (
        PARTITION BY file, order_key, line_key, payment_id, kind, code, time, currency, amount
    ) END AS nth
    FROM named WHERE alike IN (FROM several_alike)
)
QUALIFY row_number() OVER (
    PARTITION BY channel, order_key, line_key, payment_id, refers_to, kind, code, time, currency, amount,
                 fee, nth
    ORDER BY file, row
) = 1
"""
UNCOUNTED = "CREATE OR REPLACE TEMP VIEW counted AS SELECT * EXCLUDE (alike, unique_ids) FROM named"
DOUBLED = """
SELECT channel, payment_id, any_value(order_key) AS order_key, count(*) AS times
FROM named WHERE unique_ids AND payment_id <> '' AND alike IN (FROM several_alike)
GROUP BY channel, payment_id, kind, code, time, currency, amount HAVING count(*) > 1
"""
# A refund that names its payment belongs to that payment's order.
KEYED = """
CREATE OR REPLACE TEMP TABLE keyed AS
SELECT c.* REPLACE (coalesce(nullif(c.order_key, ''), p.order_key, '') AS order_key)
FROM counted c LEFT JOIN (
    SELECT payment_id, any_value(order_key) AS order_key FROM counted
    WHERE payment_id <> '' AND order_key <> '' AND kind = 'payment' GROUP BY payment_id
) p ON c.order_key = '' AND c.refers_to <> '' AND p.payment_id = c.refers_to
"""
UNKEYED = "CREATE OR REPLACE TEMP VIEW keyed AS SELECT * FROM counted"
# Two exports of one company may tell of the same money: of each order's payments and of its refunds, the
# one that knows most counts; fees go with the payments.
CHOSEN = """
CREATE OR REPLACE TEMP TABLE chosen AS
SELECT k.* FROM keyed k JOIN (
    SELECT system, order_key, back, arg_max(channel, weight) AS channel FROM (
        SELECT f.system, k.order_key, k.kind = 'refund' AS back, k.channel,
               coalesce(sum(abs(k.amount)) FILTER (k.kind IN ('payment', 'refund')), 0)
                 - min(f.rank) AS weight
        FROM keyed k JOIN files f ON f.id = k.file GROUP BY ALL
    ) GROUP BY ALL
) best ON best.order_key = k.order_key AND best.back = (k.kind = 'refund') AND best.channel = k.channel
"""
UNCHOSEN = "CREATE OR REPLACE TEMP VIEW chosen AS SELECT * FROM keyed"

# What each row of money is, once, so that the sums below need not ask again. Keys that a spreadsheet has
# rounded may be of many orders: their payments stay apart.
SORTED = """
CREATE OR REPLACE TEMP VIEW sorted AS
SELECT f.realm, c.order_key,
       CASE WHEN c.order_key = '' OR contains(c.order_key, 'E+') THEN c.payment_id ELSE '' END AS single,
       c.account::shop_name AS account,
       c.payment_id, c.kind = 'payment' AND c.state = 'done' AS pays,
       c.kind = 'refund' AND c.state = 'done' AS refunds,
       c.kind = 'payment' AS payment, c.kind = 'fee' AS charges, c.kind = 'withheld' AS withholds,
       c.kind IN ('payment', 'refund') AS either,
       c.kind = 'payment' AND c.state IN ('pending', 'deferred') AS waits,
       c.amount, c.fee, c.due, c.shop_coupon, c.channel_coupon,
       c.currency::currency_name AS currency, c.time, c.file, c.row
FROM chosen c JOIN files f ON f.id = c.file
WHERE c.kind IN ('payment', 'refund', 'fee', 'withheld')
  AND (c.order_key <> '' OR (c.kind = 'payment' AND c.amount > 0))
"""
RENAMED = """
CREATE OR REPLACE TEMP VIEW sorted_by_name AS
SELECT s.* REPLACE (coalesce(a.realm, s.realm) AS realm, coalesce(a.order_id, s.order_key) AS order_key)
FROM sorted s LEFT JOIN aliases a ON a.order_key = s.order_key
"""
UNRENAMED = "CREATE OR REPLACE TEMP VIEW sorted_by_name AS SELECT * FROM sorted"
SEVERAL_MOVES = """
CREATE OR REPLACE TEMP TABLE several_moves AS
SELECT hash(order_key) FROM sorted_by_name GROUP BY ALL HAVING count(*) > 1
"""
PAID = """
CREATE OR REPLACE TEMP VIEW paid AS
SELECT realm, order_key, single, account,
       CASE WHEN pays THEN amount END AS paid, pays::INTEGER AS payments,
       CASE WHEN pays THEN payment_id END AS payment_id, false AS several,
       CASE WHEN refunds THEN amount ELSE 0 END AS refunded,
       coalesce(fee, 0) + CASE WHEN charges THEN amount ELSE 0 END AS fees,
       CASE WHEN withholds THEN amount ELSE 0 END AS withheld,
       CASE WHEN waits THEN amount ELSE 0 END AS waiting, due,
       CASE WHEN payment THEN coalesce(shop_coupon, 0) ELSE 0 END AS shop_coupon,
       CASE WHEN payment THEN coalesce(channel_coupon, 0) ELSE 0 END AS channel_coupon,
       CASE WHEN either THEN currency END AS currency, false AS mixed,
       time AS paid_at, file, row
FROM sorted_by_name WHERE hash(order_key) NOT IN (FROM several_moves)
UNION ALL
SELECT realm, order_key, single, max(account) AS account,
       (sum(amount) FILTER (pays))::BIGINT AS paid, (count(*) FILTER (pays))::INTEGER AS payments,
       min(payment_id) FILTER (pays) AS payment_id,
       coalesce(min(hash(payment_id)) FILTER (pays) <> max(hash(payment_id)) FILTER (pays), false) AS several,
       coalesce(sum(amount) FILTER (refunds), 0)::BIGINT AS refunded,
       (coalesce(sum(fee), 0) + coalesce(sum(amount) FILTER (charges), 0))::BIGINT AS fees,
       coalesce(sum(amount) FILTER (withholds), 0)::BIGINT AS withheld,
       coalesce(sum(amount) FILTER (waits), 0)::BIGINT AS waiting, max(due) AS due,
       coalesce(sum(shop_coupon) FILTER (payment), 0)::BIGINT AS shop_coupon,
       coalesce(sum(channel_coupon) FILTER (payment), 0)::BIGINT AS channel_coupon,
       min(currency) FILTER (either) AS currency,
       coalesce(min(currency) FILTER (either) <> max(currency) FILTER (either), false) AS mixed,
       min(time) AS paid_at, min(file) AS file, min(row) AS row
FROM sorted_by_name WHERE hash(order_key) IN (FROM several_moves)
GROUP BY realm, order_key, single
"""
# Whether a shop's prices have the tax in them shows in which reading most of its payments fit.
CONVENTION = """
CREATE OR REPLACE TEMP TABLE convention AS
SELECT o.realm, o.shop, o.currency,
       count(*) FILTER (paid = total - tax) > count(*) FILTER (paid = total) AS inclusive
FROM orders o JOIN paid p ON o.realm = p.realm AND o.order_id = p.order_key
WHERE o.tax <> 0 GROUP BY ALL HAVING inclusive
"""
UNTAXED = """
CREATE OR REPLACE TEMP TABLE convention (
    realm realm_name, shop shop_name, currency currency_name, inclusive BOOLEAN)
"""
CLASSIFIED = """
CREATE OR REPLACE TEMP TABLE classified AS
WITH joined AS (
    SELECT coalesce(o.realm, p.realm) AS realm, coalesce(o.shop, p.account) AS shop,
           coalesce(o.order_id, p.order_key) AS order_id,
           coalesce(nullif(o.currency, ''::currency_name), p.currency) AS currency,
           o.order_id IS NOT NULL AS has_order, o.state, o.free, o.total, o.tax, o.market_tax, o.lines,
           o.created, o.updated, o.file AS order_file, o.row AS order_row,
           p.paid, coalesce(p.payments, 0) AS payments,
           coalesce(p.several, false) AS several,
           coalesce(p.refunded, 0) AS refunded, coalesce(p.fees, 0) AS fees,
           coalesce(p.withheld, 0) AS withheld,
           coalesce(p.waiting, 0) AS waiting, p.due, coalesce(p.shop_coupon, 0) AS shop_coupon,
           coalesce(p.channel_coupon, 0) AS channel_coupon, p.paid_at, p.payment_id,
           p.currency AS paid_currency, p.mixed, p.file AS payment_file, p.row AS payment_row
    FROM orders o FULL OUTER JOIN paid p ON o.realm = p.realm AND o.order_id = p.order_key
), expecting AS (
    SELECT j.*, j.total - CASE WHEN c.inclusive THEN coalesce(j.tax, 0) ELSE 0 END AS expected
    FROM joined j LEFT JOIN convention c USING (realm, shop, currency)
), explaining AS (
    SELECT *, CASE
        WHEN paid IS NULL OR NOT has_order OR expected IS NULL THEN ''::why_word
        WHEN mixed OR paid_currency <> currency THEN 'conversion'::why_word
        WHEN paid = expected THEN 'exact'::why_word
        WHEN market_tax <> 0 AND paid = expected - market_tax THEN 'market-tax'::why_word
        WHEN shop_coupon <> 0 AND paid = expected - shop_coupon THEN 'shop-coupon'::why_word
        WHEN channel_coupon <> 0 AND paid = expected - channel_coupon THEN 'channel-coupon'::why_word
        WHEN expected > 0 AND paid > expected AND paid % expected = 0 THEN 'multiple'::why_word
        WHEN paid = expected + fees AND fees <> 0 THEN 'fee-netted'::why_word
        WHEN tax <> 0 AND (paid = total - tax OR paid = total + tax) THEN 'tax'::why_word
        WHEN paid = expected + withheld AND withheld <> 0 THEN 'withheld'::why_word
        WHEN paid * 100 = expected OR paid = expected * 100 THEN 'factor-100'::why_word
        ELSE 'unexplained'::why_word END AS why
    FROM expecting
)
SELECT realm, shop, order_id, currency,
    has_order, state, total, expected, paid, payments, refunded, fees, lines,
    created, updated, due, paid_at, payment_id, tax, order_file, order_row, payment_file,
    payment_row, why,
    (CASE
    WHEN NOT has_order THEN 'payment-without-order'::class_word
    WHEN state = 'cancelled' THEN
        CASE WHEN coalesce(paid, 0) + refunded > 0 THEN 'cancelled-paid'::class_word
             ELSE 'cancelled'::class_word END
    WHEN coalesce(expected, 0) = 0 AND free AND coalesce(paid, 0) = 0 THEN 'replacement'::class_word
    WHEN paid IS NULL THEN
        CASE WHEN state = 'pending' OR waiting <> 0 THEN 'not-due'::class_word
             ELSE 'order-without-payment'::class_word END
    WHEN why IN ('exact', 'market-tax', 'shop-coupon', 'channel-coupon') THEN
        CASE WHEN several THEN 'paid-split'::class_word ELSE 'paid'::class_word END
    WHEN why = 'multiple' THEN 'paid-twice'::class_word
    ELSE 'amount-differs'::class_word END) AS class,
    (CASE WHEN refunded = 0 THEN 'none'::refund_word
          WHEN -refunded >= coalesce(paid, 0) THEN 'full'::refund_word
          ELSE 'partly'::refund_word END) AS refund
FROM explaining
"""
# Of orders without a payment: is the payment due yet, and does any export cover its time?
DUE = """
UPDATE classified SET class = d.class, due = d.due FROM (
    SELECT u.realm, u.order_id,
           CASE WHEN bool_or(u.moment BETWEEN v.start AND v.until) THEN 'order-without-payment'
                WHEN max(v.until) IS NULL OR u.moment <= max(v.until) THEN 'no-evidence'
                ELSE 'not-due' END AS class,
           CASE WHEN u.moment > max(v.until) THEN greatest(max(v.next), u.moment) END AS due
    FROM (SELECT realm, order_id, shop,
                 CASE WHEN realm = 'amazon' THEN coalesce(updated, created) ELSE created END AS moment
          FROM classified WHERE class = 'order-without-payment') u
    LEFT JOIN cover v ON v.realm = u.realm AND v.shop = u.shop
    GROUP BY u.realm, u.order_id, u.moment
) d
WHERE classified.realm = d.realm AND classified.order_id = d.order_id
  AND classified.class = 'order-without-payment'
"""
# An order may get another identifier when it is paid (eBay's do): the one that waits under the older is it
# again where each of its lines, which have identifiers of their own, is a line of one other order.
RENAMES = """
UPDATE classified SET class = 'renamed' FROM (
    SELECT realm, order_id FROM (
        SELECT w.realm, w.order_id, w.lines, c.order_id AS later, count(DISTINCT s.line_id) AS found
        FROM classified w
        JOIN sales s ON s.file = w.order_file AND s.order_id = w.order_id AND s.line_id <> ''
        JOIN sales t ON t.line_id = s.line_id AND t.order_id <> s.order_id
        JOIN classified c ON c.order_file = t.file AND c.order_id = t.order_id
             AND c.realm = w.realm AND c.shop = w.shop AND c.state <> 'pending'
        WHERE w.state = 'pending' AND w.class = 'not-due' GROUP BY ALL
    ) WHERE found = lines GROUP BY ALL HAVING count(*) = 1
) r
WHERE classified.realm = r.realm AND classified.order_id = r.order_id
"""
# Proposals for a person, never more: the same money in the same currency within a quarter of an hour.
PROPOSED = """
SELECT p.realm, p.order_id AS key, list(o.order_id ORDER BY o.order_id)[1:5] AS candidates
FROM classified p JOIN classified o
  ON o.class IN ('order-without-payment', 'no-evidence') AND o.currency = p.currency AND o.expected = p.paid
 AND o.created BETWEEN p.paid_at - INTERVAL 15 MINUTE AND p.paid_at + INTERVAL 15 MINUTE
WHERE p.class = 'payment-without-order' GROUP BY ALL
"""
# ``expected`` has the hours in which declared shops are open; what no export of orders reaches is not proven.
HOURS = """
CREATE OR REPLACE TEMP TABLE hours AS
WITH open AS (
    SELECT DISTINCT e.realm, e.shop, CASE WHEN coalesce(g.coarse, false) THEN date_trunc('day', e.hour)
                                          ELSE e.hour END AS hour
    FROM expected e LEFT JOIN grain g ON g.realm = e.realm AND g.shop = e.shop
), reach AS (
    SELECT f.realm, s.shop, t.start, t.until
    FROM (SELECT DISTINCT file, shop FROM sales) s JOIN files f ON f.id = s.file
    JOIN (SELECT file, date_trunc('hour', min(created)) AS start, max(created) AS until
          FROM sales GROUP BY file) t ON t.file = s.file
), placed AS (
    SELECT realm, shop, class, coalesce(created, paid_at) AS placed_at FROM classified
), counted AS (
    SELECT p.realm, p.shop,
           date_trunc(CASE WHEN g.coarse THEN 'day' ELSE 'hour' END, placed_at) AS hour,
           count(*) AS orders,
           count(*) FILTER (settled(class)) AS proven,
           count(*) FILTER (class = 'payment-without-order') AS only_paid
    FROM placed p JOIN grain g ON g.realm = p.realm AND g.shop = p.shop
    WHERE placed_at IS NOT NULL GROUP BY ALL
), spans AS (
    SELECT c.realm, c.shop, unnest(generate_series(min(hour), max(hour),
           CASE WHEN any_value(g.coarse) THEN INTERVAL 1 DAY ELSE INTERVAL 1 HOUR END)) AS hour
    FROM counted c JOIN grain g ON g.realm = c.realm AND g.shop = c.shop GROUP BY c.realm, c.shop
    HAVING count(*) < 20000 AND max(hour) - min(hour) < INTERVAL 400 DAY
), usual AS (
    SELECT realm, shop, hour(hour) AS clock, avg(orders) AS usual FROM counted GROUP BY ALL
), stretch AS (
    SELECT realm, shop, hour FROM spans UNION SELECT realm, shop, hour FROM open
)
SELECT s.realm, s.shop, s.hour, coalesce(c.orders, 0) AS orders, coalesce(c.proven, 0) AS proven,
       coalesce(c.only_paid, 0) AS only_paid, round(coalesce(u.usual, 0), 1) AS usual,
       CASE WHEN EXISTS (SELECT 1 FROM doubts d WHERE d.realm = s.realm AND d.shop IN (s.shop, '')
                         AND s.hour BETWEEN date_trunc('day', d.start) AND d.until) THEN 'not-proven'
            WHEN o.hour IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM reach r WHERE r.realm = s.realm AND r.shop = s.shop
                AND s.hour BETWEEN CASE WHEN g.coarse THEN date_trunc('day', r.start) ELSE r.start END
                               AND r.until) THEN 'no-export'
            WHEN o.hour IS NULL AND coalesce(c.orders, 0) = 0
                 AND (s.realm, s.shop) IN (SELECT (realm, shop) FROM open) THEN 'closed'
            WHEN coalesce(c.orders, 0) = 0 AND coalesce(u.usual, 0) >= 3 THEN 'empty'
            WHEN coalesce(c.orders, 0) > coalesce(c.proven, 0) THEN 'open'
            ELSE 'proven' END AS state
FROM stretch s LEFT JOIN counted c ON c.realm = s.realm AND c.shop = s.shop AND c.hour = s.hour
LEFT JOIN open o ON o.realm = s.realm AND o.shop = s.shop AND o.hour = s.hour
LEFT JOIN grain g ON g.realm = s.realm AND g.shop = s.shop
LEFT JOIN usual u ON u.realm = s.realm AND u.shop = s.shop AND u.clock = hour(s.hour)
ORDER BY s.realm, s.shop, s.hour
"""
CLASSES = "SELECT class, count(*) FROM classified GROUP BY class"
ORPHANS = "SELECT order_id, payment_id FROM classified WHERE class = 'payment-without-order'"
WAITING = """
SELECT c.realm, c.order_id, s.payment_ref FROM classified c LEFT JOIN (
    SELECT file, order_id, max(payment_ref) AS payment_ref FROM sales WHERE payment_ref <> '' GROUP BY ALL
) s ON s.file = c.order_file AND s.order_id = c.order_id
WHERE c.has_order AND c.class IN ('order-without-payment', 'no-evidence', 'not-due')
"""
UNPROVEN = """
SELECT count(*) FROM classified WHERE NOT settled(class)
"""
PLACED = "SELECT min(created), max(created) FROM classified"
OPEN_HOURS = """
SELECT realm, shop, count(*) FROM hours WHERE state IN ('no-export', 'empty', 'not-proven')
GROUP BY ALL ORDER BY ALL
"""
