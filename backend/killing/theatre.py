"""Stores and players: one Postgres, and for each player a database in it, a Valkey, and a stand-in's port."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg

from scripts.stores import Postgres, Valkey, free_port

BACKEND = Path(__file__).resolve().parent.parent
EMPTY = "empty"


class Player:
    """A process that plays runs, at stores of its own."""

    def __init__(self, folder: Path, words: dict[str, str], module: str = "killing.player") -> None:
        self.folder = folder
        self.log = folder / "player.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  our own
                [sys.executable, "-m", module],
                cwd=BACKEND,
                env={**os.environ, **words},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def wait_until_ready(self) -> None:
        if self._hear() != "ready":
            raise RuntimeError(f"A player did not start:\n{self.log.read_text()[-4000:]}")

    def play(self, story: str, kills: Sequence[Sequence[Any]]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"story": story, "kills": [list(kill) for kill in kills]}) + "\n")
        self._process.stdin.flush()
        line = self._hear()
        if not line:
            raise RuntimeError(f"A player died:\n{self.log.read_text()[-4000:]}")
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self._process.kill()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        return str(self._process.stdout.readline()).strip()


@contextlib.contextmanager
def theatre(count: int) -> Iterator[list[Player]]:
    """So many players, ready."""
    with ExitStack() as after:
        folder = Path(after.enter_context(tempfile.TemporaryDirectory(prefix="kill-", ignore_cleanup_errors=True)))
        postgres = Postgres()
        after.callback(postgres.stop)
        postgres.start()
        _make_tables(folder, postgres)
        players = [_player(after, folder / str(number), postgres) for number in range(count)]
        for player in players:
            player.wait_until_ready()
        yield players


def _player(after: ExitStack, folder: Path, postgres: Postgres) -> Player:
    folder.mkdir()
    valkey = Valkey(folder / "valkey", socket=folder / "valkey.sock", durable=False)
    after.callback(valkey.stop)
    valkey.start()
    name = f"player_{folder.name}"
    with psycopg.connect(postgres.url, autocommit=True) as line:
        line.execute(f'CREATE DATABASE "{name}" TEMPLATE "{EMPTY}"')
    words = words_of(folder, url_of(postgres, name)) | {"REDIS_URL": valkey.url}
    words["EXCHANGE_TRANSPORT_BASE"] = f"http://127.0.0.1:{free_port()}"
    player = Player(folder, words)
    after.callback(player.close)
    return player


def words_of(folder: Path, database: str) -> dict[str, str]:
    return {"DJANGO_SETTINGS_MODULE": "killing.settings", "DATA_DIR": str(folder), "DATABASE_URL": database}


def url_of(postgres: Postgres, name: str) -> str:
    return f"{postgres.url.rpartition('/')[0]}/{name}"


def _make_tables(folder: Path, postgres: Postgres) -> None:
    """Once; each player's database is a copy."""
    with psycopg.connect(postgres.url, autocommit=True) as line:
        line.execute(f'CREATE DATABASE "{EMPTY}"')
    migrate(words_of(folder, url_of(postgres, EMPTY)))


def migrate(words: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--noinput", "--verbosity", "0"],
        cwd=BACKEND,
        env={**os.environ, **words},
        stdin=subprocess.DEVNULL,
        check=True,
    )
