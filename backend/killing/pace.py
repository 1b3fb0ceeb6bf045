"""Waits of the product made short, so that a story takes a second. No rule changes, only how long is waited for it."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta

from buddy.exchanges import ccxt_client, ccxt_connect, ccxt_exchange, ccxt_history
from buddy.exchanges.recipe import Rate
from buddy.exchanges.venue_rows import RECIPES
from buddy.trading import absence, canary, claims, lease, rounds, watcher

SETTLE_MS = 150
"""How long a read of a stand-in may lag, and how late it may still accept an order: it does neither."""
AT_ONCE = Rate(1e6, 1e6)


def quicken() -> None:
    """In every process of a story, before it does anything.

    The stories of a frozen worker need waits that stand to each other as the product's do: the environment names them.
    """
    fast = {
        name: replace(recipe, per_address=AT_ONCE, per_account=AT_ONCE, settle_ms=SETTLE_MS)
        for name, recipe in RECIPES.items()
    }
    for module in (ccxt_client, ccxt_connect):
        vars(module)["RECIPES"] = fast
    absence.RECEIVE_WINDOW_MS = int(os.environ.get("RECEIVE_WINDOW_MS", SETTLE_MS))
    absence.STOP_AGAIN_MS = SETTLE_MS
    canary.RECEIVE_WINDOW = timedelta(milliseconds=SETTLE_MS)
    rounds.GLANCE_EVERY = timedelta(milliseconds=SETTLE_MS)
    watcher.PATIENCE = (0.05, 0.15)
    ccxt_history.INCOME_EVERY = 0
    claims.ABANDONED_AFTER = timedelta(seconds=1)
    ccxt_exchange.SEND_WITHIN = float(os.environ.get("SEND_WITHIN", ccxt_exchange.SEND_WITHIN))
    lease.LEASE_MS = int(os.environ.get("LEASE_MS", lease.LEASE_MS))
