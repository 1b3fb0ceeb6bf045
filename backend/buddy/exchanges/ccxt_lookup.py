"""An order at a real venue, looked up by every name it has and in every book it may be in."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from buddy.core.errors import CouldNotRead
from buddy.core.exchange import OrderRef, OrderState

from .ccxt_calls import Calls
from .ccxt_errors import Absent
from .ccxt_history import Names
from .ccxt_lists import is_meant
from .ccxt_orders import filled_in
from .ccxt_pages import raw_rows
from .ccxt_words import Row, exchange_id_of, order_state, understood, with_child
from .client_names import to_venue
from .recipe import Call, Params


class Lookup:
    def __init__(self, calls: Calls, names: Names) -> None:
        self.calls, self.names = calls, names
        self.client, self.recipe, self.api = calls.client, calls.client.recipe, calls.client.api

    def find(self, ref: OrderRef) -> OrderState | None:
        for call in self._ways_to_find(ref):
            with suppress(Absent):
                if (found := self._order(call, ref)) is not None:
                    return self._with_child(found, ref)
        return None

    def _ways_to_find(self, ref: OrderRef) -> Iterable[Call]:
        """First the book it should be in; then the other, since an order overlooked would be placed twice."""
        recipe = self.recipe
        by_client = bool(ref.client_id) and (recipe.names_stops or not ref.is_conditional)
        if not by_client and not ref.exchange_id:
            raise CouldNotRead(f"{self.client.name} tells a conditional order by its number only, which is not known.")
        plain = recipe.find if by_client else recipe.find_by_id
        conditional = recipe.find_conditional if by_client else recipe.find_conditional_by_id
        ways = [*conditional, *plain] if ref.is_conditional else [*plain, *conditional]
        return [way for number_, way in enumerate(ways) if way not in ways[:number_]]

    def _order(self, call: Call, ref: OrderRef) -> OrderState | None:
        """The order by one way of asking; None when it is not there."""
        params = self.filled_in(call.params, ref)
        if call.shape == "order":
            rows = [self.calls.read(call.method, self.id_of(call, ref), ref.symbol, params, protective=True)]
        elif call.shape == "list":
            rows = self.calls.read(call.method, ref.symbol, None, None, params, protective=True)
        else:
            market = self.api.market(ref.symbol)
            rows = self.api.parse_orders(raw_rows(self.calls, replace(call, params=params), {}), market)
        states = (self.state(row, ref.symbol) for row in rows if row and exchange_id_of(row, self.recipe))
        if call.shape == "order" and not any(exchange_id_of(row, self.recipe) for row in rows if row):
            raise CouldNotRead(f"{self.client.name} told neither an order nor that there is none.")
        return next((state for state in states if is_meant(state, ref)), None)

    def _with_child(self, order: OrderState, ref: OrderRef) -> OrderState:
        """A triggered order tells what executed through the order it became."""
        named = replace(order, client_id=ref.client_id or order.client_id)
        self.names.learn_order(named)
        if not order.child_id:
            return named
        became = OrderRef(ref.symbol, "", order.child_id)
        for call in self.recipe.find_by_id:
            with suppress(Absent):
                if (child := self._order(call, became)) is not None:
                    return with_child(named, child)
        raise CouldNotRead("What a triggered order became is not told yet.")

    def filled_in(self, params: Params, ref: OrderRef) -> dict[str, Any]:
        if ref.symbol not in self.api.markets:
            raise CouldNotRead(f"{self.client.name} does not list {ref.symbol} (any more).")
        market, name = self.api.market(ref.symbol)["id"], to_venue(ref.client_id, self.recipe.names)
        return filled_in(params, {"client_id": name, "exchange_id": ref.exchange_id, "market": market})

    def id_of(self, call: Call, ref: OrderRef) -> str | None:
        return None if call.id is None else call.id.replace("{exchange_id}", ref.exchange_id)

    def state(self, row: Row, symbol: str) -> OrderState:
        return understood(lambda: order_state(row, self.recipe, symbol))
