"""How often an account at a venue is looked at: seldom while its stream is heard and nothing waits for a price.

Two marks in the store that end by themselves: `heard` by the stream, `calm` by a look. They are hints. One that is
lost, or a store that is away, means a look at beat's own pace; an event of the venue is a look at once either way.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import redis

from buddy.store import store

HEARD_FOR = 6
"""Seconds for which a stream that was heard counts as standing; it is marked anew with each of its rounds."""
TOLD_FOR = 7 * 24 * 3600
"""Seconds for which it is remembered when an account was last heard from."""
CALM_FOR = 10
"""Seconds until an account in calm is looked at all the same."""


def heard(account_ids: Sequence[int]) -> None:
    """The connections of these accounts stand and speak."""
    _mark([(_heard(account_id), HEARD_FOR) for account_id in account_ids])


def told(account_ids: Iterable[int]) -> None:
    """Their venues have told of something just now. A note for the screens; nothing is done by it."""
    _mark([(_told(account_id), TOLD_FOR) for account_id in account_ids], int(time.time()))


def last_heard(account_ids: Iterable[int]) -> dict[int, datetime]:
    """When the venues of these last told of something unasked, as far as that is remembered."""
    asked = sorted(account_ids)
    try:
        found = store().mget([_told(account_id) for account_id in asked]) if asked else []
    except redis.RedisError:
        return {}
    return {pk: datetime.fromtimestamp(int(at), UTC) for pk, at in zip(asked, found, strict=True) if at}


def lost(account_id: int) -> None:
    """The connection ended: the account is looked at without it from now on."""
    _forget(_heard(account_id))


def calm(account_id: int) -> None:
    """A look has ended: all that is held is covered, and nothing but an event of the venue would change anything."""
    _mark([(_calm(account_id), CALM_FOR)])


def restless(account_id: int) -> None:
    _forget(_calm(account_id))


def at_rest(account_ids: Iterable[int]) -> set[int]:
    """Those that need no look yet."""
    asked = sorted(account_ids)
    if not asked:
        return set()
    try:
        told = store().mget([name(account_id) for account_id in asked for name in (_heard, _calm)])
    except redis.RedisError:
        return set()
    return {account_id for account_id, *marks in zip(asked, told[::2], told[1::2], strict=True) if all(marks)}


def _mark(names: Sequence[tuple[str, int]], value: int = 1) -> None:
    if not names:
        return
    try:
        with store().pipeline(transaction=False) as pipeline:
            for name, seconds in names:
                pipeline.set(name, value, ex=seconds)
            pipeline.execute()
    except redis.RedisError:
        return


def _forget(name: str) -> None:
    try:
        store().delete(name)
    except redis.RedisError:
        return


def _heard(account_id: int) -> str:
    return f"heard:{account_id}"


def _calm(account_id: int) -> str:
    return f"calm:{account_id}"


def _told(account_id: int) -> str:
    return f"told:{account_id}"
