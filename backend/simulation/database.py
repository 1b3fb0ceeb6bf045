"""A database that is as new for every life: emptied of all that a life has written."""

from __future__ import annotations

from types import SimpleNamespace

from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction

_OF_LIVES: list[str] = []
"""Tables that are empty before the first one."""


def make() -> None:
    """All tables, once per process, and one connection to them.

    Looking for it by thread and by task takes as long as a short statement, and here is one of each.
    """
    connections._connections = SimpleNamespace(default=connections[DEFAULT_DB_ALIAS])  # type: ignore[attr-defined]  # not in the stubs
    call_command("migrate", verbosity=0, interactive=False)
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(name)} LIMIT 1")  # noqa: S608  names of our own
            if cursor.fetchone() is None:
                _OF_LIVES.append(name)


def empty() -> None:
    """Row by row on SQLite, where a copy of an empty database would have every statement prepared anew."""
    names = [connection.ops.quote_name(name) for name in _OF_LIVES]
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            cursor.execute(f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE")
            return
        with transaction.atomic():
            for name in (*names, "sqlite_sequence"):
                cursor.execute(f"DELETE FROM {name}")  # noqa: S608  names of our own
