"""What only workers can ask of venues, shared through the cache: public data here, accounts in `exchanges.asking`.

A worker fetches at once. Any other process asks a worker for it and waits a moment; what does not come in time is
CouldNotRead, and an old answer is never passed off as a new one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.cache import cache

from buddy.core.errors import CouldNotRead

from ..venues import VENUES, venue_of
from ..wall import wall

WAIT = 3.0
"""Longest wait for a worker, in seconds."""
GLANCE = 0.05
KEPT = 24 * 3600
"""Seconds an answer stays in the cache; how old it may be is the asker's business."""
PAUSE = 2
"""Seconds after a failure before the venue is asked again for the same."""


class Place:
    """Where this process stands. `is_worker` is set when a Celery worker starts."""

    is_worker = False


def ask(market: str, what: str, *arguments: Any, max_age: int) -> Any:
    """The answer, not older than `max_age` milliseconds. Raises CouldNotRead."""
    return shared(
        key(market, what, *arguments),
        max_age,
        find=lambda: fetch(market, what, *arguments),
        send=lambda: _send(market, what, *arguments),
        waiting_for=f"the prices of {VENUES[venue_of(market)].name}",
    )


def shared(name: str, max_age: int, *, find: Callable[[], Any], send: Callable[[], None], waiting_for: str) -> Any:
    """The answer kept as `name`; else `find` it, which a worker does itself and others ask one to with `send`."""
    if (known := fresh(name, max_age)) is not None:
        return known
    if Place.is_worker:
        return find()
    return _from_worker(name, max_age, send, waiting_for)


def key(market: str, what: str, *arguments: Any) -> str:
    return ":".join(["live", market, what, *(str(argument).replace(" ", "") for argument in arguments)])


def fresh(name: str, max_age: int) -> Any | None:
    """What the cache knows, when it is young enough. A failure of just now is raised again."""
    kept = cache.get(name)
    if kept is None:
        return None
    age = wall() - kept["at"]
    if "trouble" in kept:
        if age < PAUSE * 1000:
            raise CouldNotRead(kept["trouble"])
        return None
    return kept["answer"] if age <= max_age else None


def fetch(market: str, what: str, *arguments: Any) -> Any:
    """Ask the venue now, and leave the answer, or the trouble, for everybody."""
    from ..ccxt_public import public_market

    name = key(market, what, *arguments)
    source = public_market(market, settings.EXCHANGE_TRANSPORT_BASE)
    questions: dict[str, Callable[..., Any]] = {
        "instruments": source.instruments,
        "ticker": source.ticker,
        "candles": source.candles,
        "funding": source.funding,
    }
    return keep(name, lambda: questions[what](*arguments))


def keep(name: str, question: Callable[[], Any]) -> Any:
    """Ask, and leave the answer, or the trouble, for everybody."""
    asked_at = wall()
    try:
        answer = question()
    except CouldNotRead as error:
        cache.set(name, {"at": wall(), "trouble": str(error)}, PAUSE)
        raise
    cache.set(name, {"at": asked_at, "answer": answer}, KEPT)
    return answer


def _send(market: str, what: str, *arguments: Any) -> None:
    from ..tasks import fetch as fetch_task

    fetch_task.apply_async(args=[market, what, *arguments], expires=10)


def nudge(name: str, send: Callable[[], None]) -> None:
    """Have a worker find it; one of many askers asks."""
    if cache.add(question(name), 1, PAUSE):
        send()


def question(name: str) -> str:
    """What says, for a moment, that somebody has asked for it already."""
    return name + ":asked"


def _from_worker(name: str, max_age: int, send: Callable[[], None], waiting_for: str) -> Any:
    nudge(name, send)
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        if (known := fresh(name, max_age + int(WAIT * 1000))) is not None:
            return known
        time.sleep(GLANCE)
    raise CouldNotRead(f"Still waiting for {waiting_for}.")
