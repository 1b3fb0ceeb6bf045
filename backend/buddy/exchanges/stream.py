"""The stream process: a connection to the venue of every account with a key, and a look at once when one is heard from.

It holds no truth, decides nothing and writes nothing: with it stopped everything works at the pace of beat's round.
Without anything to listen to it does not even load the exchange library.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol, TypeVar

from django.conf import settings
from django.core.cache import cache
from django.db import Error, close_old_connections, connections

from . import pace
from .models import Account, Credentials
from .wakes import wake

if TYPE_CHECKING:
    from .ccxt_stream import Lines

log = logging.getLogger(__name__)
T = TypeVar("T")

PULSE = "heartbeat:stream"
LATE_AFTER = 20.0
"""Seconds without a beat of it until the stream counts as down."""
ROUND = 2.0
"""Seconds until accounts that appeared, changed or went are noticed."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
"""Seconds before a connection is made again; doubled each time one does not last."""
STEADY = 60.0
STANDS_FOR = 4.0
"""Seconds for which a connection counts as standing after it was found to."""


@dataclass(frozen=True, slots=True)
class Market:
    """Whose prices. `environment`: live or testnet, as for the exchange library's clients."""

    venue: str
    environment: str


@dataclass(frozen=True, slots=True)
class AccountJob:
    """An account to listen to. `sealed` is its key as stored: another key makes another job."""

    account_id: int
    market: Market
    credentials_id: int
    sealed: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PriceJob:
    market: Market
    symbols: frozenset[str]


Job = AccountJob | PriceJob


class Levels(Protocol):
    """Prices at which something would happen to somebody."""

    def symbols(self) -> Mapping[Market, frozenset[str]]:
        """Read anew what is to be listened to."""
        ...

    def touched(self, market: Market, symbol: str, price: Decimal) -> Iterable[int]:
        """The accounts that a new price concerns."""
        ...


def account_jobs() -> list[AccountJob]:
    """Halted accounts too, since what they hold is protected; not those whose key the venue refuses."""
    rows = Credentials.objects.filter(in_use=True, refused_at=None)
    rows = rows.filter(account__archived_at=None, account__is_draft=False).exclude(account__mode=Account.Mode.PAPER)
    found = rows.values_list("account_id", "account__venue", "account__mode", "pk", "secret")
    return [AccountJob(account, Market(venue, mode), pk, sealed) for account, venue, mode, pk, sealed in found]


class Alarm:
    """Wakes workers without holding the loop up; what is wished again before it was sent is sent once."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.pool = pool
        self.wanted: set[int] = set()

    def __call__(self, account_id: int) -> None:
        if account_id not in self.wanted:
            self.wanted.add(account_id)
            self.pool.submit(self._send, account_id)

    def _send(self, account_id: int) -> None:
        self.wanted.discard(account_id)
        wake(account_id)


class Stream:
    """`run` listens until `stop`. `levels` may be None: then prices are not listened to."""

    def __init__(self, levels: Levels | None = None) -> None:
        self.levels = levels
        self.running: dict[Job, asyncio.Task[None]] = {}
        self.standing: dict[int, float] = {}
        """When the connection of an account was last found to stand and speak."""
        self.told: set[int] = set()
        """Accounts of which a venue has told something since the last round."""
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="stream")
        self.alarm = Alarm(ThreadPoolExecutor(1, thread_name_prefix="wake"))
        self.lines: Lines | None = None

    async def run(self, stop: asyncio.Event) -> None:
        try:
            while not stop.is_set():
                await self._round()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), ROUND)
        finally:
            await self._end(list(self.running))
            if self.lines is not None:
                await self.lines.close()
            await self._in_pool(connections.close_all)
            self.pool.shutdown()
            self.alarm.pool.shutdown()

    async def _round(self) -> None:
        wanted = await self._in_pool(self._wanted)
        now = time.monotonic()
        standing = [account_id for account_id, at in self.standing.items() if now - at < STANDS_FOR]
        told, self.told = self.told, set()
        await self._in_pool(lambda: pace.heard(standing))
        await self._in_pool(lambda: pace.told(told))
        if wanted is None:
            return
        await self._end([job for job in self.running if job not in wanted])
        for job in wanted - self.running.keys():
            self.running[job] = asyncio.create_task(self._keep(job))

    def _wanted(self) -> set[Job] | None:
        """In the pool's thread: what there is to listen to; None while the database cannot tell."""
        cache.set(PULSE, time.time(), timeout=3600)
        try:
            close_old_connections()
            priced = self.levels.symbols() if self.levels else {}
            return {*account_jobs(), *(PriceJob(market, symbols) for market, symbols in priced.items())}
        except Error as trouble:
            log.warning("what to listen to cannot be read (%s); it stays as it is", type(trouble).__name__)
            return None

    async def _end(self, jobs: list[Job]) -> None:
        tasks = [self.running.pop(job) for job in jobs]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, job: Job) -> None:
        """One connection after the other. Each end is a gap, and a gap is a look."""
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            try:
                await self._listen(job)
            except Exception as trouble:  # noqa: BLE001 - whatever it was, the connection is made anew
                log.warning("%s: connection ended: %s", job, _reason(trouble))
            if isinstance(job, AccountJob):
                self.standing.pop(job.account_id, None)
                await self._in_pool(lambda: pace.lost(job.account_id))
                self.alarm(job.account_id)
            pause = FIRST_PAUSE if time.monotonic() - began > STEADY else min(LONGEST_PAUSE, pause * 2)
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - not all at once

    async def _listen(self, job: Job) -> None:
        from . import ccxt_stream  # 100 MB: only where there is something to listen to

        if self.lines is None:
            self.lines = ccxt_stream.Lines(settings.EXCHANGE_TRANSPORT_BASE)
        where = (self.lines, job.market.venue, job.market.environment)
        if isinstance(job, AccountJob):
            keys = await self._in_pool(lambda: Credentials.objects.get(pk=job.credentials_id).keys())
            await ccxt_stream.account_events(
                *where, keys, lambda: self._hear(job.account_id), lambda: self._stands(job.account_id)
            )
        else:
            await ccxt_stream.price_events(*where, job.symbols, lambda symbol, price: self._price(job, symbol, price))

    def _hear(self, account_id: int) -> None:
        self.told.add(account_id)
        self.alarm(account_id)

    def _stands(self, account_id: int) -> None:
        self.standing[account_id] = time.monotonic()

    def _price(self, job: PriceJob, symbol: str, price: Decimal) -> None:
        for account_id in self.levels.touched(job.market, symbol, price) if self.levels else ():
            self.alarm(account_id)

    async def _in_pool(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.pool, work)


def _reason(trouble: Exception) -> str:
    """Words of our own only: those of the library hold addresses, and these hold signatures and listen keys."""
    return str(trouble) if type(trouble).__name__ == "Gap" else type(trouble).__name__
