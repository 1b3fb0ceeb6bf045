"""User data on spot as Binance streams it."""

from __future__ import annotations

from typing import Any

from buddy.core.market import ZERO

from ..binance.shapes import market_id, side
from ..events import AccountChanged, OrderChanged
from ..orders import Funds, Status
from ..spot_account import SpotAccount
from ..spot_books import OrderList
from . import shapes
from .shapes import figure

QUIET = frozenset({Status.TRIGGERING.value})
"""What the venue does not tell of."""


def of_order(event: OrderChanged, account: SpotAccount) -> list[dict[str, Any]]:
    if event.execution in QUIET:
        return []
    return [_execution(event), of_coins(account, event)]


def of_deposit(event: AccountChanged, account: SpotAccount) -> list[dict[str, Any]]:
    moved = {"e": "balanceUpdate", "E": event.time, "a": event.coin, "d": figure(event.change), "T": event.time}
    rows = [_coin(event.coin, account.funds()[event.coin])]
    return [{"e": "outboundAccountPosition", "E": event.time, "u": event.time, "B": rows}, moved]


def of_coins(account: SpotAccount, event: OrderChanged) -> dict[str, Any]:
    """What is free and what is locked now of all that the event may have touched."""
    instrument, funds = account.instruments[event.order.wish.symbol], account.funds()
    touched = {instrument.base, instrument.quote} | ({event.trade.fee_asset} if event.trade else set())
    rows = [_coin(coin, has) for coin, has in funds.items() if coin in touched]
    return {"e": "outboundAccountPosition", "E": event.time, "u": event.time, "B": rows}


def _coin(name: str, funds: Funds) -> dict[str, str]:
    return {"a": name, "f": figure(funds.free), "l": figure(funds.locked)}


def _execution(event: OrderChanged) -> dict[str, Any]:
    """One report as the vendor documents it, field by field."""
    o, trade = event.order, event.trade
    cancelled = event.execution == "CANCELED"
    price, quantity = (trade.price, trade.quantity) if trade else (ZERO, ZERO)
    return {
        "e": "executionReport",
        "E": event.time,
        "s": market_id(o.wish.symbol),
        "c": shapes.client_order_id() if cancelled else o.client_id,
        "S": side(o.wish.order_side),
        "o": shapes.kind(o),
        "f": shapes.time_in_force(o),
        "q": figure(o.quantity),
        "p": figure(o.wish.price),
        "P": figure(o.wish.trigger),
        "F": figure(ZERO),
        "g": shapes.list_id(o),
        "C": o.client_id if cancelled else "",
        "x": "NEW" if event.execution == Status.TRIGGERED else event.execution,
        "X": shapes.status(o),
        "r": "NONE",
        "i": o.id,
        "l": figure(quantity),
        "z": figure(o.filled),
        "L": figure(price),
        "n": figure(trade.fee) if trade else "0",
        "N": trade.fee_asset if trade else None,
        "T": trade.time if trade else event.time,
        "t": trade.id if trade else -1,
        "I": event.time,
        "w": shapes.is_working(o) and o.status.is_open,
        "m": trade.maker if trade else False,
        "M": False,
        "O": o.time,
        "Z": figure(o.value),
        "Y": figure(price * quantity),
        "Q": figure(ZERO),
        "W": o.time,
        "V": "EXPIRE_MAKER",
    }


def of_list(pair: OrderList, now: int) -> dict[str, Any]:
    name = market_id(pair.symbol)
    return {
        "e": "listStatus",
        "E": now,
        "s": name,
        "g": pair.id,
        "c": "OCO",
        "l": "ALL_DONE" if pair.is_done else "EXEC_STARTED",
        "L": "ALL_DONE" if pair.is_done else "EXECUTING",
        "r": "NONE",
        "C": pair.client_id,
        "T": pair.updated,
        "O": [{"s": name, "i": half.id, "c": half.client_id} for half in pair.orders],
    }
