"""The hand on a stand-in venue: what its market does, what the trader does on its site, what goes wrong.

Each operation is a POST to `/_control/<venue>/<operation>` with a JSON object of its arguments; from Python it is a
method of `handle.Hand`. Decimals travel as text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any

from buddy.core.exchange import TriggerBy
from buddy.core.market import Candle, Instrument, OrderSide

from .account import VenueAccount
from .account_books import FeeCoin
from .faults import Fault, FaultKind, StreamFault, StreamFaultKind
from .instruments import coin, perpetual
from .orders import Kind, VenueOrder, Wish
from .protocol import Protocol
from .refusals import Refused

Operation = Callable[..., Any]
OPERATIONS: dict[str, Operation] = {}


class Unusable(Exception):
    """The operation cannot be carried out as asked."""


def operation(function: Operation) -> Operation:
    OPERATIONS[function.__name__] = function
    return function


def run(protocol: Protocol, name: str, arguments: Mapping[str, Any]) -> Any:
    """Raises Unusable, or KeyError for an unknown operation, key or symbol."""
    try:
        return plain(OPERATIONS[name](protocol, **arguments))
    except (TypeError, ValueError, InvalidOperation, Refused) as error:
        raise Unusable(f"{name}: {error}") from None


def plain(value: Any) -> Any:
    """Anything of ours as JSON."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [plain(each) for each in value]
    return value


# Accounts and keys


@operation
def open_account(
    protocol: Protocol,
    key: str,
    secret: str,
    wallet: str = "10000",
    maker: str = "0.0002",
    taker: str = "0.0005",
    slices: int | None = None,
    passphrase: str = "",
    fee_coin: str = "",
    fee_coin_price: str = "600",
) -> None:
    """`slices`: a seed with which resting orders fill in parts. `fee_coin`: fees are paid with that coin (BNB)."""
    money = {"wallet": Decimal(wallet), "maker": Decimal(maker), "taker": Decimal(taker)}
    pays = FeeCoin(fee_coin, Decimal(fee_coin_price)) if fee_coin else None
    protocol.venue.open_account(key, secret, slices=slices, fee_coin=pays, **money)
    protocol.venue.keys[key].passphrase = passphrase


@operation
def close_account(protocol: Protocol, key: str) -> None:
    """The venue knows neither the key nor the account behind it any more."""
    del protocol.venue.keys[key]


@operation
def add_key(protocol: Protocol, key: str, secret: str, of: str) -> None:
    """Another key to the account that the key `of` opens."""
    protocol.venue.add_key(key, secret, of)


@operation
def change_key(protocol: Protocol, key: str, **changes: bool | int | None) -> None:
    """Any of active, can_trade, can_read, can_withdraw, ip_restricted (booleans), expires (ms or null)."""
    known = protocol.venue.keys[key]
    allowed = {"active", "can_trade", "can_read", "can_withdraw", "ip_restricted", "expires"}
    if wrong := set(changes) - allowed:
        raise Unusable(f"A key has no {', '.join(sorted(wrong))}.")
    for name, value in changes.items():
        setattr(known, name, value)


@operation
def credit(protocol: Protocol, key: str, amount: str) -> None:
    """Money comes in, or with a negative amount goes out."""
    account_of(protocol, key).credit(Decimal(amount), "TRANSFER")


@operation
def stick_triggers(protocol: Protocol, key: str, count: int = 1) -> None:
    """So many conditional orders will trigger and never reach the book."""
    account_of(protocol, key).stuck_triggers = count


@operation
def change_habits(protocol: Protocol, key: str, **changes: bool) -> None:
    """What the venue does with this account's conditional orders: see `Habits`."""
    account = account_of(protocol, key)
    account.habits = replace(account.habits, **changes)


@operation
def set_position_mode(protocol: Protocol, key: str, dual: bool) -> None:
    account_of(protocol, key).set_dual(dual)


@operation
def set_leverage(protocol: Protocol, key: str, symbol: str, leverage: str) -> None:
    account_of(protocol, key).set_leverage(symbol, Decimal(leverage))


@operation
def set_margin_mode(protocol: Protocol, key: str, symbol: str, mode: str) -> None:
    """`mode`: cross or isolated."""
    account_of(protocol, key).set_margin_mode(symbol, mode)


# The market


