"""The simulated exchange as plain JSON and back: decimals as strings, nothing lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import fields
from decimal import Decimal
from enum import Enum
from typing import Any

from .exchange import Beside, Fill, Income, IncomeKind, Liquidity, OrderIntent, OrderKind, OrderStatus, TriggerBy
from .market import ZERO, Candle, Instrument, OrderSide, Side
from .matching import Logged, Matching
from .simulated_books import Holding, Resting, Setup
from .simulated_market import FundingRate, Opening, Rest, Step, SymbolMarket, Tick
from .watching import Watch

FIGURES = ("price", "quantity", "fee", "withheld")
"""Of a fill."""


def dump(exchange: Matching) -> dict[str, Any]:
    """Everything but the instruments, the costs and the order of extremes, which belong to the account."""
    books = exchange.books
    return {
        "wallet": str(books.wallet),
        "holdings": {s: [h.side.value, str(h.quantity), str(h.weight)] for s, h in books.holdings.items()},
        "coins": {coin: str(quantity) for coin, quantity in books.coins.items()},
        "setups": {s: [str(v.leverage), v.margin_mode] for s, v in books.setups.items()},
        "orders": [_order(order) for order in exchange.orders.values()],
        "closed": [_order(order) for order in exchange.closed.values()],
        "log": [[each.number, _plain(each.row)] for each in exchange.log],
        "funding": {s: [[r.time, str(r.rate)] for r in rates] for s, rates in exchange.funding.items() if rates},
        "markets": {symbol: _market(market) for symbol, market in exchange.markets.items()},
        "number": exchange.number,
        "slices": exchange.slices,
        "waiting": exchange.waiting,
    }


def load(exchange: Matching, state: dict[str, Any]) -> None:
    """Make `exchange` what `dump` was given."""
    books = exchange.books
    books.wallet = Decimal(state["wallet"])
    books.holdings = {s: _held(exchange.instruments[s], row) for s, row in state["holdings"].items()}
    books.coins = {coin: Decimal(quantity) for coin, quantity in state.get("coins", {}).items()}
    books.setups = {s: Setup(Decimal(leverage), mode) for s, (leverage, mode) in state["setups"].items()}
    exchange.orders = _keyed(_order_of(row) for row in state["orders"])
    exchange.closed = _keyed(_order_of(row) for row in state["closed"])
    exchange.log = [Logged(number, _row_of(row)) for number, row in state["log"]]
    exchange.funding = {s: [FundingRate(t, Decimal(r)) for t, r in rates] for s, rates in state["funding"].items()}
    exchange.markets = {symbol: _market_of(row) for symbol, row in state["markets"].items()}
    exchange.number, exchange.slices, exchange.waiting = state["number"], state["slices"], state["waiting"]


def _plain(record: OrderIntent | Fill | Income) -> dict[str, Any]:
    values = {f.name: getattr(record, f.name) for f in fields(record)}
    return {name: _value(value) for name, value in values.items() if value is not None}


def _value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Beside):
        return [value.client_id, str(value.price)]
    return value.value if isinstance(value, Enum) else value


def _order(order: Resting) -> dict[str, Any]:
    return {
        "intent": _plain(order.intent),
        "exchange_id": order.exchange_id,
        "time": order.time,
        "status": order.status.value,
        "filled": str(order.filled),
        "live": order.live,
        "was_resting": order.was_resting,
        "touched": order.touched,
        "other": order.other,
    }


def _order_of(row: dict[str, Any]) -> Resting:
    return Resting(
        _intent_of(row["intent"]),
        row["exchange_id"],
        row["time"],
        status=OrderStatus(row["status"]),
        filled=Decimal(row["filled"]),
        live=row["live"],
        was_resting=row["was_resting"],
        fresh=False,
        touched=row["touched"],
        other=row.get("other", ""),
    )


def _intent_of(row: dict[str, Any]) -> OrderIntent:
    return OrderIntent(
        client_id=row["client_id"],
        symbol=row["symbol"],
        order_side=OrderSide(row["order_side"]),
        kind=OrderKind(row["kind"]),
        quantity=Decimal(row["quantity"]),
        price=_decimal(row.get("price")),
        trigger=_decimal(row.get("trigger")),
        trigger_by=TriggerBy(row["trigger_by"]),
        reduce_only=row["reduce_only"],
        beside=_beside(row.get("beside")),
    )


def _beside(row: list[str] | None) -> Beside | None:
    return None if row is None else Beside(row[0], Decimal(row[1]))


def _row_of(row: dict[str, Any]) -> Fill | Income:
    if "income_id" in row:
        amount = Decimal(row["amount"])
        return Income(row["income_id"], IncomeKind(row["kind"]), row["symbol"], amount, row["time"])
    numbers: dict[str, Any] = {name: Decimal(row[name]) for name in FIGURES if name in row}
    known = {"order_side": OrderSide(row["order_side"]), "liquidity": Liquidity(row["liquidity"])}
    return Fill(**(row | numbers | known))


def _held(instrument: Instrument, row: list[str]) -> Holding:
    side, quantity, weight = row
    return Holding(instrument, Side(side), Decimal(quantity), Decimal(weight))


def _market(market: SymbolMarket) -> dict[str, Any]:
    watch = market.watch
    return {
        "last": str(market.last),
        "time": market.time,
        "mark": _value(market.mark),
        "jumped": market.jumped,
        "leg": market.leg,
        "low": _value(market.low),
        "high": _value(market.high),
        "crossed": market.crossed,
        "path": [_step(step) for step in market.path],
        "levels": sorted(str(level) for level in watch.levels),
        "times": sorted(watch.times),
        "deadlines": sorted(watch.deadlines),
        "follow": sorted([side.value, str(best)] for side, best in watch.follow),
    }


def _market_of(row: dict[str, Any]) -> SymbolMarket:
    watch = Watch(
        frozenset(Decimal(level) for level in row["levels"]),
        frozenset(row["times"]),
        frozenset((Side(side), Decimal(best)) for side, best in row["follow"]),
        frozenset(row.get("deadlines", ())),
    )
    return SymbolMarket(
        last=Decimal(row["last"]),
        time=row["time"],
        mark=_decimal(row["mark"]),
        jumped=row["jumped"],
        leg=row["leg"],
        path=deque(_step_of(step) for step in row["path"]),
        watch=watch,
        crossed=row["crossed"],
        low=_decimal(row["low"]),
        high=_decimal(row["high"]),
    )


def _step(step: Step) -> list[Any]:
    whole = step.candle if isinstance(step, Rest) else step
    return [type(step).__name__, *(_value(value) for value in whole)]


def _step_of(row: list[Any]) -> Step:
    kind, time, *values = row
    numbers = [_decimal(value) for value in values]
    if kind == "Tick":
        return Tick(time, numbers[0] or ZERO, numbers[1])
    if kind == "Opening":
        return Opening(time, numbers[0] or ZERO)
    candle = Candle(time, *(number or ZERO for number in numbers))
    return Rest(candle) if kind == "Rest" else candle


def _keyed(orders: Iterable[Resting]) -> dict[str, Resting]:
    return {order.intent.client_id: order for order in orders}


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)
