"""Rows of the client library as the core's words, exactly. What cannot be read is an error, never a guess."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any, TypeVar

from buddy.core.errors import CouldNotRead
from buddy.core.exchange import (
    Balance,
    Fill,
    Income,
    IncomeKind,
    Liquidity,
    OrderKind,
    OrderState,
    OrderStatus,
    PositionState,
    Quote,
)
from buddy.core.market import ONE, ZERO, Instrument, MarginTier, OrderSide, Side

from .client_names import from_venue
from .recipe import Ledger, Purse, Recipe, at
from .venues import Venue

Row = Mapping[str, Any]
T = TypeVar("T")

ID_LENGTH = 60
"""What fits where executions and income are kept; the end of an id is what differs."""

STATUSES = {
    "open": OrderStatus.OPEN,
    "closed": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "canceling": OrderStatus.OPEN,
    "rejected": OrderStatus.REJECTED,
    "expired": OrderStatus.EXPIRED,
    "triggered": OrderStatus.OPEN,
    "pending": OrderStatus.OPEN,
    "pending_new": OrderStatus.OPEN,
}


def understood(read: Callable[[], T]) -> T:
    """What is not as it should be in a venue's answer is one more way of not having read it."""
    try:
        return read()
    except (ValueError, KeyError, TypeError, IndexError, ArithmeticError) as error:
        raise CouldNotRead(f"The venue gave an answer we cannot read ({type(error).__name__}).") from None


def number(value: Any) -> Decimal | None:
    """Exact; None for what is not there. Raises CouldNotRead for what is no number."""
    if value is None or value == "":
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise CouldNotRead("The venue told a number that is none.") from None


def needed(value: Any, what: str) -> Decimal:
    found = number(value)
    if found is None:
        raise CouldNotRead(f"The venue did not tell the {what}.")
    return found


def positive(value: Any) -> Decimal | None:
    """None also for a zero that stands for nothing."""
    return number(value) or None


# --- markets ----------------------------------------------------------------------------------------------------------


def is_ours(market: Row, venue: Venue) -> bool:
    """What is traded at the venue, and can be now: a linear perpetual; or coins for the currency of its accounts."""
    return is_active(market, venue) and is_our_kind(market, venue)


def is_active(market: Row, venue: Venue) -> bool:
    """Open, and with the kinds of orders that protect."""
    return market.get("active") is not False and all(
        words <= _told_of(market, name) for name, words in venue.insists.items() if _told_of(market, name)
    )


def _told_of(market: Row, name: str) -> set[str]:
    told = (market.get("info") or {}).get(name)
    return set() if told is None else {str(each) for each in (told if isinstance(told, list) else [told])}


def is_our_kind(market: Row, venue: Venue) -> bool:
    if venue.exits.is_spot:
        return bool(market.get("spot")) and market["symbol"] == f"{market['base']}/{venue.settle}"
    return bool(market.get("swap") and market.get("linear"))


def settle_of(market: Row) -> str:
    """What coins are paid with is what their market is settled in."""
    return str(market.get("settle") or market["quote"])


def tick_of(market: Row, venue: Venue) -> Any:
    told = (market.get("info") or {}).get(venue.tick) if venue.tick else None
    return told or market["precision"]["price"]


def instrument(market: Row, venue: Venue, tiers: tuple[MarginTier, ...]) -> Instrument:
    """`tiers` are empty for coins, which are owned outright."""
    limits = market["limits"]
    highest = tiers[0].max_leverage if tiers else ONE
    most = number((limits.get("leverage") or {}).get("max")) or highest
    return Instrument(
        symbol=market["symbol"],
        base=market["base"],
        quote=market["quote"],
        settle=settle_of(market),
        tick_size=plain(needed(tick_of(market, venue), "tick size")),
        lot_size=plain(needed(market["precision"]["amount"], "lot size")),
        min_quantity=number(limits["amount"].get("min")) or ZERO,
        min_notional=number(limits["cost"].get("min")) or ZERO,
        max_quantity=positive(limits["amount"].get("max")),
        market_max_quantity=positive((limits.get("market") or {}).get("max")),
        contract_size=number(market.get("contractSize")) or ONE,
        max_leverage=min(most, highest),
        tiers=tiers,
        spot=venue.exits.is_spot,
        active=is_active(market, venue),
    )


def plain(value: Decimal) -> Decimal:
    """Without the zeros at the end, and without an exponent."""
    return Decimal(f"{value.normalize():f}")


