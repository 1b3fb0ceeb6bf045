"""A Bybit account: money, positions, executions, settings, and what its key may do."""

from __future__ import annotations

from typing import Any

from buddy.core.market import ZERO

from ..orders import HeldPosition, Wish
from ..params import Params
from ..prices import DAY
from ..protocol import text
from ..refusals import Reason, Refused, VenueError
from . import shapes
from .routes import Desk, Security, route
from .trading import paged

MODES = {"ISOLATED_MARGIN": "isolated", "REGULAR_MARGIN": "cross"}
KINDS = {"TRANSFER": "TRANSFER_IN", "FUNDING_FEE": "SETTLEMENT", "REALIZED_PNL": "TRADE", "COMMISSION": "TRADE"}


# The key


@route("GET", "/v5/user/query-api", Security.READ)
def query_api(desk: Desk, p: Params) -> Any:
    key = desk.key
    trade = ["Order", "Position"] if key.can_trade else []
    expires = key.expires or key.created + 90 * DAY
    return {
        "id": "13770661",
        "note": "stand-in",
        "apiKey": key.key,
        "readOnly": 0 if key.can_trade else 1,
        "secret": "",
        "permissions": {
            "ContractTrade": trade,
            "Spot": [],
            "Wallet": ["AccountTransfer", "Withdraw"] if key.can_withdraw else [],
            "Options": [],
            "Derivatives": ["DerivativesTrade"] if key.can_trade else [],
        },
        "ips": ["127.0.0.1"] if key.ip_restricted else ["*"],
        "type": 1,
        "deadlineDay": max((expires - desk.venue.now()) // DAY, 0),
        "expiredAt": str(expires),
        "createdAt": str(key.created),
        "unified": 0,
        "uta": 1,
        "userID": 24617703,
        "vipLevel": "No VIP",
        "isMaster": True,
    }


@route("GET", "/v5/account/info", Security.READ)
def account_info(desk: Desk, p: Params) -> Any:
    return {
        "unifiedMarginStatus": 6,
        "marginMode": "ISOLATED_MARGIN" if desk.account.first_margin_mode == "isolated" else "REGULAR_MARGIN",
        "dcpStatus": "OFF",
        "timeWindow": 0,
        "smpGroup": 0,
        "isMasterTrader": False,
        "updatedTime": str(desk.venue.now()),
    }


# Money and positions


@route("GET", "/v5/account/wallet-balance", Security.READ)
def wallet_balance(desk: Desk, p: Params) -> Any:
    coin = wallet(desk)
    whole = {
        "accountType": "UNIFIED",
        "accountLTV": "0",
        "totalEquity": coin["equity"],
        "totalWalletBalance": coin["walletBalance"],
        "totalMarginBalance": coin["equity"],
        "totalAvailableBalance": text(desk.account.balance().free),
        "totalPerpUPL": coin["unrealisedPnl"],
        "totalInitialMargin": coin["totalPositionIM"],
        "totalMaintenanceMargin": coin["totalPositionMM"],
        "coin": [coin],
    }
    return {"list": [whole]}


def wallet(desk: Desk) -> dict[str, Any]:
    money, held = desk.account.balance(), desk.account.positions()
    bound = sum((each.margin for each in held), ZERO)
    return {
        "coin": "USDT",
        "equity": text(money.equity),
        "usdValue": text(money.equity),
        "walletBalance": text(money.wallet),
        "free": "",
        "locked": "0",
        "spotHedgingQty": "0",
        "borrowAmount": "0",
        "availableToWithdraw": "",
        "availableToBorrow": "",
        "accruedInterest": "0",
        "totalOrderIM": text(max(money.equity - money.free - bound, ZERO)),
        "totalPositionIM": text(bound),
        "totalPositionMM": text(sum((each.maintenance for each in held), ZERO)),
        "unrealisedPnl": text(money.equity - money.wallet),
        "cumRealisedPnl": text(sum((trade.realised - trade.fee for trade in desk.account.ledger.trades), ZERO)),
        "bonus": "0",
        "marginCollateral": True,
        "collateralSwitch": True,
    }


@route("GET", "/v5/position/list", Security.READ)
def position_list(desk: Desk, p: Params) -> Any:
    """With a symbol also when nothing of it is held; in hedge mode each side has a row of its own."""
    symbol = desk.any_symbol(p)
    held = [each for each in desk.account.view(desk.lag_ms).positions if symbol in (None, each.symbol)]
    rows = [position(desk, each.symbol, each) for each in held]
    if symbol and not held:
        rows = [position(desk, symbol, None)]
    return {"category": "linear", "list": rows, "nextPageCursor": ""}


def position(desk: Desk, symbol: str, held: HeldPosition | None) -> dict[str, Any]:
    protection = {
        shapes.stop_type(each): text(each.wish.trigger)
        for each in desk.account.armed.values()
        if each.wish.symbol == symbol and each.wish.closes_position and _protects(each.wish, held)
    }
    leverage = text(desk.account.setup(symbol).leverage)
    return shapes.position(symbol, held, leverage, protection, dual=desk.account.dual)


def _protects(wish: Wish, held: HeldPosition | None) -> bool:
    return held is None or wish.position_side == held.position_side


# Settings


@route("POST", "/v5/position/set-leverage", Security.TRADE)
def set_leverage(desk: Desk, p: Params) -> Any:
    symbol, wanted = desk.symbol(p), p.number("buyLeverage")
    if wanted is None or wanted != p.number("sellLeverage"):
        raise Refused(Reason.PARAMETER_MALFORMED, "buyLeverage and sellLeverage")
    if wanted == desk.account.setup(symbol).leverage:
        raise VenueError(110043, "leverage not modified")
    desk.account.set_leverage(symbol, wanted)
    return {}


@route("POST", "/v5/account/set-margin-mode", Security.TRADE)
def set_margin_mode(desk: Desk, p: Params) -> Any:
    """Of the whole account."""
    wanted = MODES.get(p.text("setMarginMode"))
    if wanted is None:
        raise Refused(Reason.PARAMETER_MALFORMED, "setMarginMode")
    for symbol in desk.venue.instruments:
        if desk.account.setup(symbol).margin_mode != wanted:
            desk.account.set_margin_mode(symbol, wanted)
    desk.account.first_margin_mode = wanted
    return {"reasons": []}


@route("POST", "/v5/position/switch-mode", Security.TRADE)
def switch_mode(desk: Desk, p: Params) -> Any:
    mode = p.whole("mode")
    if mode not in (0, 3):
        raise Refused(Reason.PARAMETER_MALFORMED, "mode")
    desk.account.set_dual(mode == 3)
    return {}


@route("GET", "/v5/account/fee-rate", Security.READ)
def fee_rate(desk: Desk, p: Params) -> Any:
    symbol, costs = desk.any_symbol(p), desk.account.costs
    rows = [
        {"symbol": shapes.market_id(each), "takerFeeRate": text(costs.taker), "makerFeeRate": text(costs.maker)}
        for each in desk.venue.instruments
        if symbol in (None, each)
    ]
    return {"list": rows}


@route("GET", "/v5/asset/coin/query-info", Security.READ)
def coins(desk: Desk, p: Params) -> Any:
    return {"rows": []}


# What happened


@route("GET", "/v5/execution/list", Security.READ)
def executions(desk: Desk, p: Params) -> Any:
    """Newest first, at most seven days at a time; funding is among them."""
    symbol, kind, order = desk.any_symbol(p), p.text("execType", ""), p.text("orderId", "")
    start, end = window(desk, p)
    ledger = desk.account.ledger
    trades = [shapes.execution(trade, ledger.orders.get(trade.order_id)) for trade in ledger.trades]
    funding = [shapes.funding(row) for row in ledger.income if row.kind == "FUNDING_FEE"]
    rows = [
        row
        for row in sorted([*trades, *funding], key=lambda row: (int(row["execTime"]), row["seq"]), reverse=True)
        if (symbol is None or row["symbol"] == shapes.market_id(symbol))
        and kind in ("", row["execType"])
        and order in ("", row["orderId"])
        and p.text("orderLinkId", row["orderLinkId"]) == row["orderLinkId"]
        and start <= int(row["execTime"]) <= end
    ]
    page, cursor = paged(p, rows, default=50, most=100)
    return {"category": "linear", "list": page, "nextPageCursor": cursor}


@route("GET", "/v5/account/transaction-log", Security.READ)
def transactions(desk: Desk, p: Params) -> Any:
    start, end = window(desk, p)
    rows = [
        {
            "id": shapes.order_id(row.id),
            "symbol": shapes.market_id(row.symbol) if row.symbol else "",
            "category": "linear" if row.symbol else "",
            "transactionTime": str(row.time),
            "type": KINDS.get(row.kind, row.kind),
            "currency": row.asset,
            "funding": text(row.amount) if row.kind == "FUNDING_FEE" else "",
            "fee": text(-row.amount) if row.kind == "COMMISSION" else "0",
            "cashFlow": text(row.amount) if row.kind in ("REALIZED_PNL", "TRANSFER") else "0",
            "change": text(row.amount),
            "cashBalance": "",
            "tradeId": shapes.order_id(row.trade_id) if row.trade_id else "",
        }
        for row in reversed(desk.account.ledger.income)
        if start <= row.time <= end
    ]
    page, cursor = paged(p, rows, default=20, most=50)
    return {"list": page, "nextPageCursor": cursor}


def window(desk: Desk, p: Params) -> tuple[int, int]:
    """From and until, in ms. Raises Refused for more than seven days."""
    now = desk.venue.now() - desk.lag_ms
    start, end = p.whole("startTime"), p.whole("endTime")
    if start is None and end is None:
        return now - 7 * DAY, now
    if start is None or end is None:
        return (start, start + 7 * DAY) if start is not None else ((end or now) - 7 * DAY, end or now)
    if end - start > 7 * DAY:
        raise Refused(Reason.PARAMETER_MALFORMED, "startTime and endTime: more than 7 days")
    return start, min(end, now)
