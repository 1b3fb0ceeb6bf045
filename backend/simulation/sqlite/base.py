"""Two thirds of what a statement costs on a database in memory is Django's way to it. This is the straight one.

What is left out: connections that are lost, threads that share one, logs of statements, and making the SQL of one
statement over for SQLite more than once. What is kept: wrappers of statements (the simulation kills in them), errors as
Django's, and the refusal to go on in a transaction that is broken.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import DatabaseErrorWrapper


@lru_cache(maxsize=4_096)
def _for_sqlite(sql: str) -> str:
    return base.FORMAT_QMARK_REGEX.sub("?", sql).replace("%%", "%")


class Cursor(sqlite3.Cursor):
    db: DatabaseWrapper

    def execute(self, sql: str, params: Any = None) -> Any:
        run = self._run
        for wrapper in self.db.execute_wrappers:
            return wrapper(run, sql, params, False, {"connection": self.db, "cursor": self})
        return run(sql, params)

    def executemany(self, sql: str, params: Any) -> Any:
        for each in params:
            self.execute(sql, each)
        return self

    def _run(self, sql: str, params: Sequence[Any] | None, *_: Any) -> Any:
        if self.db.needs_rollback and self.db.in_atomic_block:
            self.db.validate_no_broken_transaction()
        try:
            return super().execute(sql) if params is None else super().execute(_for_sqlite(sql), params)
        except sqlite3.Error:
            with DatabaseErrorWrapper(self.db):
                raise

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Who is killed before the answer is read leaves no statement behind that a later commit would wait for."""
        if kind is not None:
            self.close()


class DatabaseWrapper(base.DatabaseWrapper):
    def cursor(self) -> Cursor:  # type: ignore[override]  # Django's has layers
        if self.connection is None:
            self.ensure_connection()
        made: Cursor = self.connection.cursor(Cursor)
        made.db = self
        return made
