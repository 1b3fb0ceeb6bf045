"""What lies between a process and a venue, and what its venue is like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from buddy.core.exchange import Exits, OrderIntent, Profile

from .books import Book
from .clock import SECOND, Clock
from .failing import Fate
from .markets import Way
from .rules import Rules

SETTLES = 15 * SECOND
PROFILES = {
    "binance": Profile("Binance", settle_ms=SETTLES),
    "bybit": Profile("Bybit", attaches_stop=True, settle_ms=SETTLES),
    "bingx": Profile("BingX", names_stops=False, settle_ms=SETTLES),
    "binance-spot": Profile("Binance spot", has_reduce_only=False, settle_ms=SETTLES, exits=Exits.PAIRED),
    "kraken-spot": Profile(
        "Kraken spot", attaches_stop=True, has_reduce_only=False, settle_ms=SETTLES, exits=Exits.SINGLE
    ),
}


@dataclass(slots=True)
class Line:
    """What lies between a process and an account's book. `edge` is passed before and after every call."""

    book: Book
    fate: Fate
    clock: Clock
    dice: Random
    ways: dict[str, Way]
    rules: Rules
    edge: Callable[[], None]
    stall: Callable[[], None]
    """Everybody else works on for as long as this process stands still."""
    tell: Callable[[str], None]
    on_order: Callable[[OrderIntent], None]
    on_cancel: Callable[[str], None]
    on_refusal: Callable[[OrderIntent], None]
    on_loss: Callable[[OrderIntent], None]
    on_read: Callable[[], None]
    changes: Callable[[], None]
    """Its lists tell something else from now on."""
