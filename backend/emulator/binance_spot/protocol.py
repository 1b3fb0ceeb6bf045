"""Binance spot asks and answers as all of Binance does; it has other limits and other words for what it refuses."""

from __future__ import annotations

from ..account_books import Habits
from ..binance.protocol import Binance
from ..protocol import Answer
from . import account, order_lists, public, streams, trading
from .refusals import ERRORS
from .routes import ROUTES

MODULES = (account, order_lists, public, streams, trading)
"""Importing them is what fills ROUTES."""


class BinanceSpot(Binance):
    paths = ("/api/", "/sapi/", streams.API, "/ws", "/stream")
    habits = Habits(spot=True, own_book=False)
    routes = ROUTES
    errors = ERRORS
    sockets = streams.Streams

    def too_many(self, seconds: float) -> Answer:
        message = (
            "Too much request weight used; current limit is 6000 request weight per 1 MINUTE. "
            "Please use WebSocket Streams for live updates to avoid polling the API."
        )
        return Answer({"code": -1003, "msg": message}, 429, {"Retry-After": str(int(seconds) or 1)})

    def banned(self, seconds: float) -> Answer:
        until = self.venue.now() + int(seconds * 1000)
        message = (
            f"Way too much request weight used; IP banned until {until}. "
            "Please use WebSocket Streams for live updates to avoid bans."
        )
        return Answer({"code": -1003, "msg": message}, 418, {"Retry-After": str(int(seconds) or 1)})
