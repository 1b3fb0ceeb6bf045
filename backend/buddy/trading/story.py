"""A trade as the screens read it: plain JSON, decimals as strings, times ISO 8601 UTC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from buddy.core.costs import target_quantities
from buddy.core.errors import CoreError
from buddy.core.exchange import Quote, Role
from buddy.core.market import ZERO, Instrument
from buddy.core.position import Cause, Market, Position, stop_level, target_split
from buddy.events.models import Event
from buddy.exchanges.connect import source_for
from buddy.exchanges.market_data.source import PriceSource, UnknownSymbol
from buddy.exchanges.models import Account

from . import books
from .endings import risk_so_far
from .figures import kept
from .models import Fill, ForeignPosition, Income, Order, Trade
from .rows import Rows
from .states import RESTING, WORKING
from .telling import text

STOP_KINDS = {
    Cause.BREAK_EVEN: "break_even",
    Cause.STEP: "step",
    Cause.TRAILING_STOP: "trailing",
    Cause.MANUAL: "manual",
}


def moment(value: datetime | None) -> str | None:
    """ISO 8601 with milliseconds and a Z."""
    return None if value is None else value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def amount(value: Decimal | None) -> str | None:
    return None if value is None else text(value)


@dataclass(slots=True)
class Prices:
    """Instruments and quotes of the accounts in hand, each asked for once; absent where they cannot be read."""

    sources: dict[int, PriceSource | None] = field(default_factory=dict)
    quotes: dict[tuple[int, str], Quote | None] = field(default_factory=dict)

    def instrument(self, account: Account, symbol: str) -> Instrument:
        try:
            source = self._source(account)
            return source.instrument(symbol) if source else books.unbounded(symbol)
        except (CoreError, UnknownSymbol):
            return books.unbounded(symbol)

    def quote(self, account: Account, symbol: str) -> Quote | None:
        key = (account.pk, symbol)
        if key not in self.quotes:
            self.quotes[key] = self._quote(account, symbol)
        return self.quotes[key]

    def _quote(self, account: Account, symbol: str) -> Quote | None:
        try:
            source = self._source(account)
            return source.quote(symbol) if source else None
        except (CoreError, UnknownSymbol):
            return None

    def _source(self, account: Account) -> PriceSource | None:
        if account.pk not in self.sources:
            try:
                self.sources[account.pk] = source_for(account)
            except CoreError:
                self.sources[account.pk] = None
        return self.sources[account.pk]


def tell_trades(trades: Sequence[Trade]) -> list[dict[str, Any]]:
    """Several trades with three queries for all of them."""
    rows, prices = Rows.of(trades), Prices()
    return [_trade(trade, rows, prices) for trade in trades]


def tell_trade(trade: Trade) -> dict[str, Any]:
    return tell_trades([trade])[0]


def tell_whole_trade(trade: Trade) -> dict[str, Any]:
    """With its orders, fills, events and funding."""
    orders = list(Order.objects.filter(trade=trade).order_by("id"))
    fills = list(Fill.objects.filter(trade=trade).select_related("order").order_by("time", "id"))
    return tell_trade(trade) | {
        "orders": [_order(order, {each.pk: each.client_id for each in orders}) for order in orders],
        "fills": [_fill(fill, trade) for fill in fills],
        "events": [_event(event) for event in Event.objects.filter(owner_id=trade.owner_id, trade_id=trade.pk)],
        "funding_rows": [_funding(row) for row in Income.objects.filter(trade=trade)],
        "first_plan": trade.first_plan,
    }


def tell_foreign(rows: Sequence[ForeignPosition]) -> list[dict[str, Any]]:
    """Positions that are nobody's, with what they stand at now."""
    prices = Prices()
    return [_foreign(row, prices.quote(row.account, row.symbol)) for row in rows]


def _foreign(row: ForeignPosition, quote: Quote | None) -> dict[str, Any]:
    names = ("quantity", "average_entry", "liquidation_price", "leverage")
    return {
        "id": row.pk,
        "account": row.account_id,
        "symbol": row.symbol,
        "side": row.side,
        **{name: amount(getattr(row, name)) for name in names},
        "margin_mode": row.margin_mode,
        "price": amount(quote.last) if quote else None,
        "first_seen": moment(row.first_seen),
        "missed_since": moment(row.gone_since),
        "ignored": row.ignored,
    }