def margin_tiers(rows: list[Row]) -> tuple[MarginTier, ...]:
    """The ladder, lowest first; each deduction makes the maintenance margin continuous."""
    ladder = sorted(rows, key=lambda row: needed(row["minNotional"], "tier"))
    built: list[MarginTier] = []
    amount, cap, rate = ZERO, ZERO, ZERO
    for step, row in enumerate(ladder):
        new = needed(row["maintenanceMarginRate"], "maintenance rate")
        amount += cap * (new - rate) if built else ZERO
        cap, rate = number(row["maxNotional"]) or ZERO, new
        last = step == len(ladder) - 1
        most = positive(row["maxLeverage"]) or _customary_leverage(rate)
        built.append(MarginTier(None if last else cap, rate, amount, most))
    return tuple(built)


def _customary_leverage(maintenance_rate: Decimal) -> Decimal:
    """Where the venue does not tell: what venues allow is the inverse of twice the maintenance rate."""
    return max(ONE, (1 / (2 * maintenance_rate)).to_integral_value(ROUND_FLOOR)) if maintenance_rate else ONE


# --- orders -----------------------------------------------------------------------------------------------------------


UNIFIED_TRIGGERS = ("triggerPrice", "stopLossPrice", "takeProfitPrice", "stopPrice")


def trigger_of(row: Row, recipe: Recipe) -> Decimal | None:
    """What it waits for. Protection attached to an order is not its trigger."""
    raw = row.get("info") or {}
    if _is_plain(raw, recipe):
        return None
    fields, found = (recipe.trigger_at, raw) if recipe.trigger_at else (UNIFIED_TRIGGERS, row)
    return next((trigger for name in fields if (trigger := positive(found.get(name)))), None)


def _is_plain(raw: Row, recipe: Recipe) -> bool:
    return bool(recipe.plain_if) and recipe.plain_if in raw


def exchange_id_of(row: Row, recipe: Recipe) -> str:
    raw = row.get("info") or {}
    return str((raw.get(recipe.plain_id) if _is_plain(raw, recipe) else row.get("id")) or "")


def client_id_of(row: Row, recipe: Recipe) -> str:
    raw = row.get("info") or {}
    named = next((str(raw[name]) for name in recipe.client_id_at if raw.get(name)), "")
    return from_venue(named or str(row.get("clientOrderId") or ""), recipe.names)


def kind_of(row: Row, trigger: Decimal | None, price: Decimal | None) -> OrderKind:
    if trigger is None:
        return OrderKind.MARKET if "market" in str(row.get("type") or "").lower() else OrderKind.LIMIT
    is_market = price is None or "market" in str(row.get("type") or "").lower()
    return OrderKind.STOP_MARKET if is_market else OrderKind.STOP_LIMIT


def status_of(row: Row, filled: Decimal, quantity: Decimal) -> OrderStatus:
    told = str(row.get("status") or "open").lower()
    if told not in STATUSES:
        raise CouldNotRead(f"The venue told an order status we do not know ({told[:40]}).")
    status = STATUSES[told]
    if status is OrderStatus.OPEN and filled:
        return OrderStatus.PARTIAL
    if status is OrderStatus.FILLED and row.get("filled") is not None and filled < quantity:
        return OrderStatus.CANCELLED  # over, and not all of it executed
    return status


def waiting_status(row: Row, raw: Row, recipe: Recipe) -> OrderStatus:
    """A conditional order is "closed" once it triggered; what executed is known of the order it became alone."""
    status = status_of({**row, "filled": None}, ZERO, ZERO)
    if status is not OrderStatus.FILLED or child_of(raw, recipe):
        return status
    return OrderStatus.EXPIRED if raw.get("algoStatus") == "FINISHED" else OrderStatus.OPEN  # still on its way


def order_state(row: Row, recipe: Recipe, symbol: str) -> OrderState:
    """One row of the library. A conditional order that has triggered still lacks what its child executed."""
    raw = row.get("info") or {}
    quantity, filled = number(row.get("amount")) or ZERO, number(row.get("filled")) or ZERO
    trigger, price = trigger_of(row, recipe), positive(row.get("price"))
    kind, exchange_id = kind_of(row, trigger, price), exchange_id_of(row, recipe)
    if not exchange_id:
        raise CouldNotRead("The venue told an order without its number.")
    has_child = trigger is not None and bool(recipe.child)
    return OrderState(
        client_id=client_id_of(row, recipe),
        exchange_id=exchange_id,
        symbol=str(row.get("symbol") or symbol),
        order_side=OrderSide(row["side"]),
        kind=kind,
        quantity=quantity,
        status=waiting_status(row, raw, recipe) if has_child else status_of(row, filled, quantity),
        filled=ZERO if has_child else filled,
        price=price if kind in (OrderKind.LIMIT, OrderKind.STOP_LIMIT) else None,
        trigger=trigger,
        reduce_only=bool(row.get("reduceOnly")),
        time=int(row.get("timestamp") or 0),
        child_id=child_of(raw, recipe) if has_child else "",
        is_attached=starts_as(raw, recipe.attached_mark),
        average=None if has_child else positive(row.get("average")),
    )


