"""What executed and what was paid at a real venue since a cursor: complete, each once, and valued in one currency."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from buddy.core.errors import CouldNotRead
from buddy.core.exchange import Fill, Income, OrderState
from buddy.core.market import TIMEFRAMES, ZERO

from .ccxt_calls import Calls
from .ccxt_errors import Absent
from .ccxt_orders import filled_in
from .ccxt_words import Row, child_of, fill_of, income_of, number, starts_as
from .cursors import Cursor, Track
from .venue_recipes import Call, Pages, at

log = logging.getLogger(__name__)

PAGES_AT_MOST = 20
NAMES_KEPT = 5000
INCOME_EVERY = 60_000
"""Milliseconds between two questions for income, which comes every few hours and costs much."""
MINUTE = TIMEFRAMES["1m"]
DOLLARS = frozenset({"USD", "USDT", "USDC", "BUSD", "FDUSD", "USDG", "DAI"})
"""Worth each other, to the precision of a fee."""


class Names:
    """Which order of ours an exchange id means; what is not known is asked for once."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[str, bool]] = OrderedDict()

    def learn(self, exchange_id: str, client_id: str, liquidation: bool = False) -> None:
        if not exchange_id:
            return
        self._known[exchange_id] = (client_id, liquidation)
        while len(self._known) > NAMES_KEPT:
            self._known.popitem(last=False)

    def learn_order(self, order: OrderState) -> None:
        if order.client_id:
            self.learn(order.exchange_id, order.client_id)
            self.learn(order.child_id, order.client_id)

    def of(self, exchange_id: str) -> tuple[str, bool] | None:
        return self._known.get(exchange_id)


