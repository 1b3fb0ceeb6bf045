"""Telling open pages at once. A hint, never the truth: a message lost is a page that refetches a little later."""

from __future__ import annotations

import json
import logging
from typing import Any

import redis

from buddy.store import store

OWNER_CHANNEL = "live:"
PRICE_CHANNEL = "price:"
WATCHED_KEY = "watched:{account_id}:{symbol}"
WATCHED_FOR = 30
"""Seconds that a viewer's interest in a symbol lasts unless renewed."""

log = logging.getLogger(__name__)


def publish(owner_id: int, name: str, data: dict[str, Any], *, event_id: int | None = None) -> None:
    """Send a frame to every open page of one user. Call it after commit; a store that is down is only logged."""
    _send(f"{OWNER_CHANNEL}{owner_id}", {"name": name, "data": data, "id": event_id})


def publish_price(account_id: int, symbol: str, last: str, time_ms: int) -> None:
    """Send a price to the pages that show `account_id`; `time_ms` by the account's clock."""
    price = {"account": account_id, "symbol": symbol, "last": last, "time": time_ms}
    _send(f"{PRICE_CHANNEL}{account_id}", {"name": "price", "data": price, "id": None})


def watched(account_id: int) -> set[str]:
    """Symbols that somebody is looking at on `account_id` right now."""
    prefix = WATCHED_KEY.format(account_id=account_id, symbol="")
    try:
        return {key[len(prefix) :] for key in store().scan_iter(match=f"{prefix}*", count=1000)}
    except redis.RedisError:
        return set()


def _send(channel: str, message: dict[str, Any]) -> None:
    try:
        store().publish(channel, json.dumps(message, separators=(",", ":")))
    except redis.RedisError as error:
        log.warning("live feed: %s not sent: %s", channel, error)
