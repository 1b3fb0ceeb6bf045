"""The points of a process, and its end at one of them: laid around the product from outside, which has no hook."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from celery.app.base import Celery
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from requests.adapters import HTTPAdapter

from .board import Board

WRITES = ("INSERT", "UPDATE", "DELETE")
BEFORE, AFTER = "<", ">"


class Executioner:
    """Every request to a venue, commit and enqueue of this process goes past it.

    `freezes_at`: the name of a point; the first time it gets there the process stops until it is told to go on.
    """

    def __init__(self, board: Board, freezes_at: str = "") -> None:
        self.board, self.freezes_at = board, freezes_at
        self._lock = Lock()

    def at_point(self, name: str) -> None:
        with self._lock:
            if self.board.pass_point(name):
                os.kill(os.getpid(), signal.SIGKILL)
            if name == self.freezes_at:
                self.freezes_at = ""
                os.kill(os.getpid(), signal.SIGSTOP)

    def around(self, name: str, work: Callable[[], Any]) -> Any:
        self.at_point(name + BEFORE)
        done = work()
        self.at_point(name + AFTER)
        return done

    def set_to_work(self) -> None:
        self._at_requests()
        self._at_commits()
        self._at_enqueues()

    def _at_requests(self) -> None:
        send = HTTPAdapter.send

        def sent(adapter: HTTPAdapter, request: Any, *args: Any, **kwargs: Any) -> Any:
            name = f"{request.method} {urlsplit(request.url).path}"
            return self.around(name, lambda: send(adapter, request, *args, **kwargs))

        HTTPAdapter.send = sent  # type: ignore[method-assign, assignment]  # every request passes here

    def _at_commits(self) -> None:
        """Of transactions, and of the statements that are their own."""
        wrapper: Any = BaseDatabaseWrapper
        commit = wrapper._commit

        def committed(connection: Any) -> Any:
            return self.around("COMMIT", lambda: commit(connection))

        def statement(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if context["connection"].in_atomic_block or not sql.startswith(WRITES):
                return execute(sql, params, many, context)
            verb, table = sql.split('"', 2)[:2]
            return self.around(f"{verb.split()[0]} {table}", lambda: execute(sql, params, many, context))

        def opened(connection: Any, **_: Any) -> None:
            if statement not in connection.execute_wrappers:  # it may have been connected before
                connection.execute_wrappers.append(statement)

        wrapper._commit = committed
        connection_created.connect(opened, weak=False)

    def _at_enqueues(self) -> None:
        send = Celery.send_task

        def sent(app: Any, name: str, *args: Any, **kwargs: Any) -> Any:
            return self.around(f"ENQUEUE {name.rpartition('.')[2]}", lambda: send(app, name, *args, **kwargs))

        Celery.send_task = sent
