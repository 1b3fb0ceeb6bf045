"""BingX's websocket: gzip frames, text Ping and Pong; an account's events come by its listen key, unasked."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from buddy.core.market import ZERO, Candle

from ..account import VenueAccount
from ..events import AccountChanged, Event, LeverageChanged, OrderChanged
from ..keyed_streams import KeyedStreams
from ..params import Params
from ..prices import INTERVALS, SymbolPrices
from ..protocol import Call, text
from ..refusals import VenueError
from ..sockets import Channel
from .routes import Desk, Security, route
from .shapes import STATUS, kind, market_id, working_type

BEAT = 5.0
"""Seconds between two Pings."""
PATH = "/openApi/user/auth/userDataStream"


@route("POST", PATH, Security.KEY)
def open_listen_key(desk: Desk, p: Params) -> Any:
    return {"listenKey": desk.listen_keys.open(desk.key).name}


@route("PUT", PATH, Security.KEY)
def keep_listen_key(desk: Desk, p: Params) -> Any:
    found = desk.listen_keys.living.get(p.text("listenKey"))
    if found is None or not desk.listen_keys.is_alive(found):
        raise VenueError(100400, "listenKey not exist")
    desk.listen_keys.open(found.owner)
    return {}


@route("DELETE", PATH, Security.KEY)
def close_listen_key(desk: Desk, p: Params) -> Any:
    desk.listen_keys.close(desk.key)
    return {}


class Streams(KeyedStreams):
    def said(self, event: Event, account: VenueAccount) -> dict[str, Any]:
        return of_account(event)

    async def serve(self, call: Call, socket: web.WebSocketResponse) -> None:
        channel = Channel(socket, self.venue.faults, zipped=True)
        name = self.channels[channel] = dict(parse_qsl(call.query)).get("listenKey", "")
        wanted: dict[str, str] = {}

        def moved(symbol: str) -> None:
            for stream, of in wanted.items():
                if of == symbol:
                    self._tell(channel, stream, symbol)

        beat = asyncio.create_task(_ping(channel))
        try:
            async with self.account_events(channel, name), self.market_events(moved):
                await channel.run(lambda message: self._hear(channel, wanted, message))
        finally:
            beat.cancel()
            del self.channels[channel]

    def _hear(self, channel: Channel, wanted: dict[str, str], message: str) -> None:
        if message == "Pong":
            return
        asked = json.loads(message)
        stream = asked.get("dataType", "")
        symbols = {market_id(symbol): symbol for symbol in self.venue.instruments}
        channel.say({"id": asked.get("id"), "code": 0, "msg": "", "dataType": "", "data": None})
        symbol = symbols.get(stream.partition("@")[0])
        if asked.get("reqType") == "unsub":
            wanted.pop(stream, None)
        elif symbol is not None:
            wanted[stream] = symbol
            self._tell(channel, stream, symbol)

    def _tell(self, channel: Channel, stream: str, symbol: str) -> None:
        data = of_market(stream, symbol, self.venue.prices[symbol], self.venue.now())
        if data is not None:
            channel.tell(
                stream.partition("@")[2], {"code": 0, "dataType": stream, "s": market_id(symbol), "data": data}
            )


async def _ping(channel: Channel) -> None:
    while True:
        channel.say("Ping")
        await asyncio.sleep(BEAT)


def of_account(event: Event) -> dict[str, Any]:
    match event:
        case OrderChanged():
            return _order(event)
        case AccountChanged():
            return _account(event)
        case LeverageChanged():
            now = int(event.leverage)
            told = {"s": market_id(event.symbol), "l": now, "S": now, "mt": "cross"}
            return {"e": "ACCOUNT_CONFIG_UPDATE", "E": event.time, "ac": told}


def _order(event: OrderChanged) -> dict[str, Any]:
    o, trade = event.order, event.trade
    wish = o.wish
    body = {
        "s": market_id(wish.symbol),
        "c": o.client_id,
        "i": o.id,
        "S": wish.order_side.value.upper(),
        "o": kind(o),
        "q": text(o.quantity),
        "p": text(wish.price),
        "sp": text(wish.trigger),
        "ap": text(o.average),
        "x": "TRADE" if trade else event.execution,
        "X": STATUS[o.status],
        "N": "USDT",
        "n": text(-trade.fee if trade else ZERO),
        "T": trade.time if trade else event.time,
        "wt": working_type(wish.trigger_by),
        "ps": wish.position_side,
        "rp": text(trade.realised if trade else ZERO),
        "z": text(o.filled),
        "sg": "false",
        "ti": 0,
        "ro": wish.reduce_only,
        "m": bool(trade and trade.maker),
    }
    if trade:
        body |= {"l": text(trade.quantity), "L": text(trade.price), "t": trade.id}
    return {"e": "ORDER_TRADE_UPDATE", "E": event.time, "T": event.time, "o": body}


def _account(event: AccountChanged) -> dict[str, Any]:
    held, wallet = event.position, text(event.wallet)
    body: dict[str, Any] = {
        "m": event.reason,
        "B": [{"a": "USDT", "wb": wallet, "cw": wallet, "bc": text(event.change)}],
        "P": [],
    }
    if held is not None:
        side = "LONG" if held.quantity >= 0 else "SHORT"
        body["P"] = [
            {
                "s": market_id(held.symbol),
                "pa": text(abs(held.quantity)),
                "ep": text(held.entry),
                "up": text(held.unrealised),
                "mt": held.margin_mode,
                "iw": text(held.margin) if held.margin_mode == "isolated" else "0",
                "ps": side,
                "cr": "0",
            }
        ]
    return {"e": "ACCOUNT_UPDATE", "E": event.time, "T": event.time, "a": body}


def of_market(stream: str, symbol: str, prices: SymbolPrices, now: int) -> Any | None:
    """What `BTC-USDT@ticker` and its like say; None for streams there are none of."""
    what = stream.partition("@")[2]
    if what.startswith("kline_") and what.removeprefix("kline_") in INTERVALS:
        return [_kline(prices.running(INTERVALS[what.removeprefix("kline_")], now))]
    if what == "ticker":
        return _ticker(symbol, prices, now)
    if what in ("lastPrice", "markPrice"):
        price = prices.mark_price if what == "markPrice" else prices.last
        return {"e": f"{what}Update", "E": now, "s": market_id(symbol), "p": text(price)}
    if what == "bookTicker":
        bid, ask = text(prices.bid), text(prices.ask)
        name = market_id(symbol)
        return {"e": what, "u": now, "E": now, "T": now, "s": name, "b": bid, "B": "10", "a": ask, "A": "10"}
    return None


def _ticker(symbol: str, prices: SymbolPrices, now: int) -> dict[str, Any]:
    day = prices.day()
    change = day.close - day.open
    return {
        "e": "24hTicker", "E": now, "s": market_id(symbol), "p": text(change), "P": f"{change / day.open * 100:.2f}",
        "c": text(prices.last), "L": "0.001", "h": text(day.high), "l": text(day.low), "v": text(day.volume),
        "q": text(day.volume * day.close), "o": text(day.open), "O": day.time, "C": now, "A": text(prices.ask),
        "a": "10", "B": text(prices.bid), "b": "10",
    }  # fmt: skip


def _kline(row: Candle) -> dict[str, Any]:
    names = ("T", "o", "h", "l", "c", "v")
    return dict(zip(names, (row.time, *(text(number) for number in row[1:])), strict=True))
