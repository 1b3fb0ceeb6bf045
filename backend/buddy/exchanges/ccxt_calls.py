"""Every call to a venue goes through here: one thread at a time, within the rates, and failing in our words only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from buddy.core.errors import ExchangeError

from .ccxt_client import Client
from .ccxt_errors import Skew, pause_asked, reading_failed, writing_failed
from .rates import Bucket, Limiter

NEARLY = 0.8
"""The part of a venue's own count from which ordinary calls wait for the next minute."""


class Calls:
    """`read` asks and may be repeated; `write` is made once, whatever happens."""

    def __init__(self, client: Client, limiter: Limiter, address: Bucket, account: Bucket) -> None:
        self.client, self.limiter = client, limiter
        self._address, self._account = address, account
        self._protective = self._writing = False
        client.api.throttle = self._throttle

    def read(self, method: str, *arguments: Any, protective: bool = False) -> Any:
        """What the client's `method` answers. Raises CouldNotRead and its kin, or `Absent`."""
        try:
            return self._once(method, arguments, reading_failed, protective=protective, writing=False)
        except Skew:
            self.compare_clocks()
            return self._once(method, arguments, reading_failed, protective=protective, writing=False)

    def write(self, method: str, *arguments: Any, protective: bool = False) -> Any:
        """Raises Rejected, Temporary (not carried out), OutcomeUnknown, `Absent` or `Unchanged`."""
        try:
            return self._once(method, arguments, writing_failed, protective=protective, writing=True)
        except Skew:  # not carried out, by the venue's word
            self.compare_clocks()
            return self._once(method, arguments, writing_failed, protective=protective, writing=True)

    def ready(self) -> None:
        """Markets known, clocks compared."""
        self._guarded(self.client.ready, reading_failed)

    def compare_clocks(self) -> None:
        self._guarded(self.client.compare_clocks, reading_failed)

    def _once(
        self,
        method: str,
        arguments: tuple[Any, ...],
        failed: Callable[[Client, Exception], ExchangeError],
        *,
        protective: bool,
        writing: bool,
    ) -> Any:
        with self.client.lock:
            self._protective, self._writing = protective, writing
            return self._guarded(lambda: getattr(self.client.api, method)(*arguments), failed)

    def _guarded(self, call: Callable[[], Any], failed: Callable[[Client, Exception], ExchangeError]) -> Any:
        """The library may raise anything; its texts hold addresses and signatures, so none of them is passed on."""
        with self.client.lock:
            self.client.wire.forget()
            try:
                return call()
            except ExchangeError:
                raise
            except Exception as error:  # noqa: BLE001
                if pause := pause_asked(self.client):
                    self.limiter.stop(pause)
                raise failed(self.client, error) from None
            finally:
                self._heed_count()

    def _throttle(self, cost: float | None = None) -> None:
        """In place of the library's own, which knows of no other process."""
        buckets = [self._address, self._account] if self._writing else [self._address]
        self.limiter.take(1 if cost is None else cost, buckets, protective=self._protective)

    def _heed_count(self) -> None:
        """The venue's own count of what this address has used, where it tells."""
        recipe = self.client.recipe
        used = self.client.wire.response_headers.get(recipe.used_header, "") if recipe.used_header else ""
        if used.isdigit() and int(used) > recipe.used_limit * NEARLY:
            self.limiter.spend(self._address, int(used) / recipe.used_limit)
