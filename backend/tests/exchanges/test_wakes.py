"""Wake-ups on a real store: a burst is one look, and one more for what came while it was read."""

from __future__ import annotations

from typing import Any

import pytest
from kombu.exceptions import OperationalError

from buddy.exchanges import wakes
from buddy.exchanges.wakes import begun, wake
from buddy.store import store as client


@pytest.fixture
def sent(store: str, monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    found: list[list[int]] = []
    client().flushdb()
    monkeypatch.setattr(wakes.current_app, "send_task", lambda name, args, **how: found.append(args))
    return found


def test_a_burst_is_one_look(sent: list[list[int]]) -> None:
    for _ in range(50):
        wake(7)
    assert sent == [[7]]


def test_what_comes_after_a_look_began_to_read_is_one_more(sent: list[list[int]]) -> None:
    wake(7)
    begun(7)
    for _ in range(50):
        wake(7)
    assert sent == [[7], [7]]


def test_one_accounts_wake_up_is_not_anothers(sent: list[list[int]]) -> None:
    wake(7)
    wake(8)
    assert sent == [[7], [8]]


def test_a_wake_up_that_could_not_be_sent_stands_for_none(sent: list[list[int]], monkeypatch: Any) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("away")

    with monkeypatch.context() as broken:
        broken.setattr(wakes.current_app, "send_task", away)
        wake(7)
    wake(7)
    assert sent == [[7]]


def test_without_the_store_nothing_is_raised(settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere.sock"
    client.cache_clear()
    wake(7)
    begun(7)
    client.cache_clear()
