"""What executed and what was paid at a real venue since a cursor: complete, each once, and valued in one currency."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

from buddy.core.errors import CouldNotRead, KeyRefused
from buddy.core.exchange import Fill, Income, OrderState
from buddy.core.market import TIMEFRAMES, ZERO

from .ccxt_calls import Calls
from .ccxt_delisted import Gone, about
from .ccxt_errors import Absent
from .ccxt_orders import filled_in
from .ccxt_pages import Reader, paged, raw_rows, until_of
from .ccxt_words import (
    Row,
    child_of,
    client_id_of,
    exchange_id_of,
    fill_of,
    income_of,
    number,
    settle_of,
    starts_as,
)
from .client_names import from_venue
from .cursors import LATE, STEP, Cursor, Track
from .recipe import Call, Ledger, milliseconds
from .venues import VENUES

log = logging.getLogger(__name__)

NAMES_KEPT = 5000
INCOME_EVERY = 60_000
"""Milliseconds between two questions for income, which comes every few hours and costs much."""
AFTER_A_CHANGE, AT_LEAST_EVERY, EVERYTHING_AFTER = 10_000, 20_000, STEP + LATE
"""Milliseconds: how long executions are asked for after something was seen to happen, and how often without."""
FEE_MINUTES = 30
"""How far back a price is looked for that values a fee, where the coin did not trade in the minute of the execution."""
FEE_LATE = 20_000
"""Milliseconds an execution is held back for its fee, where the list that tells it can be read.

What is told without it in the end carries the fee of the price list, which the library reckons for executions that
name none: the rate of the smallest volume, so never less than was paid."""
MINUTE = TIMEFRAMES["1m"]
DOLLARS = frozenset({"USD", "USDT", "USDC", "BUSD", "FDUSD", "USDG", "DAI"})
"""Worth each other, to the precision of a fee."""


class Names:
    """Which order of ours an exchange id means; what is not known is asked for once. Some venues count by symbol."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], tuple[str, bool]] = OrderedDict()

    def learn(self, symbol: str, exchange_id: str, client_id: str, liquidation: bool = False) -> None:
        if not exchange_id:
            return
        self._known[symbol, exchange_id] = (client_id, liquidation)
        while len(self._known) > NAMES_KEPT:
            self._known.popitem(last=False)

    def learn_order(self, order: OrderState) -> None:
        if order.client_id:
            self.learn(order.symbol, order.exchange_id, order.client_id)
            self.learn(order.symbol, order.child_id, order.client_id)

    def of(self, symbol: str, exchange_id: str) -> tuple[str, bool] | None:
        return self._known.get((symbol, exchange_id))


