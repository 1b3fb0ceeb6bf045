"""Dumping and loading where the database is a Postgres, with its own pg_dump and pg_restore."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import DatabaseError, OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from .connecting import connected
from .refusals import Refused, Unsound
from .snapshots import Database, Snapshot

PART = 2**20
DUMP = ("--format=custom", "--compress=6", "--no-owner", "--no-privileges")
LOAD = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
NAMED = {"NAME": "PGDATABASE", "USER": "PGUSER", "PASSWORD": "PGPASSWORD", "HOST": "PGHOST", "PORT": "PGPORT"}
LONGEST_NAME = 63
"""Bytes that Postgres keeps of a name."""
LEAVES_WITHIN = 5.0
"""Seconds that a session which has been closed may still be listed; Postgres itself waits so long to rename."""


class Postgres(Database):
    engine = "postgresql"

    @property
    def name(self) -> str:
        return str(self.entry["NAME"])

    @contextmanager
    def snapshot(self, work: Path) -> Iterator[Snapshot]:
        """Exported by one transaction, so that pg_dump sees what it sees."""
        with self._reached("snapshot") as connection, transaction.atomic(using=connection.alias):
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                cursor.execute("SELECT pg_export_snapshot()")
                (exported,) = cursor.fetchone()
            yield Snapshot(connection, self._dumped(exported))

    def _dumped(self, exported: str) -> Iterator[bytes]:
        with self._running("pg_dump", *DUMP, f"--snapshot={exported}", stdout=subprocess.PIPE) as process:
            assert process.stdout
            while part := process.stdout.read(PART):
                yield part

    def load(self, dump: Iterable[bytes]) -> None:
        with self._running("pg_restore", *LOAD, f"--dbname={self.name}", stdin=subprocess.PIPE) as process:
            assert process.stdin
            with contextlib.suppress(BrokenPipeError):  # it has given up; `_running` tells its last words
                for part in dump:
                    process.stdin.write(part)
                process.stdin.close()

    @contextmanager
    def scratch(self, work: Path) -> Iterator[Database]:
        """Beside the real one, on the same server."""
        beside = self._beside("_proof")
        try:
            self._command(f"DROP DATABASE IF EXISTS {beside}", f"CREATE DATABASE {beside} TEMPLATE template0")
        except DatabaseError as error:
            raise Refused(
                f"No empty database could be made to prove the backup in: {_said(error)}",
                f"Let {self.entry['USER']} make one (alter role … createdb); if it is in use, another proof runs.",
            ) from None
        try:
            yield Postgres({**self.entry, "NAME": beside.strip('"')})
        finally:
            self._command(f"DROP DATABASE IF EXISTS {beside} WITH (FORCE)")

    def is_empty(self) -> bool:
        with self._reached("asked") as connection:
            return not connection.introspection.table_names()

    def set_aside(self, stamp: str) -> str:
        aside = self._beside(f"_before_{stamp}")
        name = self._quoted(self.name)
        nowhere = {**self.entry, "NAME": "postgres"}  # nobody may be connected to what is renamed
        self._command(
            f"ALTER DATABASE {name} RENAME TO {aside}", f"CREATE DATABASE {name} TEMPLATE template0", at=nowhere
        )
        return aside.strip('"')

    def users(self) -> int:
        until = time.monotonic() + LEAVES_WITHIN
        while (others := self._others()) and time.monotonic() < until:
            time.sleep(0.1)
        return others

    def _others(self) -> int:
        sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
        with connected(self.entry, "asked") as connection, connection.cursor() as cursor:
            cursor.execute(f"{sql} AND pid <> pg_backend_pid()", [self.name])
            return int(cursor.fetchone()[0])

    @contextmanager
    def _reached(self, alias: str) -> Iterator[BaseDatabaseWrapper]:
        with connected(self.entry, alias) as connection:
            try:
                connection.ensure_connection()
            except OperationalError as error:
                raise Refused(
                    f"Database {self.name!r} cannot be reached: {_said(error)}",
                    "Start its server, create it, or set DATABASE_URL.",
                ) from None
            yield connection

    def _beside(self, suffix: str) -> str:
        return self._quoted(self.name[: LONGEST_NAME - len(suffix)] + suffix)

    @staticmethod
    def _quoted(name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def _command(self, *statements: str, at: dict[str, Any] | None = None) -> None:
        """What cannot be done inside a transaction."""
        with connected(at or self.entry, "commanding") as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    @contextmanager
    def _running(self, program: str, *arguments: str, **pipe: int) -> Iterator[subprocess.Popen[bytes]]:
        """It has ended well, or Unsound is raised with its last words."""
        ends: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **pipe}
        with tempfile.TemporaryFile() as words:
            process = subprocess.Popen(  # noqa: S603 - a program of Postgres, with arguments of ours
                [_program(program), *arguments], env=self._environment(), stderr=words, **ends
            )
            try:
                yield process
                if process.wait():
                    raise Unsound(f"{program} failed: {_last_words(words)}", _cure(_last_words(words)))
            finally:
                _ended(process)

    def _environment(self) -> dict[str, str]:
        """Nothing secret stands among a program's arguments, which every user of a machine can read."""
        given = {variable: str(self.entry[name]) for name, variable in NAMED.items() if self.entry.get(name)}
        options = {f"PG{name.upper()}": str(value) for name, value in self.entry.get("OPTIONS", {}).items()}
        return {**os.environ, **options, **given}


def _program(name: str) -> str:
    folder = settings.POSTGRES_BIN or None
    if found := shutil.which(name, path=folder):
        return found
    raise Refused(
        f"There is no {name}{f' in {folder}' if folder else ''}.",
        "Install the Postgres client of the server's version, or name its bin folder in POSTGRES_BIN.",
    )


def _cure(words: str) -> str:
    if "version" in words:
        return "Name the bin folder of a Postgres client as new as the server in POSTGRES_BIN."
    return "Its own words above say why."


def _last_words(words: IO[bytes]) -> str:
    words.seek(0)
    return " ".join(words.read().decode(errors="replace").split())[-500:]


def _ended(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
    if process.poll() is None:
        process.kill()
        process.wait()


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
