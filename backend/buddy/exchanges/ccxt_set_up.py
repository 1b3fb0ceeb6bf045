"""Leverage and margin mode of a symbol at a real venue. What is so already is not touched."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

from buddy.core.errors import CouldNotRead, Rejected
from buddy.core.exchange import PositionMode, PositionState, Refusal

from .ccxt_calls import Calls
from .ccxt_errors import Unchanged
from .ccxt_orders import filled_in
from .recipe import at

KEPT = 60.0
"""Seconds for which what was set is believed to be so still."""


class SetUp:
    """Every venue refuses some changes while something is held, so first comes a look at what is."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.client, self.recipe = calls.client, calls.client.recipe
        self._done: dict[str, tuple[Decimal, str, float]] = {}

    def insist(
        self,
        symbol: str,
        leverage: Decimal,
        margin_mode: str,
        positions: Callable[[], Sequence[PositionState]],
        *,
        hedged: bool,
    ) -> None:
        known = self._done.get(symbol)
        if known and known[:2] == (leverage, margin_mode) and time.monotonic() - known[2] < KEPT:
            return
        held = [position for position in positions() if position.symbol == symbol]
        if not held or any((each.leverage, each.margin_mode) != (leverage, margin_mode) for each in held):
            self._make_so(symbol, leverage, margin_mode, hedged=hedged)
        self._done[symbol] = (leverage, margin_mode, time.monotonic())

    def _make_so(self, symbol: str, leverage: Decimal, margin_mode: str, *, hedged: bool) -> None:
        if self.recipe.margin_modes == "account":
            self._insist_on(margin_mode)
        if self.recipe.margin_modes == "symbol":
            with suppress(Unchanged):
                self.calls.write("set_margin_mode", margin_mode, symbol)
        if self.recipe.cross is not None and margin_mode == "cross":
            market = self.client.api.market(symbol)["id"]
            self.calls.write(self.recipe.cross.method, filled_in(self.recipe.cross.params, {"market": market}))
            return
        for params in self._leverage_params(margin_mode, hedged=hedged):
            with suppress(Unchanged):
                self.calls.write("set_leverage", int(leverage), symbol, params)

    def _leverage_params(self, margin_mode: str, *, hedged: bool) -> list[dict[str, Any]]:
        """One call, or one for each side of a hedged account."""
        each = self.recipe.leverage_hedged if hedged else (self.recipe.leverage_one_way,)
        goes_along = self.recipe.margin_modes == "leverage" and self.recipe.cross is None
        return [{**params, **({"marginMode": margin_mode} if goes_along else {})} for params in each]

    def margin_mode(self) -> str:
        """The one margin mode of the whole account; empty where each symbol has its own. Raises CouldNotRead."""
        call = self.recipe.account_margin_mode
        if call is None:
            return ""
        told = str(at(self.calls.read(call.method, dict(call.params)), call.rows) or "")
        return self.recipe.margin_words.get(told, "")

    def _insist_on(self, margin_mode: str) -> None:
        """Where the whole account has one margin mode we do not change it: other positions hang on it."""
        if self.margin_mode() != margin_mode:
            raise Rejected(
                f"{self.client.name} keeps one margin mode for the whole account and it is not {margin_mode}. "
                f"Choose the other one, or change it at {self.client.name}.",
                Refusal.OTHER,
            )

    def position_mode(self) -> PositionMode:
        """One way or hedged, as the venue says now. Raises CouldNotRead."""
        call = self.recipe.position_mode
        if call is None:
            return PositionMode.ONE_WAY
        told = at(self.calls.read(call.method, dict(call.params), protective=True), call.rows)
        if told is None:
            raise CouldNotRead(f"{self.client.name} does not tell its position mode.")
        return PositionMode.HEDGE if str(told) in self.recipe.hedge_words else PositionMode.ONE_WAY
