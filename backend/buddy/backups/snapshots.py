"""What backups ask of a database, whichever it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper

from .connecting import Entry, connected


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment of a database: what `connection` reads and what `dump` gives are of that same moment."""

    connection: BaseDatabaseWrapper
    dump: Iterator[bytes]


class Database(ABC):
    """One database, by its entry in settings.DATABASES."""

    engine: str

    def __init__(self, entry: Entry) -> None:
        self.entry = entry

    def connected(self, alias: str) -> AbstractContextManager[BaseDatabaseWrapper]:
        return connected(self.entry, alias)

    @abstractmethod
    def snapshot(self, work: Path) -> AbstractContextManager[Snapshot]:
        """Writers go on meanwhile. `work`: a private folder for what must lie on a disk."""

    @abstractmethod
    def load(self, dump: Iterable[bytes]) -> None:
        """Into an empty database: all of it, or nothing and Unsound or Refused."""

    @abstractmethod
    def scratch(self, work: Path) -> AbstractContextManager[Database]:
        """An empty database of the same kind, gone at the end."""

    @abstractmethod
    def is_empty(self) -> bool:
        """No tables. Raises Refused where there is no such database."""

    @abstractmethod
    def set_aside(self, stamp: str) -> str:
        """Keep what is there under another name, which this answers with, and leave an empty database."""

    @abstractmethod
    def users(self) -> int:
        """How many others are connected."""
