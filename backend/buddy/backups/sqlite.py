"""Dumping and loading where the database is a file."""

from __future__ import annotations

import fcntl
import gzip
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import transaction

from .connecting import connected
from .refusals import Refused, Unsound
from .snapshots import Database, Snapshot

PART = 4 * 2**20
BESIDE = ("-wal", "-shm")
RUNNING = ".running"
"""Held by the supervisor of `make run` in its data folder."""


class Sqlite(Database):
    engine = "sqlite"

    @property
    def path(self) -> Path:
        return Path(self.entry["NAME"])

    @contextmanager
    def snapshot(self, work: Path) -> Iterator[Snapshot]:
        """One reading transaction: the log beside the file lets writers go on meanwhile."""
        if not self.path.is_file():
            raise Refused(f"There is no database at {self.path}.", "Start Trading Buddy once, or set DATABASE_URL.")
        options = {name: value for name, value in self.entry["OPTIONS"].items() if name != "transaction_mode"}
        entry = {**self.entry, "OPTIONS": options}
        with connected(entry, "snapshot") as connection, transaction.atomic(using=connection.alias):
            yield Snapshot(connection, _copied(connection.connection, work / "copy.sqlite3"))

    def load(self, dump: Iterable[bytes]) -> None:
        """Into a file beside, which takes the name once it is whole."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(f".{self.path.name}.loading")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            for part in dump:
                out.write(_unpacked(part))
            out.flush()
            os.fsync(out.fileno())
        for suffix in BESIDE:  # of a file without any table, which `is_empty` let pass
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        fresh.replace(self.path)

    @contextmanager
    def scratch(self, work: Path) -> Iterator[Database]:
        yield Sqlite({**self.entry, "NAME": str(work / "proof.sqlite3")})

    def is_empty(self) -> bool:
        if not self.path.is_file() or not self.path.stat().st_size:
            return True
        with closing(sqlite3.connect(self.path)) as found:
            return not found.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]

    def set_aside(self, stamp: str) -> str:
        """Rename what is there; comes back with its new name."""
        with closing(sqlite3.connect(self.path)) as found:
            found.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        aside = self.path.with_name(f"{self.path.stem}-before-{stamp}{self.path.suffix}")
        self.path.rename(aside)
        return str(aside)

    def users(self) -> int:
        """One while `make run` holds the data folder; other programs leave no sign."""
        try:
            with (self.path.parent / RUNNING).open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return 0
        except BlockingIOError:
            return 1
        return 0


def _copied(source: sqlite3.Connection, copy: Path) -> Iterator[bytes]:
    """The database as the open transaction sees it, packed in parts; each is a gzip file, and so are they together."""
    with closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")
    with copy.open("rb") as whole:
        while part := whole.read(PART):
            yield gzip.compress(part, compresslevel=4, mtime=0)
    copy.unlink()


def _unpacked(part: bytes) -> bytes:
    try:
        return gzip.decompress(part)
    except (OSError, EOFError, zlib.error):
        raise Unsound("The database in this backup cannot be unpacked.", "Take another backup.") from None
