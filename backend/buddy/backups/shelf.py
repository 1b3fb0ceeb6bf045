"""The folder of backups. A file has its name there only once it is whole and on the disk."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from .refusals import Refused
from .rotation import Dated, Kept, chosen

NAME = re.compile(r"buddy-(\d{8}T\d{6}Z)\.age")
STAMP = "%Y%m%dT%H%M%SZ"
PROOF = ".proof.json"
PARTIAL = ".partial-"


@dataclass(frozen=True, slots=True)
class Shelf:
    folder: Path

    def backups(self) -> list[Path]:
        """Oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if NAME.fullmatch(path.name) and path.is_file())

    def last_proven(self) -> datetime | None:
        """When the newest of the proven ones was taken."""
        proven = [path for path in self.backups() if self.is_proven(path)]
        return _taken_at(proven[-1]) if proven else None

    def find(self, name: str) -> Path:
        """A path, or the name of a backup that lies here; "latest" is the newest."""
        if name == "latest" and (found := self.backups()):
            return found[-1]
        for path in (self.folder / name, Path(name)):
            if path.is_file():
                return path
        there = ", ".join(path.name for path in self.backups()[-5:]) or "none"
        raise Refused(f"There is no backup {name!r}.", f"Name a file, or one that lies in {self.folder}: {there}.")

    def put(self, taken_at: datetime, write: Callable[[IO[bytes]], None]) -> Path:
        """What `write` writes, under its name once all of it has reached the disk."""
        self._make()
        final = self.folder / f"buddy-{taken_at.strftime(STAMP)}.age"
        partial = self.folder / (PARTIAL + final.name)
        try:
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                write(out)
                out.flush()
                os.fsync(out.fileno())
            partial.rename(final)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        self._sync()
        return final

    def mark_proven(self, backup: Path, report: dict[str, Any]) -> None:
        """Write down beside it what its proof found."""
        mark, fresh = _mark(backup), self.folder / (PARTIAL + backup.name + PROOF)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(report, out, indent=1)
            out.flush()
            os.fsync(out.fileno())
        fresh.rename(mark)
        self._sync()

    def is_proven(self, backup: Path) -> bool:
        return _mark(backup).is_file()

    def rotate(self, how_many: Kept) -> list[Path]:
        """Delete what is not kept; comes back with what went."""
        dated = {Dated(_taken_at(path), self.is_proven(path)): path for path in self.backups()}
        gone = [dated[backup] for backup in sorted(set(dated) - chosen(dated, how_many))]
        for path in gone:
            path.unlink()
            _mark(path).unlink(missing_ok=True)
        return gone

    def sweep(self) -> None:
        """What a killed run has left. Only for whoever holds the lock (`room.locked`)."""
        self._make()
        for path in self.folder.glob(PARTIAL + "*"):
            path.unlink()

    def _make(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise Refused(
                f"{self.folder} cannot be made: {error.strerror}.", "Set BACKUP_DIR to a folder of ours."
            ) from None

    def _sync(self) -> None:
        """The names too must have reached the disk."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _taken_at(path: Path) -> datetime:
    found = NAME.fullmatch(path.name)
    assert found, path
    return datetime.strptime(found[1], STAMP).replace(tzinfo=UTC)


def _mark(backup: Path) -> Path:
    return backup.with_name(backup.name + PROOF)
