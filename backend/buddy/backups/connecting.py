"""Databases beside the default one, for as long as they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

Entry = dict[str, Any]
"""As in settings.DATABASES."""


@contextmanager
def connected(entry: Entry, alias: str) -> Iterator[BaseDatabaseWrapper]:
    """A connection under a name of its own, which the ORM knows as well (`using=alias`); closed at the end."""
    wanted = {DEFAULT_DB_ALIAS: {}, alias: {**entry, "CONN_MAX_AGE": 0}}
    connections.settings[alias] = connections.configure_settings(wanted)[alias]
    try:
        yield connections[alias]
    finally:
        connections[alias].close()
        del connections[alias], connections.settings[alias]


@contextmanager
def as_default(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Whoever names no database means this one: a data migration may, and would wait for its own lock elsewhere."""
    before, connections[DEFAULT_DB_ALIAS] = connections[DEFAULT_DB_ALIAS], connection
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = before
