"""A database that is as new for every life: a copy of an empty one, in memory; on Postgres all tables emptied."""

from __future__ import annotations

import sqlite3

from django.core.management import call_command
from django.db import connection

_EMPTY: list[sqlite3.Connection] = []


def make() -> None:
    """All tables, once per process."""
    call_command("migrate", verbosity=0, interactive=False)
    if connection.vendor == "sqlite":
        _EMPTY.append(sqlite3.connect(":memory:"))
        connection.ensure_connection()
        connection.connection.backup(_EMPTY[0])


def empty() -> None:
    if connection.vendor == "sqlite":
        _EMPTY[0].backup(connection.connection)
        return
    names = ", ".join(
        connection.ops.quote_name(name)
        for name in connection.introspection.table_names()
        if name != "django_migrations"
    )
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
