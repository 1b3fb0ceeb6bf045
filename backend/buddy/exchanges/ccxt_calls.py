"""Every call to a venue goes through here: one thread at a time, within the rates, and failing in our words only."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from buddy.core.errors import ExchangeError, OutcomeUnknown, Temporary

from .ccxt_client import Client, Unreadable, read_anew
from .ccxt_errors import Skew, pause_asked, reading_failed, writing_failed
from .rates import Bucket, Limiter
from .recipe import Recipe, at

GOOD = 200
"""A complaint under this status is about the account's own rate; about the address venues complain at the door."""
NEARLY = 0.8
"""The part of a venue's own count from which ordinary calls wait for the next minute."""


LISTS = frozenset({"fetch_open_orders", "fetch_positions", "fetch_my_trades"})
PUBLIC = frozenset({"fetch_ohlcv", "fetch_ticker", "fetch_tickers", "fetch_mark_price"})
OF_THE_ACCOUNT = LISTS | {"fetch_order", "create_order", "cancel_order"}
"""Where the library takes an answer without anything in it for one that nothing is there."""


def is_whole(recipe: Recipe, method: str, answer: Any) -> bool:
    """Whether the venue's own program gave this answer: `{}` of something in between means nothing."""
    if recipe.always_told:
        return at(answer, recipe.always_told) is not None
    return isinstance(answer, list) if method in LISTS else bool(answer)


class Calls:
    """`read` asks and may be repeated; `write` is made once, whatever happens."""

    def __init__(self, client: Client, limiter: Limiter, address: Bucket, account: Bucket) -> None:
        self.client, self.limiter = client, limiter
        self.address, self.account = address, account
        self._protective = self._writing = self._asks_account = False
        self._until: float | None = None
        client.api.throttle = self._throttle

    def read(self, method: str, *arguments: Any, protective: bool = False) -> Any:
        """What the client's `method` answers. Raises CouldNotRead and its kin, or `Absent`."""
        try:
            return self._once(method, arguments, reading_failed, protective=protective, writing=False)
        except Skew:
            self.compare_clocks()
            return self._once(method, arguments, reading_failed, protective=protective, writing=False)

    def write(self, method: str, *arguments: Any, protective: bool = False, until: float | None = None) -> Any:
        """Raises Rejected, Temporary (not carried out), OutcomeUnknown, `Absent` or `Unchanged`.

        `until`: the moment (monotonic) after which it is not sent any more.
        """
        try:
            return self._once(method, arguments, writing_failed, protective=protective, writing=True, until=until)
        except Skew:  # not carried out, by the venue's word
            self.compare_clocks()
            return self._once(method, arguments, writing_failed, protective=protective, writing=True, until=until)

    def ready(self) -> None:
        """Markets known, clocks compared."""
        self._prepare(self.client.ready)

    def compare_clocks(self) -> None:
        self._prepare(self.client.compare_clocks)

    def read_markets_anew(self, older_than: float | None = None) -> None:
        """Because the venue named a symbol that we do not know; not every time it does."""
        self._prepare(lambda: read_anew(self.client, older_than))

    def _prepare(self, call: Callable[[], None]) -> None:
        """Without it no order could be sent, so it may use what is reserved for those that protect."""
        with self.client.lock:
            self._protective, self._writing, self._asks_account = True, False, False
            self._guarded(call, reading_failed)

    def _once(
        self,
        method: str,
        arguments: tuple[Any, ...],
        failed: Callable[[Client, Exception], ExchangeError],
        *,
        protective: bool,
        writing: bool,
        until: float | None = None,
    ) -> Any:
        with self.client.lock:
            self._protective, self._writing, self._until = protective, writing, until
            self._asks_account = self.client.recipe.reads_by_account and method not in PUBLIC
            try:
                return self._guarded(lambda: self._answer(method, arguments), failed)
            finally:
                self._until = None

    def _answer(self, method: str, arguments: tuple[Any, ...]) -> Any:
        found = getattr(self.client.api, method)(*arguments)
        if method in OF_THE_ACCOUNT and not is_whole(self.client.recipe, method, self.client.wire.answer):
            raise Unreadable("not what this venue answers")
        return found

    def _guarded(self, call: Callable[[], Any], failed: Callable[[Client, Exception], ExchangeError]) -> Any:
        """The library may raise anything; its texts hold addresses and signatures, so none of them is passed on."""
        with self.client.lock:
            self.client.wire.forget()
            try:
                return call()
            except ExchangeError as ours:  # only the limiter speaks our words here
                if self.client.wire.writes:
                    raise OutcomeUnknown(str(ours)) from None
                raise
            except Exception as error:  # noqa: BLE001  the library raises anything
                if pause := pause_asked(self.client):
                    self.limiter.stop(pause, everybody=self.client.wire.status != GOOD)
                raise failed(self.client, error) from None
            finally:
                self._heed_count()

    def _throttle(self, cost: float | None = None) -> None:
        """In place of the library's own, which knows of no other process. What costs nothing waits for nothing."""
        buckets = [self.address, self.account] if self._writing else [self.address]
        if self._asks_account:  # where orders cost nothing, and no question can take from protection
            buckets, self._protective = [self.account], True
        cost = 1 if cost is None else cost
        self.limiter.take(cost, buckets if cost else [], protective=self._protective)
        if self._until is not None and time.monotonic() > self._until:
            raise Temporary("It took too long until the order could be sent; it was not.")

    def _heed_count(self) -> None:
        """The venue's own count of what this address has used, where it tells."""
        recipe = self.client.recipe
        used = self.client.wire.response_headers.get(recipe.used_header, "") if recipe.used_header else ""
        if used.isdigit() and int(used) > recipe.used_limit * NEARLY:
            self.limiter.spend(self.address, int(used) / recipe.used_limit)
