"""The store in a simulated life: as much of Valkey as the product asks of it, on the life's clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .clock import SECOND, Clock


class Store:
    """Everything in it may be gone at any moment (`forget`)."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.forget()

    def forget(self) -> None:
        self.kept: dict[str, tuple[Any, int | None]] = {}

    def set(self, name: str, value: Any, *, nx: bool = False, ex: int | None = None) -> bool:
        if nx and self.get(name) is not None:
            return False
        self.kept[name] = (value, None if ex is None else self.clock.now + ex * SECOND)
        return True

    def get(self, name: str) -> Any:
        value, until = self.kept.get(name, (None, None))
        return value if until is None or until > self.clock.now else None

    def mget(self, names: list[str]) -> list[Any]:
        return [self.get(name) for name in names]

    def hmget(self, name: str, *fields: str) -> list[Any]:
        return [None for _ in fields]

    def incr(self, name: str) -> int:
        value, until = self.kept.get(name, (0, None))
        self.kept[name] = (value + 1, until)
        return int(value) + 1

    def expire(self, name: str, seconds: int) -> None:
        if name in self.kept:
            self.kept[name] = (self.kept[name][0], self.clock.now + seconds * SECOND)

    def delete(self, name: str) -> None:
        self.kept.pop(name, None)

    def publish(self, channel: str, message: str) -> None:
        """Nobody listens."""

    def scan_iter(self, **_: Any) -> Iterator[str]:
        return iter(())

    def pipeline(self, **_: Any) -> Store:
        return self

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def execute(self) -> None:
        return