@operation
def set_price(protocol: Protocol, symbol: str, price: str, mark: str | None = None, jump: bool = False) -> None:
    """The market trades at every price up to this one; with `jump` at none in between."""
    protocol.venue.set_price(symbol, Decimal(price), None if mark is None else Decimal(mark), jump=jump)


@operation
def play(protocol: Protocol, symbol: str, candles: Sequence[Sequence[str]]) -> None:
    """Rows of open, high, low, close, all of them now, one after the other."""
    protocol.venue.play(symbol, [Candle(0, *(Decimal(price) for price in row)) for row in candles])


@operation
def hold_prices(protocol: Protocol, on: bool = True) -> None:
    """Prices that move by themselves stand still, and move by hand only."""
    protocol.venue.is_held = on


@operation
def fund(protocol: Protocol, symbol: str, rate: str | None = None) -> None:
    """Funding is paid now."""
    protocol.venue.fund(symbol, None if rate is None else Decimal(rate))


@operation
def price(protocol: Protocol, symbol: str) -> dict[str, Any]:
    at = protocol.venue.prices[symbol]
    return {"last": at.last, "mark": at.mark_price, "time": at.time}


@operation
def change_instrument(protocol: Protocol, symbol: str, **changes: Any) -> None:
    """tick_size, lot_size, min_quantity, min_notional … as text; `active` a boolean."""
    values = {name: Decimal(value) if isinstance(value, str) else value for name, value in changes.items()}
    if wrong := set(values) - {each.name for each in fields(Instrument)}:
        raise Unusable(f"An instrument has no {', '.join(sorted(wrong))}.")
    protocol.venue.change_instrument(symbol, values)


@operation
def add_instrument(
    protocol: Protocol,
    base: str,
    price: str,
    tick_size: str = "0.01",
    lot_size: str = "0.01",
    min_notional: str = "5",
    max_quantity: str = "100000",
) -> None:
    """One more perpetual, or on spot coin, traded against USDT."""
    made = coin if protocol.venue.habits.spot else perpetual
    listed = made(base, tick_size, lot_size, min_notional, max_quantity, max_quantity)
    protocol.venue.add_instrument(listed, Decimal(price))


@operation
def delist(protocol: Protocol, symbol: str) -> None:
    """It is traded no more: the venue does not know its name."""
    protocol.venue.delisted.add(symbol)


@operation
def list_again(protocol: Protocol, symbol: str) -> None:
    protocol.venue.delisted.discard(symbol)


# The trader on the venue's own site


@operation
def place(
    protocol: Protocol,
    key: str,
    symbol: str,
    side: str,
    quantity: str | None = None,
    kind: str = "MARKET",
    price: str | None = None,
    trigger: str | None = None,
    trigger_by: str = "last",
    reduce_only: bool = False,
    position_side: str = "BOTH",
    client_id: str = "",
) -> dict[str, Any]:
    """`side`: buy or sell. `quantity` null: a conditional order that closes whatever is held."""
    account = account_of(protocol, key)
    wish = Wish(
        symbol=symbol,
        order_side=OrderSide(side),
        kind=Kind(kind),
        quantity=None if quantity is None else Decimal(quantity),
        price=None if price is None else Decimal(price),
        trigger=None if trigger is None else Decimal(trigger),
        trigger_by=TriggerBy(trigger_by),
        reduce_only=reduce_only,
        position_side=position_side,
        client_id=client_id or f"web_{len(account.ledger.orders) + len(account.ledger.algos) + 1}",
    )
    return told(account.place(wish))


@operation
def cancel(protocol: Protocol, key: str, order_id: int | None = None, client_id: str = "") -> None:
    """By the venue's id, or by client id; of either kind. With one half of a pair goes the other."""
    account = account_of(protocol, key)
    account.cancel(_open_order(account, order_id, client_id))


@operation
def fill(protocol: Protocol, key: str, quantity: str, order_id: int | None = None, client_id: str = "") -> None:
    """Somebody takes that much of a resting limit order at its price."""
    account = account_of(protocol, key)
    account.fill_part(_open_order(account, order_id, client_id), Decimal(quantity))


@operation
def cancel_all(protocol: Protocol, key: str, symbol: str = "") -> None:
    account = account_of(protocol, key)
    for order in account.open_orders():
        if symbol in ("", order.wish.symbol) and order.status.is_open:
            account.cancel(order)


