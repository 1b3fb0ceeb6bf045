"""What must be in the end where coins are owned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext

from buddy.core.costs import PRECISE
from buddy.core.exchange import Reading
from buddy.core.market import ZERO, Side, sellable
from buddy.exchanges.models import Account
from buddy.prepared import Select
from buddy.trading.case import Case
from buddy.trading.figures import kept
from buddy.trading.models import Fill, Order, Trade
from buddy.trading.moments import to_ms
from buddy.trading.states import WORKING

from .at_once import not_as_planned, not_booked
from .books import WALLET
from .clock import SECOND
from .coin_books import CoinBook
from .coin_witness import CoinWitness
from .invariants import Broken
from .markets import Way

SEEN_WITHIN = 10 * SECOND
"""A look ends a trade so soon after its last execution."""
_ORDERS = Select(lambda account: Order.objects.filter(account_id=account).values_list("client_id", "trade_id"))
_WORKING = Select(lambda account: Trade.objects.filter(account_id=account, status__in=WORKING))
_CLOSED = Select(lambda account: Trade.objects.filter(account_id=account, status=Trade.Status.CLOSED))
_FILLS = Select(lambda account: Fill.objects.filter(account_id=account))


def held_is_there(found: list[Case], reading: Reading) -> Iterator[Broken]:
    """No more is believed in than there is; what lies beside it is the trader's own."""
    believed: dict[str, Decimal] = defaultdict(Decimal)
    for case in found:
        believed[case.trade.symbol] += case.position.held
    there = {position.symbol: position.quantity for position in reading.positions}
    for symbol, quantity in believed.items():
        if quantity > there.get(symbol, ZERO):
            yield not_as_planned(symbol, f"we believe in {quantity} {symbol}, and there are {there.get(symbol, ZERO)}")


def sales_are_whole(account: Account, book: CoinBook, witness: CoinWitness) -> Iterator[Broken]:
    """All that can be sold is under stops, or being sold at a target that the price has reached."""
    by_trade: dict[int, list[Decimal]] = defaultdict(list)
    known = dict(_ORDERS.rows(account=account.pk))
    for each in book.sales():
        name = each.intent.client_id.removeprefix("sl-")
        if name in known:
            by_trade[known[name]].append(each.remaining)
    for trade in _WORKING.rows(account=account.pk):
        if trade.status != Trade.Status.OPEN or trade.hands_off or trade.symbol in witness.short:
            continue
        held = witness.left[trade.pk]
        price = min(Decimal(trade.plan["stop"]["price"]), book.quote(trade.symbol).last)
        whole, resting = sellable(book.markets[trade.symbol], held, price), by_trade[trade.pk]
        if sum(resting, ZERO) not in (whole, book.markets[trade.symbol].round_quantity(held)):  # it may rest on
            told = ", ".join(f"{left:f}" for left in resting) or "nothing"
            yield not_as_planned(f"stops of {trade.pk}", f"trade {trade.pk} has {held}, and its sales are of {told}")


def too_few_to_close(book: CoinBook, witness: CoinWitness) -> set[int]:
    """Working trades with less than can be sold now: what rests of them rests on."""
    found = set()
    for trade in _WORKING.rows(account=witness.account):
        last = book.quote(trade.symbol).last
        found |= set() if sellable(book.markets[trade.symbol], witness.left[trade.pk], last) else {trade.pk}
    return found


def all_is_sold(account: Account, ways: Mapping[str, Way], witness: CoinWitness) -> Iterator[Broken]:
    """Only dust is left of what our trades have bought: it was when the trade was closed, whatever it is worth now."""
    for trade in _CLOSED.rows(account=account.pk):
        assert trade.closed_at is not None
        closed = to_ms(trade.closed_at)
        left, price = witness.left[trade.pk], ways[trade.symbol].lowest(closed, closed + SEEN_WITHIN)
        if trade.symbol not in witness.short and sellable(witness.book.markets[trade.symbol], left, price):
            yield not_as_planned(f"trade {trade.pk}", f"trade {trade.pk} is closed, and {left} of it can be sold")


def money_agrees(account: Account, book: CoinBook) -> Iterator[Broken]:
    """Money, coins, and the net of each trade, of which the coins that stay leave it at what they cost."""
    fills = _FILLS.rows(account=account.pk)
    real = [fill for fill in fills if not fill.raw.get("taken")]
    with localcontext(PRECISE):
        change = sum((_money(fill) for fill in real), ZERO)
        if change != book.wallet - WALLET:
            yield from not_booked("the wallet's change", change, book.wallet - WALLET)
        yield from _coins_agree(real, book)
        for trade in _CLOSED.rows(account=account.pk):
            net = _net([fill for fill in fills if fill.trade_id == trade.pk])
            yield from not_booked(f"net of trade {trade.pk}", trade.net, kept(net))


def _coins_agree(fills: list[Fill], book: CoinBook) -> Iterator[Broken]:
    owned = book.own()
    for fill in fills:
        coin = book.markets[fill.symbol].base
        owned[coin] += fill.quantity - fill.withheld if fill.order_side == "buy" else -fill.quantity
    for symbol, market in book.markets.items():
        there = book.held(symbol, Side.LONG)
        if owned[market.base] != there:
            yield from not_booked(f"coins of {market.base}", owned[market.base], there)


def _money(fill: Fill) -> Decimal:
    """A fee that was taken in coins is not taken in money."""
    value: Decimal = fill.price * fill.quantity
    fee: Decimal = ZERO if fill.withheld else fill.fee
    return (value if fill.order_side == "sell" else -value) - fee


def _net(fills: list[Fill]) -> Decimal:
    entries = [fill for fill in fills if fill.order_side == "buy"]
    exits = [fill for fill in fills if fill.order_side == "sell"]
    bought, sold = (sum((fill.quantity - fill.withheld for fill in each), ZERO) for each in (entries, exits))
    paid, earned = (
        sum(((fill.quantity - fill.withheld) * fill.price for fill in each), ZERO) for each in (entries, exits)
    )
    cost = paid * sold / bought if bought else ZERO
    return earned - cost - sum((fill.fee for fill in fills), ZERO)