class History:
    """An account's past, from the cursor on."""

    def __init__(self, calls: Calls, names: Names) -> None:
        self.calls, self.names = calls, names
        self.recipe = calls.client.recipe
        self.api = calls.client.api
        self._income_asked = 0

    # --- executions ---

    def fills(self, track: Track, symbols: Iterable[str], now: int) -> tuple[list[Fill], Track, bool]:
        """What is new, the track behind it, and whether there is more already."""
        until = self._until(track, now)
        rows, complete = [], until or now
        for symbol in sorted(symbols) if self.recipe.fills_by_symbol else [None]:
            found, read_to = self._trades(symbol, track.horizon, until)
            rows += found
            complete = min(complete, read_to or complete)
        rows = [row for row in rows if self._is_execution(row)]
        new = track.new(rows, _trade_id, _trade_time)
        ids = [(_trade_id(row), _trade_time(row)) for row in rows]
        return self._named(new), track.after(ids, complete), complete < now

    def _until(self, track: Track, now: int) -> int | None:
        window = self.recipe.fills.window
        return track.horizon + window - 1 if window and now - track.horizon >= window else None

    def _trades(self, symbol: str | None, since: int, until: int | None) -> tuple[list[Row], int | None]:
        """All executions since then, or the first many of them and the time up to which they are all."""
        pages, rows, extra = self.recipe.fills, list[Row](), dict[str, Any](self.recipe.fills_params)
        if until is not None:
            extra["until"] = until
        for _ in range(PAGES_AT_MOST):
            page = self.calls.read("fetch_my_trades", symbol, since, pages.size, dict(extra))
            rows += page
            if len(page) < pages.size:
                return rows, None
            if pages.param:
                extra[pages.param] = _token(page, pages)
            else:
                since = _further(page, since)
        if pages.param:
            raise CouldNotRead("More has executed than can be read at once.")
        return rows, since

    def _is_execution(self, row: Row) -> bool:
        return bool(number(row.get("amount")))

    def _named(self, rows: Sequence[Row]) -> list[Fill]:
        self._find_names(rows)
        return [self._fill(row) for row in rows]

    def _fill(self, row: Row) -> Fill:
        client_id, liquidation = self.names.of(str(row.get("order") or "")) or ("", False)
        liquidation = liquidation or starts_as(row.get("info") or {}, self.recipe.liquidation)
        return fill_of(row, self._client_id_in(row) or client_id, self._fee(row), liquidation)

    def _client_id_in(self, row: Row) -> str:
        return str(at(row.get("info"), self.recipe.client_id_of_fill) or "") if self.recipe.client_id_of_fill else ""

    def _find_names(self, rows: Sequence[Row]) -> None:
        """Learn whose orders executed, where executions carry no client id."""
        unknown = {str(row["order"]): str(row["symbol"]) for row in rows if self._nameless(row)}
        if unknown and self.recipe.children is not None:
            for symbol in sorted(set(unknown.values())):
                self._learn_children(self.recipe.children, symbol)
        for exchange_id, symbol in unknown.items():
            if self.names.of(exchange_id) is None:
                self._ask_name(exchange_id, symbol)

    def _nameless(self, row: Row) -> bool:
        order = str(row.get("order") or "")
        return bool(order) and not self._client_id_in(row) and self.names.of(order) is None

    def _learn_children(self, call: Call, symbol: str) -> None:
        """Orders that conditional ones became carry ids of their own; the conditional ones name them."""
        for row in raw_rows(self.calls, call, {"market": self.api.market(symbol)["id"]}):
            child = child_of(row, self.recipe)
            client_id = next((str(row[name]) for name in self.recipe.client_id_of_child if row.get(name)), "")
            if child and client_id:
                self.names.learn(child, client_id)

    def _ask_name(self, exchange_id: str, symbol: str) -> None:
        try:
            row = self.calls.read("fetch_order", exchange_id, symbol)
        except Absent:  # venues forget orders before they forget executions
            self.names.learn(exchange_id, "")
            return
        client_id = str(row.get("clientOrderId") or "")
        self.names.learn(exchange_id, client_id, starts_as(row.get("info") or {}, self.recipe.liquidation))

    # --- fees ---

    def _fee(self, row: Row) -> Decimal:
        """Paid in the settle currency, valued at the minute of the execution where it was taken in another coin."""
        fee = row.get("fee") or {}
        cost, coin = number(fee.get("cost")) or ZERO, str(fee.get("currency") or "")
        settle = str(self.api.market(row["symbol"])["settle"])
        if not cost or not coin or coin == settle or {coin, settle} <= DOLLARS:
            return cost
        return cost * self._price_of(coin, settle, int(row["timestamp"]))

    def _price_of(self, coin: str, settle: str, time: int) -> Decimal:
        symbol = f"{coin}/{settle}:{settle}"
        if symbol not in self.api.markets:
            log.warning("a fee in %s has no price here and counts as nothing", coin)
            return ZERO
        candles = self.calls.read("fetch_ohlcv", symbol, "1m", time - time % MINUTE, 1)
        if not candles:
            raise CouldNotRead(f"The price of {coin} at the time of a fee is not told yet.")
        return Decimal(str(candles[0][4]))

    # --- income ---

    def income(self, track: Track, now: int) -> tuple[list[Income], Track]:
        """Funding and the like, asked for once a minute."""
        ledger = self.recipe.income
        if ledger is None or now - self._income_asked < INCOME_EVERY:
            return [], track
        rows = self._income_rows(track.horizon)
        self._income_asked = now
        told = [income_of(raw, ledger, *self._income_facts(raw)) for raw in rows if self._counts(raw)]
        new = track.new(told, lambda each: each.income_id, lambda each: each.time)
        return new, track.after([(each.income_id, each.time) for each in told], now)

    def _income_rows(self, since: int) -> list[Row]:
        ledger = self.recipe.income
        assert ledger is not None
        rows: list[Row] = []
        for _ in range(PAGES_AT_MOST):
            page = raw_rows(self.calls, ledger.call, {}, {ledger.since: since})
            rows += page
            if len(page) < ledger.page:
                return rows
            since = max(self._income_facts(raw)[2] for raw in page)
        raise CouldNotRead("More income has come than can be read at once.")

    def _counts(self, raw: Row) -> bool:
        """Whether it is money earned or paid that no execution tells of."""
        ledger = self.recipe.income
        return ledger is not None and str(raw.get(ledger.kind)) not in ledger.ignored

    def _income_facts(self, raw: Row) -> tuple[str, Decimal, int]:
        """Symbol, amount in the settle currency, time."""
        ledger = self.recipe.income
        assert ledger is not None
        market_id = str(raw.get(ledger.symbol) or "")
        symbol = str(self.api.safe_symbol(market_id, None, None, "swap")) if market_id else ""
        amount, time = number(raw.get(ledger.amount)) or ZERO, int(raw[ledger.time])
        coin = str(raw.get(ledger.currency) or "")
        settle = str(self.api.markets[symbol]["settle"]) if symbol in self.api.markets else coin
        if coin and coin != settle and not {coin, settle} <= DOLLARS:
            amount *= self._price_of(coin, settle, time)
        return symbol, amount, time


def begin(text: str, now: int) -> Cursor:
    """The cursor of an account, or that of one read for the first time."""
    try:
        return Cursor.read(text, now)
    except (ValueError, KeyError, TypeError, IndexError):
        raise CouldNotRead("What is kept of how far the account was read cannot be understood.") from None


def raw_rows(calls: Calls, call: Call, names: Mapping[str, str], more: Mapping[str, Any] | None = None) -> list[Row]:
    """The rows of a plain endpoint's answer."""
    answer = calls.read(call.method, filled_in(call.params, dict(names)) | dict(more or {}))
    rows = at(answer, call.rows)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _trade_id(row: Row) -> str:
    return f"{row['symbol']}:{row['id']}"


def _trade_time(row: Row) -> int:
    return int(row["timestamp"])


def _token(page: Sequence[Row], pages: Pages) -> Any:
    """What asks for the page after this one; the library sorts a page by time, oldest first."""
    token = next((found for row in page if (found := at(row, pages.field))), None)
    if token is None:
        raise CouldNotRead("The venue does not tell how to read on.")
    return token


def _further(page: Sequence[Row], since: int) -> int:
    newest = max(_trade_time(row) for row in page)
    if newest <= since:
        raise CouldNotRead("More executed in a millisecond than can be read at once.")
    return newest