@operation
def close(protocol: Protocol, key: str, symbol: str, share: str = "1", position_side: str = "") -> dict[str, Any]:
    """Leave with a share of the position, or on spot of the coins that no order locks, at market."""
    account = account_of(protocol, key)
    there = account.position(symbol, position_side) if position_side else None
    held = there.quantity if there else account.held(symbol)
    if not held:
        raise Unusable(f"Nothing of {symbol} is held.")
    quantity = protocol.venue.instruments[symbol].round_quantity(abs(held) * Decimal(share))
    side = "sell" if held > 0 else "buy"
    position_side = position_side or account.held_sides.get(symbol, "BOTH")
    only = not (account.dual or protocol.venue.habits.spot)
    return place(  # type: ignore[no-any-return]
        protocol, key, symbol, side, str(quantity), reduce_only=only, position_side=position_side
    )


@operation
def deleverage(protocol: Protocol, key: str, symbol: str, quantity: str) -> None:
    """The venue takes away part of a position to deleverage others (ADL)."""
    account_of(protocol, key).deleverage(symbol, Decimal(quantity))


@operation
def books(protocol: Protocol, key: str) -> dict[str, Any]:
    """Everything the venue knows of the account, to compare a journal with."""
    account = account_of(protocol, key)
    return {
        "balance": asdict(account.balance()),
        "positions": [asdict(held) for held in account.positions()],
        "coins": {name: {"free": has.free, "locked": has.locked} for name, has in account.funds().items()},
        "orders": [told(order) for order in account.ledger.orders.values()],
        "conditional": [told(order) for order in account.ledger.algos.values()],
        "trades": [asdict(trade) for trade in account.ledger.trades],
        "income": [asdict(row) for row in account.ledger.income],
    }


@operation
def archive(protocol: Protocol, key: str) -> None:
    """Orders that have ended are no longer told of, as venues do after a while."""
    account_of(protocol, key).ledger.archived_until = protocol.venue.now()


# What goes wrong


@operation
def fault(protocol: Protocol, kind: str, **how: Any) -> None:
    """A `FaultKind` for requests that match; see `Fault` for the arguments."""
    protocol.venue.faults.requests.append(Fault(FaultKind(kind), **how))


@operation
def faults_waiting(protocol: Protocol) -> int:
    """How many that hit a request only so often have hits left."""
    return sum(1 for fault in protocol.venue.faults.requests if fault.times)


@operation
def stream_fault(protocol: Protocol, kind: str, **how: Any) -> None:
    """A `StreamFaultKind` for events that match; see `StreamFault` for the arguments."""
    protocol.venue.faults.streams.append(StreamFault(StreamFaultKind(kind), **how))


@operation
def stall_streams(protocol: Protocol, stalled: bool = True) -> None:
    """Sockets stay open and say nothing."""
    protocol.venue.faults.stalled = stalled


@operation
def clear_faults(protocol: Protocol) -> None:
    """No faults, no ban, no maintenance, the right time."""
    venue = protocol.venue
    venue.faults.clear()
    venue.limits.banned_until, venue.limits.weight = 0, None
    venue.maintenance, venue.skew_ms = False, 0


@operation
def close_streams(protocol: Protocol) -> None:
    protocol.streams.close()


@operation
def expire_streams(protocol: Protocol, key: str) -> None:
    """What the account streams of a key live on runs out."""
    protocol.streams.expire(key)


@operation
def set_maintenance(protocol: Protocol, on: bool = True) -> None:
    protocol.venue.maintenance = on


@operation
def set_skew(protocol: Protocol, milliseconds: int) -> None:
    """How far the venue's clock is ahead of ours."""
    protocol.venue.skew_ms = milliseconds


@operation
def set_limit(protocol: Protocol, weight: int | None = None) -> None:
    """How much the requests of a minute may weigh; null: no limit."""
    protocol.venue.limits.weight = weight


@operation
def requests(protocol: Protocol) -> list[Any]:
    """The newest requests, oldest first, as (method, path, parameters)."""
    return list(protocol.venue.asked)


def account_of(protocol: Protocol, key: str) -> VenueAccount:
    return protocol.venue.keys[key].account


def _open_order(account: VenueAccount, order_id: int | None, client_id: str) -> VenueOrder:
    for order in account.open_orders():
        if order_id == order.id or (client_id and client_id == order.client_id):
            return order
    raise Unusable("There is no such open order.")


def told(order: VenueOrder) -> dict[str, Any]:
    return asdict(order) | {"quantity": order.quantity, "average": order.average}