class History:
    """An account's past, from the cursor on."""

    def __init__(self, calls: Calls, names: Names) -> None:
        self.calls, self.names = calls, names
        self.recipe = calls.client.recipe
        self.api = calls.client.api
        self._income_asked = 0
        self._asked: dict[str, tuple[object, int, int]] = {}
        """Symbol → what was seen of it last, since when, and when its executions were asked for."""

    # --- executions ---

    def fills(
        self, track: Track, symbols: Mapping[str, object], now: int, *, more: bool = False
    ) -> tuple[list[Fill], Track, bool]:
        """What is new, the track behind it, and whether there is more already.

        `symbols`: with what is seen of each at this moment. Where each costs a call of its own, those on which nothing
        is seen to have happened are asked about now and then only; then the horizon stays where it is. So it does where
        one call tells all and costs too much for every reading. `more`: and for others that cannot be asked about now.
        """
        until, rationed = until_of(track, now, self.recipe.trade_pages), self.recipe.trades_when_due
        asked = self._due(symbols or ({"": None} if rationed else {}), track, now)
        by_symbol, everywhere = self.recipe.trades_by_symbol, bool(asked) or not rationed
        rows, complete = list[Row](), until
        for symbol in asked if by_symbol else [None] if everywhere else []:
            with about(self.calls, symbol):
                found, read_to = self._trades(symbol, track.horizon, until, now)
            rows += [row for row in found if number(row.get("amount"))]
            complete = min(complete, read_to)
        new = track.new(rows, _trade_id, _trade_time)
        fees = self._fees(new)
        waiting = {_trade_id(row): _trade_time(row) for row in new if self._waits_for_fee(row, fees, now)}
        behind, complete = complete < now, min([complete, *(time - 1 for time in waiting.values())])
        new = [row for row in new if _trade_id(row) not in waiting]
        ids = [(_trade_id(row), _trade_time(row)) for row in rows if _trade_id(row) not in waiting]
        all_asked = (len(asked) == len(symbols) and not more) if by_symbol else everywhere
        after = track.after(ids, complete, now) if all_asked else track.also(name for name, _ in ids)
        return self._named(new, fees or {}), after, behind

    def _due(self, symbols: Mapping[str, object], track: Track, now: int) -> list[str]:
        everything = now - track.horizon >= EVERYTHING_AFTER
        return [symbol for symbol in sorted(symbols) if self._is_due(symbol, symbols[symbol], now) or everything]

    def _is_due(self, symbol: str, seen: object, now: int) -> bool:
        before, changed, asked = self._asked.get(symbol, (None, now, 0))
        changed = now if seen != before else changed
        due = now - changed <= AFTER_A_CHANGE or now - asked >= AT_LEAST_EVERY
        self._asked[symbol] = (seen, changed, now if due else asked)
        return due

    def expect(self, symbol: str) -> None:
        """Something may execute on it at once."""
        self._asked.pop(symbol, None)

    def ask_anew(self) -> None:
        """What was told last never became part of a reading."""
        self._asked.clear()
        self._income_asked = 0

    def _trades(self, symbol: str | None, since: int, until: int, now: int) -> tuple[list[Row], int]:
        """All executions since then, and the time up to which they are all."""
        pages, call, times = self.recipe.trade_pages, self.recipe.trades, self.recipe.trade_times
        if call is not None and times is not None:
            names = {"market": self.api.market(symbol)["id"]} if symbol else {}
            rows, read_to = Reader(self.calls, call, times, pages).all(since, until, now, names, self._raw_time)
            return self._parsed(rows, symbol), read_to
        params = {"until": until} if until < now else {}
        return paged(
            lambda begin, more: self.calls.read("fetch_my_trades", symbol, begin, pages.size, {**params, **more}),
            pages, since, until, _trade_time,
        )  # fmt: skip

    def _parsed(self, rows: Sequence[Row], symbol: str | None) -> list[Row]:
        name, words = self.recipe.executions
        market = self.api.market(symbol) if symbol else None
        return [self._execution(raw, market) for raw in rows if not name or raw.get(name) in words]

    def _execution(self, raw: Row, market: Any) -> Row:
        row = dict(self.api.parse_trade(raw, market))
        row["timestamp"] = row.get("timestamp") or self._raw_time(raw)
        row["takerOrMaker"] = row.get("takerOrMaker") or raw.get("role")
        return row

    def _raw_time(self, raw: Row) -> int:
        fields = (self.recipe.trade_time, "execTime", "cTime", "time", "ts")
        found = next((time for name in fields if name and (time := milliseconds(raw.get(name)))), None)
        if found is None:
            raise CouldNotRead("The venue told an execution without its time.")
        return found

    def _named(self, rows: Sequence[Row], fees: Mapping[str, Decimal]) -> list[Fill]:
        self._find_names(rows)
        return [self._fill(row, fees) for row in rows]

    def _fill(self, row: Row, fees: Mapping[str, Decimal]) -> Fill:
        client_id, liquidation = self.names.of(str(row["symbol"]), str(row.get("order") or "")) or ("", False)
        liquidation = liquidation or starts_as(row.get("info") or {}, self.recipe.liquidation)
        fee = fees[str(row["id"])] if str(row["id"]) in fees else self._fee(row)
        return fill_of(row, self._client_id_in(row) or client_id, fee, self._withheld(row), liquidation)

    def _client_id_in(self, row: Row) -> str:
        raw = row.get("info") or {}
        named = next((str(raw[name]) for name in self.recipe.client_id_of_fill if raw.get(name)), "")
        return from_venue(named, self.recipe.names)

    def _find_names(self, rows: Sequence[Row]) -> None:
        """Learn whose orders executed, where executions carry no client id."""
        unknown = {(str(row["symbol"]), str(row["order"])): None for row in rows if self._nameless(row)}
        for symbol in sorted({symbol for symbol, _ in unknown if symbol in self.api.markets}):
            for call in self.recipe.children:
                with suppress(Gone), about(self.calls, symbol):
                    self._learn_children(call, symbol)
        for symbol, exchange_id in unknown:
            if symbol in self.api.markets and self.names.of(symbol, exchange_id) is None:
                with suppress(Gone), about(self.calls, symbol):  # whoever books it asks for our orders by their names
                    self._ask_name(exchange_id, symbol)

    def _nameless(self, row: Row) -> bool:
        order = str(row.get("order") or "")
        return bool(order) and not self._client_id_in(row) and self.names.of(str(row["symbol"]), order) is None

    def _learn_children(self, call: Call, symbol: str) -> None:
        """Orders that conditional ones became carry ids of their own; the conditional ones name them."""
        for row in raw_rows(self.calls, call, {"market": self.api.market(symbol)["id"]}):
            child = child_of(row, self.recipe)
            client_id = str(row.get("clientAlgoId") or row.get("clientOid") or "")
            if child and client_id:
                self.names.learn(symbol, child, client_id)

    def _ask_name(self, exchange_id: str, symbol: str) -> None:
        try:
            row = self._order(exchange_id, symbol)
        except Absent:
            row = None
        if row is None:  # venues forget orders before they forget executions
            self.names.learn(symbol, exchange_id, "")
            return
        client_id = client_id_of(row, self.recipe)
        self.names.learn(symbol, exchange_id, client_id, starts_as(row.get("info") or {}, self.recipe.liquidation))

    def _order(self, exchange_id: str, symbol: str) -> Row | None:
        for call in self.recipe.find_by_id:
            params = filled_in(call.params, {"exchange_id": exchange_id})
            if call.shape == "raw":
                raw = raw_rows(self.calls, call, {"exchange_id": exchange_id})
                found = self.api.parse_orders(raw, self.api.market(symbol))
            else:
                given = (exchange_id, symbol) if call.shape == "order" else (symbol, None, None)
                found = self.calls.read(call.method, *given, params)
            for row in found if isinstance(found, list) else [found]:
                if exchange_id_of(row, self.recipe) == exchange_id:
                    return dict(row)
        return None

    # --- fees ---

    def _fees(self, rows: Sequence[Row]) -> dict[str, Decimal] | None:
        """By execution, where another list tells them; in the settle currency. None while that list cannot be read."""
        log = self.recipe.fees
        if log is None or not rows:
            return {}
        since = min(_trade_time(row) for row in rows) - MINUTE
        try:
            told = raw_rows(self.calls, log.call, {}, {log.since: since})
        except KeyRefused:
            raise
        except CouldNotRead:  # protection does not wait for a fee
            return None
        fees: dict[str, Decimal] = {}
        for raw in told:
            if raw.get(log.id) and (fee := number(raw.get(log.fee))) is not None:
                fees[str(raw[log.id])] = fees.get(str(raw[log.id]), ZERO) + fee
        return fees

    def _waits_for_fee(self, row: Row, fees: Mapping[str, Decimal] | None, now: int) -> bool:
        """Its fee is told in a list that lags a little: it is told once that is there, or without it in the end."""
        if self.recipe.fees is None or (fees is not None and str(row["id"]) in fees):
            return False
        return fees is None or now - _trade_time(row) < FEE_LATE

    def _fee(self, row: Row) -> Decimal:
        """Paid in the settle currency, valued at the minute of the execution where it was taken in another coin.

        In the coin that was traded it is worth what that was traded for.
        """
        cost, coin = _paid(row)
        market = self.api.markets.get(row["symbol"])  # executions also come of what is not listed any more
        settle = settle_of(market) if market else VENUES[self.calls.client.venue].settle
        if self._in_kind(row, coin):
            return cost * (number(row.get("price")) or ZERO)
        if not cost or not coin or coin == settle or {coin, settle} <= DOLLARS:
            return cost
        return cost * self._price_of(coin, settle, int(row["timestamp"]))

    def _in_kind(self, row: Row, coin: str) -> bool:
        market = self.api.markets.get(row["symbol"]) or {}
        return bool(market.get("spot")) and coin == market["base"]

    def _withheld(self, row: Row) -> Decimal:
        """What of the coins bought was never handed over."""
        cost, coin = _paid(row)
        return max(cost, ZERO) if row.get("side") == "buy" and self._in_kind(row, coin) else ZERO

    def _price_of(self, coin: str, settle: str, time: int) -> Decimal:
        is_spot = VENUES[self.calls.client.venue].exits.is_spot
        symbol = f"{coin}/{settle}" if is_spot else f"{coin}/{settle}:{settle}"
        if symbol not in self.api.markets:
            log.warning("a fee in %s has no price here and counts as nothing", coin)
            return ZERO
        since = time - time % MINUTE - (FEE_MINUTES - 1) * MINUTE
        candles = self.calls.read("fetch_ohlcv", symbol, "1m", since, FEE_MINUTES)
        closes = [close for opened, *_, close, _ in candles if opened <= time and close is not None]
        price = closes[-1] if closes else self.calls.read("fetch_ticker", symbol).get("last")
        if price is None:
            raise CouldNotRead(f"The price of {coin} at the time of a fee is not told yet.")
        return Decimal(str(price))

    # --- income ---

    def income(self, track: Track, now: int) -> tuple[list[Income], Track]:
        """Funding and the like, asked for once a minute."""
        ledger = self.recipe.income
        if ledger is None or now - self._income_asked < INCOME_EVERY:
            return [], track
        self._income_asked = now
        until = until_of(track, now, ledger.pages)
        reader = Reader(self.calls, ledger.call, ledger.since, ledger.pages)
        rows, read_to = reader.all(track.horizon, until, now, {}, lambda raw: _time_of(raw, ledger))
        counted = [raw for raw in rows if raw.get(ledger.kind) in ledger.funding | ledger.other]
        told = [each for raw in counted if (each := self._income(raw, ledger)).amount]
        self._income_asked = now if read_to >= now else 0
        new = track.new(told, lambda each: each.income_id, lambda each: each.time)
        return new, track.after([(each.income_id, each.time) for each in told], read_to, now)

    def income_or_none(self, track: Track, now: int) -> tuple[list[Income], Track]:
        """No protection waits for it: what cannot be read now is asked for again later, from the same point on."""
        try:
            return self.income(track, now)
        except KeyRefused:
            raise
        except (CouldNotRead, Absent) as error:
            log.warning("income is asked for again later: %s", error)
            return [], track

    def _income(self, raw: Row, ledger: Ledger) -> Income:
        """Valued in the settle currency."""
        market_id = str(raw.get(ledger.symbol) or "").upper()
        symbol = str(self.api.safe_symbol(market_id, None, None, "swap")) if market_id else ""
        amount, time = number(raw.get(ledger.amount)) or ZERO, _time_of(raw, ledger)
        coin = str(raw.get(ledger.currency) or "").upper()
        settle = str(self.api.markets[symbol]["settle"]) if symbol in self.api.markets else coin
        if amount and coin and coin != settle and not {coin, settle} <= DOLLARS:
            amount *= self._price_of(coin, settle, time)
        return income_of(raw, ledger, symbol, amount, time)


def _time_of(raw: Row, ledger: Ledger) -> int:
    time = milliseconds(raw.get(ledger.time))
    if time is None:
        raise CouldNotRead("The venue told a payment without its time.")
    return time


def begin(text: str, now: int) -> Cursor:
    """The cursor of an account, or that of one read for the first time."""
    try:
        return Cursor.read(text, now)
    except (ValueError, KeyError, TypeError, IndexError):
        raise CouldNotRead("What is kept of how far the account was read cannot be understood.") from None


def _paid(row: Row) -> tuple[Decimal, str]:
    """A fee and the coin it was taken in."""
    fee = row.get("fee") or {}
    return number(fee.get("cost")) or ZERO, str(fee.get("currency") or "")


def _trade_id(row: Row) -> str:
    return f"{row['symbol']}:{row['id']}"


def _trade_time(row: Row) -> int:
    return int(row["timestamp"])
