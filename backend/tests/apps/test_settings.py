"""The settings that money depends on."""

from __future__ import annotations

from django.db import connection


def test_sqlite_takes_the_write_lock_at_once_and_logs_ahead(db: None) -> None:
    if connection.vendor != "sqlite":
        return
    assert connection.transaction_mode == "IMMEDIATE"
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert cursor.execute("PRAGMA synchronous").fetchone() == (1,)
