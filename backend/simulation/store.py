"""The store in a simulated life: as much of Valkey as the product asks of it, on the life's clock."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any

from redis.exceptions import ConnectionError as StoreAway

from buddy import cache

from .clock import SECOND, Clock


class Store:
    """Everything in it may be gone at any moment (`forget`); while `is_away` says so, every call raises."""

    def __init__(self, clock: Clock, is_away: Callable[[], bool] = lambda: False) -> None:
        self.clock, self.is_away = clock, is_away
        self.forget()

    def forget(self) -> None:
        self.kept: dict[str, tuple[Any, int | None]] = {}

    def _ask(self) -> None:
        if self.is_away():
            raise StoreAway("The store is away.")

    def set(self, name: str, value: Any, *, nx: bool = False, ex: int | None = None) -> bool:
        self._ask()
        if nx and self.get(name) is not None:
            return False
        self.kept[name] = (value, None if ex is None else self.clock.now + ex * SECOND)
        return True

    def get(self, name: str) -> Any:
        self._ask()
        value, until = self.kept.get(name, (None, None))
        return value if until is None or until > self.clock.now else None

    def mget(self, names: list[str]) -> list[Any]:
        self._ask()
        return [self.get(name) for name in names]

    def hmget(self, name: str, *fields: str) -> list[Any]:
        self._ask()
        return [None for _ in fields]

    def incr(self, name: str) -> int:
        self._ask()
        value, until = self.kept.get(name, (0, None))
        self.kept[name] = (value + 1, until)
        return int(value) + 1

    def expire(self, name: str, seconds: int) -> None:
        self._ask()
        if name in self.kept:
            self.kept[name] = (self.kept[name][0], self.clock.now + seconds * SECOND)

    def delete(self, name: str) -> None:
        self._ask()
        self.kept.pop(name, None)

    def publish(self, channel: str, message: str) -> None:
        """Nobody listens."""
        self._ask()

    def scan_iter(self, **_: Any) -> Iterator[str]:
        return iter(())

    def pipeline(self, **_: Any) -> Store:
        return self

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def execute(self) -> None:
        self._ask()


class Values:
    """What the product's cache keeps in the store, on the clock of whatever life is played."""

    def __init__(self) -> None:
        self.store: Store | None = None
        self.clear()

    def clear(self) -> None:
        self.kept: dict[str, tuple[bytes, float | None]] = {}

    def get(self, name: str, default: Any = None) -> Any:
        self._ask()
        value, until = self.kept.get(name, (None, None))
        return default if value is None or self._is_over(until) else pickle.loads(value)  # noqa: S301  our own

    def set(self, name: str, value: Any, timeout: int | None) -> None:
        self._ask()
        until = None if timeout is None else time.time() + timeout
        self.kept[name] = (pickle.dumps(value, pickle.HIGHEST_PROTOCOL), until)

    def add(self, name: str, value: Any, timeout: int | None) -> bool:
        self._ask()
        if name in self.kept and not self._is_over(self.kept[name][1]):
            return False
        self.set(name, value, timeout)
        return True

    def delete_many(self, names: Iterable[str]) -> None:
        self._ask()
        for name in names:
            self.kept.pop(name, None)

    def _ask(self) -> None:
        if self.store is not None and self.store.is_away():
            raise StoreAway("The store is away.")

    def _is_over(self, until: float | None) -> bool:
        return until is not None and until <= time.time()


VALUES = Values()


class Cache(cache.Cache):
    """The product's own, but for the connection."""

    @cached_property
    def _cache(self) -> Values:  # type: ignore[override]  # a client of ours in place of the library's
        return VALUES
