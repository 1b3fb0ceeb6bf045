"""Where the product touches the world outside, and what stands there while a life is simulated."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from django.core.cache import cache
from django.db import close_old_connections

from buddy import throttle
from buddy.core.errors import Temporary
from buddy.events import live
from buddy.exchanges import asking, pace, rates, venue_exchange, wakes
from buddy.exchanges.market_data import fetching
from buddy.exchanges.models import Keys
from buddy.trading import books as kept_plans
from buddy.trading import executor, handing, pacing, rounds, watcher
from buddy.trading import lease as leases

from .coin_venue import CoinConnection
from .invariants import Broken
from .store import VALUES
from .venue import Connection
from .wire import Cut

if TYPE_CHECKING:
    from .world import World

EXPECTED = (Temporary, Cut)
"""Errors that may be logged and are no defects: another process was faster, or the database was away."""
_current: list[World] = []


@contextmanager
def current_world(world: World) -> Iterator[None]:
    """One at a time: what the product opens and keeps is this one's."""
    _current.append(world)
    VALUES.store = world.store
    forget()
    try:
        yield
    finally:
        _current.pop()
        VALUES.store = None


def open_exchange(venue: str, keys: Keys, *, testnet: bool) -> Connection:
    """What the product opens instead of the client library's."""
    line = _current[-1].lines[int(keys.api_key.rsplit("-", 1)[1])]
    return CoinConnection(line) if line.book.seat.is_spot else Connection(line)


def put_in_place(world: World) -> Iterable[Any]:
    """Venues, market data, queue, store and the order of a round."""
    postman = _Postman(world)
    yield patch.object(venue_exchange, "CLIENT", f"{__name__}.{open_exchange.__name__}")
    yield patch.object(fetching, "fetch", world.fetch)
    yield patch.object(fetching, "_send", lambda *asked: world.by_task(fetching.fetch, *asked))
    yield patch.object(asking, "_send", lambda account, *asked: world.by_task(asking.answer, account.pk, *asked))
    yield patch.object(fetching.Place, "is_worker", True)
    yield patch.object(handing, "current_app", postman)
    yield patch.object(wakes, "current_app", postman)
    for module in (live, pace, rates, throttle, wakes):
        yield patch.object(module, "store", lambda: world.store)
    yield patch.object(pacing, "look_at_all", _in_turn)
    for looking in (rounds, executor, watcher):
        yield patch.object(looking, "look_under", world.recorded(watcher.look_under))


@contextmanager
def complaints(world: World) -> Iterator[None]:
    """What the product catches and only logs is a defect all the same."""
    listener = _Listener(world)
    logger = logging.getLogger("buddy")
    logger.addHandler(listener)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(listener)
        logger.propagate = True


def forget() -> None:
    """What a process keeps in its memory, and what the store may lose at any moment."""
    kept_plans._PLANS.clear()
    venue_exchange.forget()
    leases._LEFT.clear()
    cache.clear()


class _Listener(logging.Handler):
    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self.world = world

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and isinstance(record.exc_info[1], EXPECTED):
            return
        said = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self.world.witnesses[0].seen.append(Broken("defect", record.name, f"{record.getMessage()}\n{said}"))


class _Postman:
    """The queue: a task is a worker's at once, or lost."""

    def __init__(self, world: World) -> None:
        self.world = world

    def send_task(self, name: str, args: list[int], **_: Any) -> None:
        self.world.queue()
        number = self.world.accounts.index(args[0])
        if name == wakes.LOOK and not self.world.fates[number].is_on("wakes_lost"):
            self.world.in_worker(lambda: rounds.look_when_asked(args[0]))


def _in_turn(found: Iterable[pacing.Due], look: Callable[[int], None], seconds: float | None) -> None:
    """Accounts are looked at one after the other, in the order in which they would begin."""
    for each in found:
        close_old_connections()
        look(each.account_id)