def _trade(trade: Trade, rows: Rows, prices: Prices) -> dict[str, Any]:
    instrument, orders = prices.instrument(trade.account, trade.symbol), rows.orders[trade.pk]
    position = books.position_of(trade, instrument, rows)
    working = trade.status in WORKING
    quote = prices.quote(trade.account, trade.symbol) if working else None
    return {
        **_frame(trade),
        **_amounts(trade, position),
        **_money(trade, position),
        **_open_money(position, quote),
        "ladder": _ladder(trade, position, orders),
        "stop": _stop(trade, position, quote, orders) if working else None,
        "protected": _protected(trade, position, orders) if working else None,
        "next": _next(position) if working else None,
    }


def _frame(trade: Trade) -> dict[str, Any]:
    return {
        "id": trade.pk,
        "account": trade.account_id,
        "symbol": trade.symbol,
        "side": trade.side,
        "spot": trade.account.is_spot,
        "status": trade.status,
        "source": trade.source,
        "plan": trade.plan,
        "plan_version": trade.plan_version,
        "hands_off": trade.hands_off,
        "withdrawal": trade.withdrawal,
        "margin_mode": trade.margin_mode,
        "at_venue": trade.at_venue or None,
        "exit_reason": trade.exit_reason,
        "created_at": moment(trade.created_at),
        "opened_at": moment(trade.opened_at),
        "closed_at": moment(trade.closed_at),
        "replay": trade.account.price_source == Account.PriceSource.REPLAY,
        "simulated": trade.account.price_source == Account.PriceSource.SIMULATED,
    }


def _amounts(trade: Trade, position: Position) -> dict[str, Any]:
    return {
        "leverage": amount(trade.leverage),
        "quantity": amount(sum(position.quantities, ZERO)),
        "held": amount(position.held),
        "entered": amount(position.entered),
        "average_entry": amount(position.average_entry),
        "average_exit": amount(position.average_exit),
        "asked_risk": amount(trade.asked_risk),
    }


def _money(trade: Trade, position: Position) -> dict[str, Any]:
    """Frozen when closed, so far while open, nothing before the first fill."""
    if trade.status == Trade.Status.CLOSED:
        values = {name: getattr(trade, name) for name in ("gross", "fees", "funding", "net", "r", "initial_risk")}
    elif position.entered:
        risk = trade.initial_risk if trade.initial_risk is not None else risk_so_far(position)
        values = {name: getattr(position, name) for name in ("gross", "fees", "funding", "net")}
        values |= {"initial_risk": risk, "r": position.net / risk if risk > 0 else None}
    else:
        values = dict.fromkeys(("gross", "fees", "funding", "net", "r", "initial_risk"))
    return {name: amount(value) for name, value in values.items()}


def _open_money(position: Position, quote: Quote | None) -> dict[str, Any]:
    """What is still open at the last price, before what it will cost to leave."""
    price = quote.last if quote else None
    if quote is None or not position.held or position.average_entry is None:
        return {"unrealised": None, "open_r": None, "price": amount(price)}
    gain = position.instrument.gross(position.side, position.average_entry, quote.last, position.held)
    risk = risk_so_far(position)
    return {
        "unrealised": amount(kept(gain)),
        "open_r": amount(gain / risk) if risk > 0 else None,
        "price": amount(price),
    }


def _stop(trade: Trade, position: Position, quote: Quote | None, orders: Sequence[Order]) -> dict[str, Any]:
    price, cause = _stop_price(position, quote)
    live = _live_stop(orders)
    kind = STOP_KINDS.get(cause, "first" if price == trade.first_stop else "manual")
    return {"price": amount(price), "kind": kind, "order_status": live.status if live else "none"}


def _stop_price(position: Position, quote: Quote | None) -> tuple[Decimal, Cause]:
    if quote is None or not position.held:
        memory = position.memory
        return memory.tightest_stop or position.plan.stop_price, memory.stop_cause
    level = stop_level(position, Market(quote.last, quote.mark, quote.time))
    return level.price, level.cause


def _live_stop(orders: Iterable[Order]) -> Order | None:
    """Ours before one that the venue attached to the entry."""
    stops = [order for order in orders if order.role == Role.STOP and order.status in RESTING]
    return max(stops, key=lambda order: (not order.is_attached, order.pk), default=None)


def _protected(trade: Trade, position: Position, orders: Sequence[Order]) -> dict[str, Any]:
    live, since = _live_stop(orders), {"naked": trade.naked_since, "unwatched": trade.unwatched_since}
    if trade.unwatched_since is not None:
        state = "unwatched"
    elif not position.held:
        state = "flat" if position.entered else "waiting"
    else:
        state = "naked" if trade.protected_since is None or live is None else _how_protected(live)
    return {
        "state": state,
        "since": moment(since.get(state, trade.protected_since)),
        "checked_at": moment(trade.checked_at),
        "by": _protector(live) if live and state in ("protected", "attached") else None,
    }


