"""What a database holds, in numbers that can be compared: the rows of every table, and a digest of them all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from buddy.exchanges import resealing

from .refusals import Unsound

JOURNAL = ("trading_", "journal_", "events_event", "events_link")
"""Tables whose names begin so are the journal: trades, orders, fills, income, the timeline, the trader's words."""
CHUNK = 2_000
_MODULUS = 2**256


@dataclass(frozen=True, slots=True)
class Table:
    rows: int
    digest: str
    """Of the columns' names and every row; the same in whatever order a database gives its rows."""


@dataclass(frozen=True, slots=True)
class Contents:
    """Of one database at one moment."""

    tables: Mapping[str, Table]
    migrations: tuple[str, ...]
    sealed: int
    """Rows with sealed exchange keys."""
    closed: int
    """Those of them that VAULT_KEY does not open."""

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())

    @property
    def journal(self) -> str:
        """The journal hash: one for every row of the journal's tables."""
        named = sorted((name, table.digest) for name, table in self.tables.items() if name.startswith(JOURNAL))
        return sha256(json.dumps(named).encode()).hexdigest()

    def differences(self, other: Contents) -> list[str]:
        """What `other` holds that this does not, table by table; empty when every row is the same."""
        names = sorted({*self.tables, *other.tables})
        pairs = [(name, self.tables.get(name), other.tables.get(name)) for name in names]
        found = [_told(name, ours, theirs) for name, ours, theirs in pairs if ours != theirs]
        if self.migrations != other.migrations:
            found.append("other migrations were applied")
        return found

    def as_json(self) -> dict[str, Any]:
        tables = {name: [table.rows, table.digest] for name, table in sorted(self.tables.items())}
        keys = {"rows": self.sealed, "closed": self.closed}
        return {"tables": tables, "journal": self.journal, "migrations": list(self.migrations), "sealed": keys}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Contents:
        tables = {name: Table(int(rows), str(digest)) for name, (rows, digest) in found["tables"].items()}
        contents = cls(tables, tuple(found["migrations"]), found["sealed"]["rows"], found["sealed"]["closed"])
        if contents.journal != found["journal"]:
            raise Unsound("The journal hash of this backup does not fit its own tables.", "Take another backup.")
        return contents


def read_contents(connection: BaseDatabaseWrapper) -> Contents:
    """Every row is read once; inside a snapshot, all of them as of the same moment."""
    with connection.cursor() as cursor:
        names = sorted(connection.introspection.table_names(cursor))
    tables = {name: _table(connection, name) for name in names}
    applied = MigrationRecorder(connection).applied_migrations() if names else ()
    sealed, closed = resealing.counted(connection.alias, names)
    return Contents(tables, tuple(sorted(f"{app}.{name}" for app, name in applied)), sealed, closed)


def _table(connection: BaseDatabaseWrapper, name: str) -> Table:
    with connection.cursor() as cursor:
        columns = [column.name for column in connection.introspection.get_table_description(cursor, name)]
    rows = total = 0
    for row in _rows(connection, name, columns):
        rows += 1
        # A sum does not depend on the order, which text sorts differently in from server to server.
        total = (total + int.from_bytes(sha256(_written(row)).digest())) % _MODULUS
    return Table(rows, sha256(_written((columns, rows, total))).hexdigest())


def _rows(connection: BaseDatabaseWrapper, name: str, columns: list[str]) -> Iterator[tuple[Any, ...]]:
    quote = connection.ops.quote_name
    with connection.chunked_cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(map(quote, columns))} FROM {quote(name)}")  # noqa: S608 - its own names
        while found := cursor.fetchmany(CHUNK):
            yield from found


def _written(row: tuple[Any, ...]) -> bytes:
    return json.dumps(row, default=_plain, separators=(",", ":")).encode()


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    raise TypeError(f"A column holds {type(value).__name__}, for which the digest has no form.")


def _told(name: str, ours: Table | None, theirs: Table | None) -> str:
    if ours is None or theirs is None:
        return f"{name} is {'new' if ours is None else 'missing'}"
    if ours.rows != theirs.rows:
        return f"{name} has {theirs.rows} rows instead of {ours.rows}"
    return f"{name} has {theirs.rows} rows, but not the same"
