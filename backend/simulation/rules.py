"""The rules of the markets as the venues have them at this moment, and as our processes know them.

A symbol may go and come back, and its tick, lot and minimum may change while something is held. Venues know at once;
our processes when they read the markets anew, every hour and after an order that does not fit. What rests, rests on.

| | |
|---|---|
| delisted | nothing is told of the symbol and no order of it is taken, none is cancelled; there it trades on |
| settled | the same, once the venue has taken back what rests and closed what is held |
| suspended | it does not trade, and no order is taken; what rests is told, and can be cancelled |
| restricted | nothing may be entered |
| coarser_lot, coarser_tick, finer_tick, minimum_raised | from then on for what is sent |
| leverage_lowered | no more than that can be set; what was set stays |
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from random import Random

from buddy.core.market import ZERO, Instrument

from .clock import HOUR, SECOND, Clock
from .markets import EVERY, MARKETS
from .story import CAPPED, OF_A_MARKET, Trouble

UNTOLD = ("delisted", "settled")
INACTIVE = (*UNTOLD, "suspended")
STANDS = ("settled", "suspended")
"""While these last nothing trades."""
SHUT_KEPT, PATIENCE = 10 * SECOND, 60 * SECOND
"""As in the real adapter: for so long a market is believed not to be traded, or not to be there."""
SEEN_AGAIN = 6 * SECOND
"""Until the next look, and what it says is done."""
COARSER = (2, 5, 10)
FINER = 10
RAISED = 40
AT_MOST = (2, 5, 20)
"""To what the highest leverage is lowered."""


class Rules:
    """Of all venues of a story. `excused`: by symbol, until when nobody could have done better about it."""

    def __init__(
        self, clock: Clock, seed: int, troubles: Iterable[Trouble], markets: dict[str, Instrument] = MARKETS
    ) -> None:
        self.clock = clock
        self.troubles = [trouble for trouble in troubles if trouble.kind in OF_A_MARKET | CAPPED]
        self.there = dict(markets)
        self.known = dict(markets)
        self.on: list[Trouble] = []
        self.excused: dict[str, int] = {}
        self._read_at = clock.now - Random(f"{seed} refresh").randrange(HOUR)

    # --- what is ---

    def is_untold(self, symbol: str) -> bool:
        return self._has(symbol, UNTOLD)

    def is_inactive(self, symbol: str) -> bool:
        return self._has(symbol, INACTIVE)

    def stands(self, symbol: str) -> bool:
        return self._has(symbol, STANDS)

    def takes_no_entries(self, symbol: str) -> bool:
        return self._has(symbol, (*INACTIVE, "restricted"))

    def excused_until(self, symbol: str) -> int:
        return self.clock.now if self.is_inactive(symbol) else self.excused.get(symbol, 0)

    def kind_of(self, symbol: str) -> str:
        """What is wrong with it now; empty when nothing is."""
        return next((each.kind for each in self.on if each.role == symbol), "")

    def _has(self, symbol: str, kinds: tuple[str, ...]) -> bool:
        return any(each.role == symbol and each.kind in kinds for each in self.on)

    def slack(self, symbol: str) -> Decimal:
        """What at most may be held of a position that is less than a lot, as venue or processes know it.

        Zero unless one of them has the lot larger than it was: all that is held is in lots of that size.
        """
        larger = self.larger_lot(symbol)
        return larger - EVERY[symbol].lot_size if larger else ZERO

    def larger_lot(self, symbol: str) -> Decimal:
        """The lot as venue or processes know it; zero while both have it as it was."""
        known = self.known.get(symbol, self.there[symbol])
        larger = max(self.there[symbol].lot_size, known.lot_size)
        return larger if larger > EVERY[symbol].lot_size else ZERO

    # --- what is known of it ---

    def instruments(self) -> list[Instrument]:
        """As our processes know them."""
        if self._age >= HOUR:
            self.read_anew()
        return list(self.known.values())

    @property
    def _age(self) -> int:
        return self.clock.now - self._read_at

    def listed(self) -> list[Instrument]:
        """What the venue tells everybody who asks now."""
        return [market for market in self.there.values() if not self.is_untold(market.symbol)]

    def instrument(self, symbol: str) -> Instrument | None:
        self.instruments()
        known = self.known.get(symbol)
        if known is not None and not known.active and self._age >= SHUT_KEPT:
            self.read_anew()
        return self.known.get(symbol)

    def reads(self, symbol: str) -> bool:
        """Whether a reading has it: told, and one of the markets that are known."""
        if self.is_untold(symbol):
            return False
        if symbol not in self.known and self._age >= PATIENCE:
            self.read_anew()
        return symbol in self.known

    def read_anew(self) -> None:
        self.known = {market.symbol: market for market in self.listed()}
        self._read_at = self.clock.now

    # --- what changes ---

    def begin(self, trouble: Trouble) -> None:
        self.on.append(trouble)
        self._change(trouble.role)

    def end(self, trouble: Trouble) -> None:
        if trouble in self.on:
            self.on.remove(trouble)
            if trouble.kind in INACTIVE:
                believed = PATIENCE if trouble.kind in UNTOLD else SHUT_KEPT
                self.excused[trouble.role] = self.clock.now + believed + SEEN_AGAIN
            self._change(trouble.role)

    def _change(self, symbol: str) -> None:
        made = EVERY[symbol]
        for trouble in self.on:
            if trouble.role == symbol:
                made = _changed(made, trouble)
        self.there[symbol] = made


def _changed(market: Instrument, trouble: Trouble) -> Instrument:
    times = Decimal(COARSER[trouble.at % len(COARSER)])
    if trouble.kind == "coarser_lot":
        lot = market.lot_size * times
        return replace(market, lot_size=lot, min_quantity=max(market.min_quantity, lot))
    if trouble.kind == "coarser_tick":
        return replace(market, tick_size=market.tick_size * times)
    if trouble.kind == "finer_tick":
        return replace(market, tick_size=market.tick_size / FINER)
    if trouble.kind == "leverage_lowered":
        return replace(market, max_leverage=Decimal(AT_MOST[trouble.at % len(AT_MOST)]))
    if trouble.kind == "minimum_raised":
        return replace(market, min_quantity=market.min_quantity * RAISED)
    return replace(market, active=market.active and trouble.kind not in INACTIVE)
