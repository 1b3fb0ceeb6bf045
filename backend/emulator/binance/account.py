"""A Binance account: money, positions, executions, payments, settings, and what its key may do."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from buddy.core.market import Instrument

from ..orders import VenueIncome, VenueTrade
from ..params import Params
from ..prices import DAY
from ..protocol import text
from ..refusals import Reason, Refused, VenueError
from . import shapes
from .routes import Desk, Security, route

WEEK = 7 * DAY
Row = TypeVar("Row", VenueTrade, VenueIncome)


# Money and positions


@route("GET", "/fapi/v3/account", Security.READ, weight=5)
@route("GET", "/fapi/v2/account", Security.READ, weight=5)
def account(desk: Desk, p: Params) -> Any:
    asset = _asset(desk)
    return {
        "feeTier": 0,
        "canTrade": desk.key.can_trade,
        "canDeposit": True,
        "canWithdraw": desk.key.can_withdraw,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "totalInitialMargin": asset["initialMargin"],
        "totalMaintMargin": asset["maintMargin"],
        "totalWalletBalance": asset["walletBalance"],
        "totalUnrealizedProfit": asset["unrealizedProfit"],
        "totalMarginBalance": asset["marginBalance"],
        "totalPositionInitialMargin": asset["positionInitialMargin"],
        "totalOpenOrderInitialMargin": asset["openOrderInitialMargin"],
        "totalCrossWalletBalance": asset["crossWalletBalance"],
        "totalCrossUnPnl": asset["crossUnPnl"],
        "availableBalance": asset["availableBalance"],
        "maxWithdrawAmount": asset["maxWithdrawAmount"],
        "assets": [asset],
        "positions": [shapes.account_position(held) for held in desk.account.view(desk.lag_ms).positions],
    }


def _asset(desk: Desk) -> dict[str, Any]:
    money, held = desk.account.balance(), desk.account.positions()
    unrealised = money.equity - money.wallet
    bound = sum((desk.account.sim.books.margin(each.symbol) for each in held), Decimal(0))
    return {
        "asset": "USDT",
        "walletBalance": text(money.wallet),
        "unrealizedProfit": text(unrealised),
        "marginBalance": text(money.equity),
        "maintMargin": text(sum((each.maintenance for each in held), Decimal(0))),
        "initialMargin": text(money.equity - money.free),
        "positionInitialMargin": text(bound),
        "openOrderInitialMargin": text(max(money.equity - money.free - bound, Decimal(0))),
        "crossWalletBalance": text(money.wallet),
        "crossUnPnl": text(unrealised),
        "availableBalance": text(money.free),
        "maxWithdrawAmount": text(money.free),
        "updateTime": desk.venue.now(),
    }


@route("GET", "/fapi/v3/balance", Security.READ, weight=5)
@route("GET", "/fapi/v2/balance", Security.READ, weight=5)
def balance(desk: Desk, p: Params) -> Any:
    asset = _asset(desk)
    return [
        {
            "accountAlias": "SgsR",
            "asset": "USDT",
            "balance": asset["walletBalance"],
            "crossWalletBalance": asset["walletBalance"],
            "crossUnPnl": asset["unrealizedProfit"],
            "availableBalance": asset["availableBalance"],
            "maxWithdrawAmount": asset["availableBalance"],
            "marginAvailable": True,
            "updateTime": asset["updateTime"],
        }
    ]


@route("GET", "/fapi/v3/positionRisk", Security.READ, weight=5)
def position_risk(desk: Desk, p: Params) -> Any:
    symbol = desk.any_symbol(p)
    held = desk.account.view(desk.lag_ms).positions
    return [shapes.position_risk(each) for each in held if symbol in (None, each.symbol)]


@route("GET", "/fapi/v2/positionRisk", Security.READ, weight=5)
def position_risk_2(desk: Desk, p: Params) -> Any:
    symbol = desk.any_symbol(p)
    held = desk.account.view(desk.lag_ms).positions
    return [
        shapes.position_risk(each) | {"leverage": text(each.leverage), "marginType": each.margin_mode}
        for each in held
        if symbol in (None, each.symbol)
    ]


# Settings


@route("POST", "/fapi/v1/leverage", Security.TRADE)
def leverage(desk: Desk, p: Params) -> Any:
    symbol, wanted = desk.symbol(p), p.whole("leverage")
    if wanted is None:
        raise Refused(Reason.PARAMETER_MISSING, "leverage")
    desk.account.set_leverage(symbol, Decimal(wanted))
    most = _most_notional(desk.venue.instruments[symbol], wanted)
    return {"symbol": shapes.market_id(symbol), "leverage": wanted, "maxNotionalValue": text(most)}


def _most_notional(instrument: Instrument, leverage: int) -> Decimal:
    caps = [tier.notional_cap or Decimal(10**9) for tier in instrument.tiers if tier.max_leverage >= leverage]
    return max(caps, default=Decimal(10**9))


@route("POST", "/fapi/v1/marginType", Security.TRADE)
def margin_type(desk: Desk, p: Params) -> Any:
    modes = {"ISOLATED": "isolated", "CROSSED": "cross"}
    wanted = p.text("marginType")
    if wanted not in modes:
        raise VenueError(-1130, "Data sent for parameter 'marginType' is not valid.")
    desk.account.set_margin_mode(desk.symbol(p), modes[wanted])
    return {"code": 200, "msg": "success"}


@route("GET", "/fapi/v1/positionSide/dual", Security.READ, weight=30)
def position_mode(desk: Desk, p: Params) -> Any:
    return {"dualSidePosition": desk.account.dual}


@route("POST", "/fapi/v1/positionSide/dual", Security.TRADE)
def set_position_mode(desk: Desk, p: Params) -> Any:
    desk.account.set_dual(p.text("dualSidePosition").lower() == "true")
    return {"code": 200, "msg": "success"}


@route("GET", "/fapi/v1/multiAssetsMargin", Security.READ, weight=30)
def multi_assets(desk: Desk, p: Params) -> Any:
    return {"multiAssetsMargin": False}


@route("GET", "/fapi/v1/symbolConfig", Security.READ, weight=5)
def symbol_config(desk: Desk, p: Params) -> Any:
    asked = desk.any_symbol(p)
    return [_config(desk, symbol) for symbol in desk.venue.instruments if asked in (None, symbol)]


def _config(desk: Desk, symbol: str) -> dict[str, Any]:
    setup = desk.account.setup(symbol)
    return {
        "symbol": shapes.market_id(symbol),
        "marginType": "ISOLATED" if setup.margin_mode == "isolated" else "CROSSED",
        "isAutoAddMargin": False,
        "leverage": int(setup.leverage),
        "maxNotionalValue": text(_most_notional(desk.venue.instruments[symbol], int(setup.leverage))),
    }


@route("GET", "/fapi/v1/leverageBracket", Security.READ)
def leverage_bracket(desk: Desk, p: Params) -> Any:
    asked = desk.any_symbol(p)
    return [_brackets(each) for symbol, each in desk.venue.instruments.items() if asked in (None, symbol)]


def _brackets(instrument: Instrument) -> dict[str, Any]:
    floors = [Decimal(0), *(tier.notional_cap or Decimal(0) for tier in instrument.tiers)]
    return {
        "symbol": shapes.market_id(instrument.symbol),
        "notionalCoef": "1.0",
        "brackets": [
            {
                "bracket": number,
                "initialLeverage": int(tier.max_leverage),
                "notionalCap": int(tier.notional_cap or 10**9),
                "notionalFloor": int(floor),
                "maintMarginRatio": float(tier.maintenance_rate),
                "cum": float(tier.maintenance_amount),
            }
            for number, (tier, floor) in enumerate(zip(instrument.tiers, floors, strict=False), start=1)
        ],
    }


@route("GET", "/fapi/v1/commissionRate", Security.READ, weight=20)
def commission_rate(desk: Desk, p: Params) -> Any:
    costs = desk.account.costs
    return {
        "symbol": shapes.market_id(desk.symbol(p)),
        "makerCommissionRate": text(costs.maker),
        "takerCommissionRate": text(costs.taker),
        "rpiCommissionRate": "0.00005",
    }


# What happened


@route("GET", "/fapi/v1/userTrades", Security.READ, weight=5)
def user_trades(desk: Desk, p: Params) -> Any:
    symbol, order_id, first = desk.symbol(p), p.whole("orderId"), p.whole("fromId")
    if first is not None and (p.has("startTime") or p.has("endTime")):
        raise VenueError(-1128, "Combination of optional parameters invalid.")
    rows = [t for t in desk.account.ledger.trades if t.symbol == symbol and order_id in (None, t.order_id)]
    rows = [t for t in rows if t.time <= desk.venue.now() - desk.lag_ms]
    limit = p.limit(500, 1000)
    if first is not None:
        chosen = [t for t in rows if t.id >= first][:limit]
    else:
        chosen = _within(desk, p, rows, lambda t: t.time, limit)
    return [shapes.trade(t) for t in chosen]


@route("GET", "/fapi/v1/income", Security.READ, weight=30)
def income(desk: Desk, p: Params) -> Any:
    symbol, kind = desk.any_symbol(p), p.text("incomeType", "")
    rows = [
        row
        for row in desk.account.ledger.income
        if symbol in (None, row.symbol) and kind in ("", row.kind) and row.time <= desk.venue.now() - desk.lag_ms
    ]
    limit, page = p.limit(100, 1000), p.whole("page")
    if page is not None:
        rows = rows[(page - 1) * limit :]
    return [shapes.income(row) for row in _within(desk, p, rows, lambda row: row.time, limit, longest=None)]


def _within(
    desk: Desk, p: Params, rows: list[Row], time: Callable[[Row], int], limit: int, longest: int | None = WEEK
) -> list[Row]:
    """Oldest first from `startTime` on; without any times the newest of the last seven days."""
    start, end = p.whole("startTime"), p.whole("endTime")
    if start is not None and end is not None and start > end:
        raise VenueError(-1023, "Start time is greater than end time.")
    if longest is not None and start is not None and end is not None and end - start > longest:
        raise VenueError(-4166, "Search window is restricted to recent 7 days only.")
    if start is None:
        until = desk.venue.now() if end is None else end
        return [row for row in rows if until - WEEK <= time(row) <= until][-limit:]
    until = (start + longest if longest is not None else desk.venue.now()) if end is None else end
    return [row for row in rows if start <= time(row) <= until][:limit]


# The key


@route("GET", "/sapi/v1/account/apiRestrictions", Security.READ)
def api_restrictions(desk: Desk, p: Params) -> Any:
    key = desk.key
    told = {
        "ipRestrict": key.ip_restricted,
        "createTime": key.created,
        "enableReading": key.can_read,
        "enableWithdrawals": key.can_withdraw,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": key.can_trade,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": True,
        "enableSpotAndMarginTrading": False,
        "enablePortfolioMarginTrading": False,
    }
    return told if key.expires is None else told | {"tradingAuthorityExpirationTime": key.expires}