def _how_protected(live: Order) -> str:
    return "attached" if live.is_attached else "protected"


def _protector(live: Order) -> str:
    return (
        f"the stop that came with the entry ({live.exchange_id})"
        if live.is_attached
        else f"stop order {live.client_id}"
    )


def _ladder(trade: Trade, position: Position, orders: Sequence[Order]) -> list[dict[str, Any]]:
    rungs = [_rung(trade, position, orders, Role.ENTRY, leg, q) for leg, q in enumerate(position.quantities)]
    parts = _parts(trade, position)
    return rungs + [_rung(trade, position, orders, Role.TAKE_PROFIT, leg, q) for leg, q in enumerate(parts)]


def _parts(trade: Trade, position: Position) -> Sequence[Decimal]:
    """What each target takes; before the entry and after the end, what it would take of all of it."""
    if position.held and trade.status in WORKING:
        return target_split(position)
    shares = [target.share for target in position.plan.take_profits]
    return target_quantities(position.instrument, position.entered or sum(position.quantities, ZERO), shares)


def _rung(
    trade: Trade, position: Position, orders: Sequence[Order], role: Role, leg: int, quantity: Decimal
) -> dict[str, Any]:
    filled = position.filled(role, leg)
    return {
        "role": role.value,
        "leg": leg,
        "price": amount(_rung_price(position, role, leg)),
        "quantity": amount(max(quantity, filled)),
        "filled": amount(filled),
        "status": _rung_status(trade, position, orders, role, leg, max(quantity, filled), filled),
    }


def _rung_price(position: Position, role: Role, leg: int) -> Decimal | None:
    if role is Role.TAKE_PROFIT:
        return position.plan.take_profits[leg].price
    return position.plan.entries[leg].expected_price(None)


def _rung_status(
    trade: Trade, position: Position, orders: Sequence[Order], role: Role, leg: int, quantity: Decimal, filled: Decimal
) -> str:
    if filled and filled >= quantity:
        return "filled"
    over = trade.status not in WORKING or (role is Role.ENTRY and position.memory.withdrawn is not None)
    if over or (role, leg) in position.declined:
        return "cancelled"
    if filled:
        return "partial"
    rests = any(o.role == role and o.leg == leg and o.status in RESTING for o in orders)
    return "open" if rests else "waiting"


def _next(position: Position) -> dict[str, Any] | None:
    """The target that comes next while something is held."""
    if not position.held:
        return None
    for leg, part in enumerate(target_split(position)):
        if position.filled(Role.TAKE_PROFIT, leg) < part and (Role.TAKE_PROFIT, leg) not in position.declined:
            return {"price": amount(position.plan.take_profits[leg].price), "kind": "take_profit"}
    return None


def _order(order: Order, names: Mapping[int, str]) -> dict[str, Any]:
    amounts = {name: amount(getattr(order, name)) for name in ("quantity", "price", "trigger", "filled")}
    times = {name: moment(getattr(order, name)) for name in ("created_at", "placed_at", "closed_at")}
    words = ("client_id", "role", "leg", "order_side", "kind", "status", "reason", "cancel_reason", "refusal")
    pair = {"paired_with": names.get(order.paired_with_id) if order.paired_with_id else None}
    return {name: getattr(order, name) for name in words} | amounts | times | pair


def _fill(fill: Fill, trade: Trade) -> dict[str, Any]:
    booked = books.booked(fill, fill.order, trade)
    return {
        "fill_id": fill.fill_id,
        "role": booked.role.value,
        "leg": booked.leg,
        "order_side": fill.order_side,
        "price": amount(fill.price),
        "quantity": amount(fill.quantity),
        "fee": amount(fill.fee),
        "withheld": amount(fill.withheld),
        "liquidity": fill.liquidity,
        "from_record": fill.from_record,
        "time": moment(fill.time),
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "id": event.pk,
        "kind": event.kind,
        "text": event.text,
        "data": event.data,
        "trade": event.trade_id,
        "account": event.account_id,
        "time": moment(event.time),
        "created_at": moment(event.created_at),
    }


def _funding(row: Income) -> dict[str, Any]:
    return {"amount": amount(row.amount), "time": moment(row.time)}