def starts_as(raw: Row, mark: tuple[str, frozenset[str]]) -> bool:
    """Whether the field that a recipe's mark names begins with one of its words."""
    name, words = mark
    return bool(name) and str(raw.get(name) or "").startswith(tuple(words))


def child_of(raw: Any, recipe: Recipe) -> str:
    child = at(raw, recipe.child) if recipe.child else None
    return str(child) if child not in (None, "", 0, "0") else ""


def with_child(order: OrderState, child: OrderState) -> OrderState:
    """A triggered order tells of itself only that it triggered; what executed is told by the order it became."""
    return replace(order, status=child.status, filled=child.filled, child_id=child.exchange_id, average=child.average)


# --- positions, money -------------------------------------------------------------------------------------------------


def position_state(row: Row) -> PositionState | None:
    """None for a row that says that nothing is held."""
    quantity = number(row.get("contracts"))
    if quantity is None:
        raise CouldNotRead("The venue told a position without its size.")
    if not quantity:
        return None
    return PositionState(
        symbol=str(row["symbol"]),
        side=Side(told) if (told := row.get("side")) in ("long", "short") else _side_of(quantity),
        quantity=abs(quantity),
        average_entry=needed(row.get("entryPrice"), "entry price"),
        liquidation_price=positive(row.get("liquidationPrice")),
        margin_mode=str(row.get("marginMode") or ""),
        leverage=positive(row.get("leverage")),
    )


def _side_of(quantity: Decimal) -> Side:
    """Where positions of one-way accounts tell their side by the sign alone."""
    return Side.LONG if quantity > 0 else Side.SHORT


def balance_of(answer: Any, purse: Purse, currency: str) -> Balance:
    """`answer`: the venue's own. A currency it does not list is one of which nothing is held."""
    rows = at(answer, purse.rows)
    listed = rows if isinstance(rows, list) else [rows]
    mine = next((row for row in listed if isinstance(row, dict) and _is(row, purse, currency)), None)
    if rows is None:
        raise CouldNotRead("The venue did not tell the balance.")
    if mine is None:
        return Balance(ZERO, ZERO, ZERO)
    equity = needed(mine.get(purse.equity), "equity")
    wallet = number(mine.get(purse.wallet)) if purse.wallet else equity - (number(mine.get(purse.unrealised)) or ZERO)
    free = number(at(answer, purse.free_at)) if purse.free_at else number(mine.get(purse.free))
    if free is None:
        free = equity - sum((number(mine.get(name)) or ZERO for name in purse.tied), ZERO)
    return Balance(equity if wallet is None else wallet, equity, max(free, ZERO))


def _is(row: Row, purse: Purse, currency: str) -> bool:
    return not purse.currency or row.get(purse.currency) == currency


# --- what happened ----------------------------------------------------------------------------------------------------


def fill_of(row: Row, client_id: str, fee: Decimal, withheld: Decimal, liquidation: bool) -> Fill:
    if not row.get("id"):
        raise CouldNotRead("The venue told an execution without its number.")
    return Fill(
        fill_id=f"{row['symbol']}:{row['id']}"[-ID_LENGTH:],
        exchange_id=str(row.get("order") or ""),
        client_id=client_id,
        symbol=str(row["symbol"]),
        order_side=OrderSide(row["side"]),
        price=needed(row.get("price"), "price of an execution"),
        quantity=needed(row.get("amount"), "quantity of an execution"),
        fee=fee,
        liquidity=Liquidity.MAKER if row.get("takerOrMaker") == "maker" else Liquidity.TAKER,
        time=int(row["timestamp"]),
        liquidation=liquidation,
        withheld=withheld,
        raw=dict(row.get("info") or {}),
    )


def income_of(raw: Row, ledger: Ledger, symbol: str, amount: Decimal, time: int) -> Income:
    kind = str(raw.get(ledger.kind) or "")
    return Income(
        income_id=":".join(str(raw.get(name) or "") for name in ledger.id)[-ID_LENGTH:],
        kind=IncomeKind.FUNDING if kind in ledger.funding else IncomeKind.OTHER,
        symbol=symbol,
        amount=amount,
        time=time,
        raw=dict(raw),
        side=_side_of(size) if ledger.position and (size := number(raw.get(ledger.position))) else None,
    )


def quote_of(ticker: Row, mark: Decimal | None, time: int) -> Quote:
    last = needed(ticker.get("last"), "price")
    return Quote(
        symbol=str(ticker["symbol"]),
        last=last,
        mark=mark or last,
        time=time,
        bid=positive(ticker.get("bid")),
        ask=positive(ticker.get("ask")),
    )
