"""A BingX account: money, positions, executions, payments, settings, and what its key may do."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from buddy.core.market import ZERO

from ..orders import VenueIncome, VenueTrade
from ..params import Params
from ..prices import DAY
from ..protocol import text
from ..refusals import Reason, Refused
from . import shapes
from .routes import Desk, Security, route

Row = TypeVar("Row", VenueTrade, VenueIncome)
MODES = {"ISOLATED": "isolated", "CROSSED": "cross"}


# Money and positions


@route("GET", "/openApi/swap/v3/user/balance", Security.READ)
def balance(desk: Desk, p: Params) -> Any:
    return [_balance(desk)]


@route("GET", "/openApi/swap/v2/user/balance", Security.READ)
def balance_2(desk: Desk, p: Params) -> Any:
    return {"balance": _balance(desk)}


def _balance(desk: Desk) -> dict[str, Any]:
    money = desk.account.balance()
    bound = sum((held.margin for held in desk.account.positions()), ZERO)
    return {
        "userId": "116***295",
        "asset": "USDT",
        "balance": text(money.wallet),
        "equity": text(money.equity),
        "unrealizedProfit": text(money.equity - money.wallet),
        "realisedProfit": text(sum((trade.realised - trade.fee for trade in desk.account.ledger.trades), ZERO)),
        "availableMargin": text(money.free),
        "usedMargin": text(bound),
        "freezedMargin": text(max(money.equity - money.free - bound, ZERO)),
        "shortUid": "12851936",
    }


@route("GET", "/openApi/swap/v2/user/positions", Security.READ)
def positions(desk: Desk, p: Params) -> Any:
    symbol = desk.any_symbol(p)
    held = [each for each in desk.account.view(desk.lag_ms).positions if symbol in (None, each.symbol)]
    return [shapes.position(each, "0") for each in held]


@route("GET", "/openApi/wallets/v1/capital/config/getall", Security.READ)
def currencies(desk: Desk, p: Params) -> Any:
    return []


# Settings


@route("GET", "/openApi/swap/v2/trade/leverage", Security.READ)
def get_leverage(desk: Desk, p: Params) -> Any:
    symbol = desk.symbol(p)
    now, most = int(desk.account.setup(symbol).leverage), int(desk.venue.instruments[symbol].max_leverage)
    return {
        "symbol": shapes.market_id(symbol),
        "longLeverage": now,
        "shortLeverage": now,
        "maxLongLeverage": most,
        "maxShortLeverage": most,
    }


@route("POST", "/openApi/swap/v2/trade/leverage", Security.TRADE)
def leverage(desk: Desk, p: Params) -> Any:
    symbol, wanted, side = desk.symbol(p), p.whole("leverage"), p.text("side")
    if wanted is None:
        raise Refused(Reason.PARAMETER_MISSING, "leverage")
    if side not in (("LONG", "SHORT") if desk.account.dual else ("BOTH",)):
        raise Refused(Reason.POSITION_SIDE, side)
    desk.account.set_leverage(symbol, Decimal(wanted))
    return {"leverage": wanted, "symbol": shapes.market_id(symbol)}


@route("GET", "/openApi/swap/v2/trade/marginType", Security.READ)
def get_margin_type(desk: Desk, p: Params) -> Any:
    mode = desk.account.setup(desk.symbol(p)).margin_mode
    return {"marginType": "ISOLATED" if mode == "isolated" else "CROSSED"}


@route("POST", "/openApi/swap/v2/trade/marginType", Security.TRADE)
def margin_type(desk: Desk, p: Params) -> Any:
    wanted = p.text("marginType")
    if wanted not in MODES:
        raise Refused(Reason.PARAMETER_MALFORMED, "marginType")
    desk.account.set_margin_mode(desk.symbol(p), MODES[wanted])
    return {}


@route("GET", "/openApi/swap/v1/positionSide/dual", Security.READ)
def position_mode(desk: Desk, p: Params) -> Any:
    return {"dualSidePosition": "true" if desk.account.dual else "false"}


@route("POST", "/openApi/swap/v1/positionSide/dual", Security.TRADE)
def set_position_mode(desk: Desk, p: Params) -> Any:
    desk.account.set_dual(p.text("dualSidePosition").lower() == "true")
    return {"dualSidePosition": p.text("dualSidePosition")}


@route("GET", "/openApi/swap/v1/maintMarginRatio", Security.READ)
def tiers(desk: Desk, p: Params) -> Any:
    instrument = desk.venue.instruments[desk.symbol(p)]
    floors = [ZERO, *(tier.notional_cap or ZERO for tier in instrument.tiers)]
    return [
        {
            "tier": f"Tier {number}",
            "symbol": shapes.market_id(instrument.symbol),
            "minPositionVal": text(floor),
            "maxPositionVal": text(tier.notional_cap or Decimal(10**9)),
            "maintMarginRatio": text(tier.maintenance_rate),
            "maintAmount": text(tier.maintenance_amount),
        }
        for number, (tier, floor) in enumerate(zip(instrument.tiers, floors, strict=False), start=1)
    ]


@route("GET", "/openApi/swap/v2/user/commissionRate", Security.READ)
def commission_rate(desk: Desk, p: Params) -> Any:
    costs = desk.account.costs
    return {"commission": {"takerCommissionRate": float(costs.taker), "makerCommissionRate": float(costs.maker)}}


# What happened


@route("GET", "/openApi/swap/v2/trade/allFillOrders", Security.READ)
def all_fills(desk: Desk, p: Params) -> Any:
    """Its times are mandatory."""
    for name in ("startTs", "endTs"):
        p.text(name)
    return {"fill_orders": [shapes.fill(trade) for trade in _trades(desk, p, longest=30 * DAY, most=512)]}


@route("GET", "/openApi/swap/v2/trade/fillHistory", Security.READ)
def fill_history(desk: Desk, p: Params) -> Any:
    """After `lastFillId`, a page at a time."""
    rows, last, size = _trades(desk, p, longest=7 * DAY, most=None), p.whole("lastFillId"), p.whole("pageSize") or 50
    page = max(p.whole("pageIndex") or 1, 1)
    rows = [trade for trade in rows if last is None or trade.id > last]
    return {"fill_history_orders": [shapes.fill_2(trade) for trade in rows[(page - 1) * size : page * size]]}


def _trades(desk: Desk, p: Params, *, longest: int, most: int | None) -> list[VenueTrade]:
    symbol, order_id = desk.any_symbol(p), p.whole("orderId")
    rows = [
        trade
        for trade in desk.account.ledger.trades
        if symbol in (None, trade.symbol) and order_id in (None, trade.order_id)
    ]
    found = _between(desk, p, rows, lambda trade: trade.time, ("startTs", "endTs"), longest)
    return found if most is None else found[:most]


@route("GET", "/openApi/swap/v2/user/income", Security.READ)
def income(desk: Desk, p: Params) -> Any:
    symbol, kind = desk.any_symbol(p), p.text("incomeType", "")
    rows = [
        shaped for row in _income_rows(desk, p, symbol) if kind in ("", (shaped := shapes.income(row))["incomeType"])
    ]
    return rows[: p.limit(100, 1000)]


def _income_rows(desk: Desk, p: Params, symbol: str | None) -> list[VenueIncome]:
    rows = [row for row in desk.account.ledger.income if symbol in (None, row.symbol)]
    return _between(desk, p, rows, lambda row: row.time, ("startTime", "endTime"), 90 * DAY)


def _between(
    desk: Desk, p: Params, rows: list[Row], time: Callable[[Row], int], names: tuple[str, str], longest: int
) -> list[Row]:
    now = desk.venue.now()
    start, end = p.whole(names[0]), p.whole(names[1])
    until = now if end is None else end
    since = until - 7 * DAY if start is None else start
    if until - since > longest:
        raise Refused(Reason.PARAMETER_MALFORMED, f"{names[0]} and {names[1]} too far apart")
    return [row for row in rows if since <= time(row) <= min(until, now - desk.lag_ms)]


# The key


@route("GET", "/openApi/v1/account/apiPermissions", Security.READ)
@route("GET", "/openApi/v1/account/apiRestrictions", Security.READ)
def api_permissions(desk: Desk, p: Params) -> Any:
    key = desk.key
    return {
        "ipRestrict": key.ip_restricted,
        "createTime": key.created,
        "permitsUniversalTransfer": False,
        "enableReading": key.can_read,
        "enableFutures": key.can_trade,
        "enableWithdrawals": key.can_withdraw,
        "enableSpotAndMarginTrading": False,
    }
