"""Symbols the venue does not trade any more, although our markets still list them: they are left out of a reading."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from buddy.core.errors import CouldNotRead

from .ccxt_calls import Calls
from .ccxt_client import PATIENCE
from .ccxt_errors import Declined

LEFT_OUT = 5.0
"""Seconds after which a symbol that was left out is asked about again: a venue may be mistaken for a moment."""


class Gone(CouldNotRead):
    """Nothing can be read of `symbol`, and that must not hide what can be read of the others."""

    def __init__(self, symbol: str, message: str) -> None:
        self.symbol = symbol
        super().__init__(message)


@contextmanager
def about(calls: Calls, symbol: str | None) -> Iterator[None]:
    """Questions about one symbol. Raises Gone where the venue says that it does not trade it.

    Some say so by a code of their own, others only that the question is wrong: then their markets, read anew, tell.
    """
    try:
        yield
    except Declined as refusal:
        if symbol is None:
            raise
        calls.read_markets_anew(PATIENCE)
        if refusal.gone or symbol not in calls.client.api.markets:
            raise Gone(symbol, str(refusal)) from None
        raise


class LeftOut:
    """The symbols of which nothing is asked for a moment; never for less than a whole reading."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def begin(self) -> None:
        """A reading begins: what has been left out long enough is asked about again."""
        now = time.monotonic()
        self._until = {symbol: until for symbol, until in self._until.items() if now < until}

    def add(self, gone: Gone) -> None:
        """Raises it again when it was left out already."""
        if gone.symbol in self:
            raise gone
        self._until[gone.symbol] = time.monotonic() + LEFT_OUT

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._until
