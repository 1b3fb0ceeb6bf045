"""An account on spot at Binance: its coins, its executions, what it pays, and what its key may do."""

from __future__ import annotations

from typing import Any

from ..binance import account as futures
from ..binance.shapes import market_id
from ..orders import Funds, VenueTrade
from ..params import Params
from ..prices import DAY
from ..refusals import VenueError
from . import shapes
from .routes import Desk, Security, coins, route
from .shapes import figure

COMBINATION = VenueError(-1128, "Combination of optional parameters invalid.")


@route("GET", "/api/v3/account", Security.READ, weight=20)
def account(desk: Desk, p: Params) -> Any:
    owner = coins(desk)
    funds, costs = owner.view(desk.lag_ms).funds, owner.costs
    names = sorted({*funds, *(each.base for each in desk.venue.instruments.values())})
    rows = [balance(name, funds.get(name, Funds())) for name in names]
    return {
        "makerCommission": int(costs.maker * 10_000),
        "takerCommission": int(costs.taker * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": _rates(desk),
        "canTrade": desk.key.can_trade,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": desk.venue.now(),
        "accountType": "SPOT",
        "balances": [row for row in rows if not p.flag("omitZeroBalances") or row["free"] != row["locked"]],
        "permissions": ["SPOT"],
        "uid": 354937868,
    }


def balance(coin: str, funds: Funds) -> dict[str, str]:
    return {"asset": coin, "free": figure(funds.free), "locked": figure(funds.locked)}


def _rates(desk: Desk) -> dict[str, str]:
    costs, none = coins(desk).costs, "0.00000000"
    return {"maker": figure(costs.maker), "taker": figure(costs.taker), "buyer": none, "seller": none}


@route("GET", "/api/v3/account/commission", Security.READ, weight=20)
def commission(desk: Desk, p: Params) -> Any:
    none = dict.fromkeys(("maker", "taker", "buyer", "seller"), "0.00000000")
    pays = coins(desk).fee_coin
    return {
        "symbol": market_id(desk.symbol(p)),
        "standardCommission": _rates(desk),
        "specialCommission": none,
        "taxCommission": none,
        "discount": {
            "enabledForAccount": pays is not None,
            "enabledForSymbol": True,
            "discountAsset": "BNB",
            "discount": "0.00000000",
        },
    }


@route("GET", "/sapi/v1/asset/tradeFee", Security.READ)
def trade_fee(desk: Desk, p: Params) -> Any:
    asked, costs = desk.any_symbol(p), coins(desk).costs
    return [
        {"symbol": market_id(each), "makerCommission": figure(costs.maker), "takerCommission": figure(costs.taker)}
        for each in desk.venue.instruments
        if asked in (None, each)
    ]


@route("GET", "/api/v3/myTrades", Security.READ, weight=20)
def my_trades(desk: Desk, p: Params) -> Any:
    symbol, order_id, owner = desk.symbol(p), p.whole("orderId"), coins(desk)
    rows = [t for t in owner.ledger.trades if t.symbol == symbol and order_id in (None, t.order_id)]
    known = [t for t in rows if t.time <= desk.venue.now() - desk.lag_ms]
    return [shapes.trade(t, owner.ledger.orders.get(t.order_id)) for t in _asked(p, known)]


def _asked(p: Params, rows: list[VenueTrade]) -> list[VenueTrade]:
    """Oldest first from an id, or a time on, within a day; without either the newest."""
    first, start, end, limit = p.whole("fromId"), p.whole("startTime"), p.whole("endTime"), p.limit(500, 1000)
    if start is not None and end is not None and end - start > DAY:
        raise VenueError(-1127, "More than 24 hours between startTime and endTime.")
    if (p.has("startTime") or p.has("endTime")) and (first is not None or p.has("orderId")):
        raise COMBINATION
    if first is not None:
        return [t for t in rows if t.id >= first][:limit]
    if start is None:
        return [t for t in rows if end is None or t.time <= end][-limit:]
    until = start + DAY if end is None else end
    return [t for t in rows if start <= t.time <= until][:limit]


@route("GET", "/sapi/v1/account/apiRestrictions", Security.READ)
def api_restrictions(desk: Desk, p: Params) -> Any:
    told = futures.api_restrictions(desk, p)
    return told | {"enableFutures": False, "enableSpotAndMarginTrading": desk.key.can_trade}
