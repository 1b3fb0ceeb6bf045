"""The line of a process to the database: away for a while, or cut once, before or after what was to be written.

A connection that broke stays broken: each statement fails until it is made anew, which the product does between two
pieces of work, after a transaction, and where it asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper


class Cut(OperationalError):
    """The database was not reached, or did not answer."""


class Wire:
    """`is_away`: now; `is_cut`: at this write or commit, before or after it."""

    def __init__(self, is_away: Callable[[], bool], is_cut: Callable[[str], bool]) -> None:
        self.is_away, self.is_cut = is_away, is_cut
        self.broken = False

    def statement(self) -> None:
        """Raises Cut."""
        if self.is_away():
            self.broken = True
        if self.broken:
            raise Cut("The database is away.")

    def edge(self, kind: str) -> None:
        """Raises Cut."""
        if self.is_cut(kind):
            self.broken = True
            raise Cut("The connection was cut.")

    @contextmanager
    def anew(self) -> Iterator[None]:
        """What happens inside has a connection of its own."""
        before, self.broken = self.broken, False
        try:
            yield
        finally:
            self.broken = before

    @contextmanager
    def mended(self) -> Iterator[None]:
        """Where Django closes a connection that broke, the next statement has another one."""
        rollback = BaseDatabaseWrapper._rollback  # type: ignore[attr-defined]  # no method of the stubs

        def rolled_back(wrapper: BaseDatabaseWrapper) -> Any:
            self.broken = False
            return rollback(wrapper)

        def closed(_: BaseDatabaseWrapper) -> None:
            self.broken = False

        with (
            patch.object(BaseDatabaseWrapper, "_rollback", rolled_back),
            patch.object(BaseDatabaseWrapper, "close_if_unusable_or_obsolete", closed),
        ):
            yield
