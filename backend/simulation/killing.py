"""kill -9, at any call to a venue and on either side of any commit: nobody catches it, nothing is written after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from .wire import Wire

UNDOES = ("ROLLBACK", "SAVEPOINT", "RELEASE")
WRITES = ("INSERT", "UPDATE", "DELETE")
FENCE = '"exchanges_account"'
"""In a statement on a trade: it asks for the lease's epoch, and writes nothing for whoever has lost the account."""


class Killed(BaseException):
    """The process is gone."""


class Executioner:
    """`edge` says at each edge whether it is the last one of the process; `wrote` hears of each table written to."""

    def __init__(self, edge: Callable[[], bool], wrote: Callable[[str], None], wire: Wire) -> None:
        self.edge, self.wrote = edge, wrote
        self.dead = False
        self.writes: Counter[str] = Counter()
        """By table."""
        self.wire = wire
        self._aside = 1
        self._left = 0
        self._interruption: Callable[[], None] | None = None

    def strike(self) -> None:
        self.dead = True
        raise Killed

    def breathe(self) -> None:
        if self.dead:
            raise Killed

    def at_edge(self) -> None:
        self.breathe()
        if self.edge():
            self.strike()

    @contextmanager
    def aside(self, depth: int = 1) -> Iterator[None]:
        """What happens inside is not the product's: nobody interrupts it."""
        before, self._aside = self._aside, depth
        try:
            yield
        finally:
            self._aside = before

    def product(self) -> AbstractContextManager[None]:
        """What happens inside is the product's."""
        return self.aside(0)

    @staticmethod
    @contextmanager
    def unnoticed() -> Iterator[None]:
        """What is written inside is nobody's statement: none dies at it, and none is counted."""
        wrappers, connection.execute_wrappers = connection.execute_wrappers, []
        try:
            yield
        finally:
            connection.execute_wrappers = wrappers

    @contextmanager
    def interrupted(self, statements: int, what: Callable[[], None]) -> Iterator[None]:
        """Have `what` happen inside, once, after so many statements of the product, between two transactions."""
        self._left, self._interruption = statements, what
        try:
            yield
        finally:
            self._interruption = None

    def _may_interrupt(self, here: BaseDatabaseWrapper) -> None:
        if self._interruption is None or here.in_atomic_block:
            return
        self._left -= 1
        if self._left < 0:
            what, self._interruption = self._interruption, None
            what()

    def statement(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if self.dead and not sql.startswith(UNDOES):
            raise Killed
        here = context["connection"]
        if not self._aside and not sql.startswith(UNDOES):
            self._may_interrupt(here)
            self.wire.statement()
        if not sql.startswith(WRITES):
            return execute(sql, params, many, context)
        table = sql.split('"', 2)[1]
        self.writes[table] += 1
        if FENCE not in sql:
            self.wrote(table)
        if here.in_atomic_block:
            return execute(sql, params, many, context)
        return self._between_edges(lambda: execute(sql, params, many, context))

    def _between_edges(self, work: Callable[[], Any]) -> Any:
        """At either of which the process may die, or its line be cut."""
        self.at_edge()
        if not self._aside:
            self.wire.edge("cut_before")
        done = work()
        self.at_edge()
        if not self._aside:
            self.wire.edge("cut_after")
        return done

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Every commit and every statement of the process goes past it."""
        commit = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]  # not in the stubs

        def committed(wrapper: BaseDatabaseWrapper) -> Any:
            try:
                return self._between_edges(lambda: commit(wrapper))
            except Killed:
                wrapper.connection.rollback()  # what the database does when the process is gone
                raise

        patched = patch.object(BaseDatabaseWrapper, "_commit", committed)
        with patched, self.wire.mended(), connection.execute_wrapper(self.statement):
            yield
