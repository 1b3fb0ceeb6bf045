"""What rests at a real venue, of every book it keeps and each list to its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from buddy.core.exchange import OrderRef, OrderState, PositionState

from .ccxt_calls import Calls
from .ccxt_delisted import about
from .ccxt_pages import paged
from .ccxt_words import Row
from .recipe import Params


def resting_rows(calls: Calls, symbols: Sequence[str]) -> list[Row]:
    """The library's rows of all books; an order that is in two of them comes twice."""
    recipe = calls.client.recipe
    bulk = bool(recipe.bulk_from) and len(symbols) >= recipe.bulk_from
    asked: Sequence[str | None] = [None] if bulk else symbols
    return [row for params in recipe.open_lists for symbol in asked for row in _to_its_end(calls, symbol, params)]


def _to_its_end(calls: Calls, symbol: str | None, params: Params) -> list[Row]:
    """Half a list would make a resting stop look absent."""
    pages = calls.client.recipe.open_pages
    size = pages.size if pages.param else None

    def ask(_: int, more: Mapping[str, Any]) -> list[Row]:
        found: list[Row] = calls.read("fetch_open_orders", symbol, None, size, {**params, **more}, protective=True)
        return found

    with about(calls, symbol):
        return paged(ask, pages, 0, 0, lambda row: 0)[0] if pages.param else ask(0, {})


def seen_of(symbol: str, orders: Iterable[OrderState], positions: Iterable[PositionState]) -> object:
    """All that an execution on `symbol` would change."""
    resting = sorted((order.exchange_id, order.filled) for order in orders if order.symbol == symbol)
    held = [(each.side, each.quantity, each.average_entry) for each in positions if each.symbol == symbol]
    return resting, held


def is_meant(state: OrderState, ref: OrderRef) -> bool:
    """Whether the venue's row is the order meant; an answer about another one is no answer."""
    if ref.client_id and state.client_id:
        return state.client_id.lower() == ref.client_id.lower()
    return bool(ref.exchange_id) and ref.exchange_id in (state.exchange_id, state.child_id)


def legible(calls: Calls, rows: Sequence[Row]) -> list[Row]:
    """Without what is held in a market we do not know, where the venue tells no contracts but needs their size."""
    strange = [row for row in rows if row.get("contracts") is None and row["symbol"] not in calls.client.api.markets]
    if strange:
        calls.read_markets_anew()
    return [row for row in rows if row not in strange]
