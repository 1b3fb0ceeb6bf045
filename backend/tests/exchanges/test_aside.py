"""What is asked of venues for others never keeps a worker's own threads from the stops."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from threading import BoundedSemaphore, Event
from typing import Any

import pytest

from buddy.core.errors import CouldNotRead
from buddy.exchanges import aside, probing, tasks
from buddy.exchanges.aside import ask_aside


@pytest.fixture
def slow() -> Iterator[Event]:
    """A venue that answers when the test is over: all threads beside are busy with it."""
    answer = Event()
    busy = [ask_aside(answer.wait, 30) for _ in range(aside.THREADS)]
    yield answer
    answer.set()
    for one in busy:
        assert one
        one.result(30)


def test_a_slow_venue_keeps_no_task_waiting(slow: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    probed: list[int] = []
    monkeypatch.setattr(probing, "probe", probed.append)
    tasks.probe_key(7)
    assert probed == []
    waiting = ask_aside(probed.append, 8)
    slow.set()
    assert waiting
    waiting.result(30)
    assert probed == [7, 8]


def test_what_has_waited_too_long_is_let_go(slow: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    monkeypatch.setattr(aside, "LATE", -1.0)
    late = ask_aside(done.append, 1)
    slow.set()
    assert late
    late.result(30)
    assert done == []


def test_too_much_is_let_go_at_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(aside, "_ROOM", BoundedSemaphore(1))
    answer = Event()
    first = ask_aside(answer.wait, 30)
    assert ask_aside(answer.wait, 30) is None
    assert "too much is asked" in caplog.text
    answer.set()
    assert first
    first.result(30)
    again = ask_aside(answer.wait, 30)
    assert again
    again.result(30)  # else it gives back its place after this test, where none was taken


def test_a_defect_is_in_the_log_and_a_trouble_is_not(caplog: pytest.LogCaptureFixture) -> None:
    def fails(error: Exception) -> Any:
        raise error

    for error in (CouldNotRead("away"), ValueError("odd")):
        done = ask_aside(fails, error)
        assert done
        done.result(30)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
