"""A dump is worth what its restore is worth: both scripts, on a real Postgres with the product's real tables."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.stores import Postgres

ROOT = Path(__file__).parents[3]
Run = subprocess.CompletedProcess[str]

ROWS = """
insert into users_user (password, is_superuser, email, is_staff, is_active, date_joined,
                        time_zone, theme)
select 'x', false, 'user' || i || '@example.org', false, true, now(), 'UTC', 'dark'
from generate_series(1, 250) i;
insert into events_event (owner_id, kind, text, data, time, created_at)
select id, 'notice', 'Grüße ▲ ' || id, '{"price": "64000.10"}', now(), now() from users_user;
"""
TABLES = "select table_name from information_schema.tables where table_schema = 'public' order by 1"
CONTENT = "select md5(string_agg(t::text, '|' order by id)) from events_event t"


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def shell(postgres: Postgres) -> Callable[..., Run]:
    """Runs a program against a database of the server; a failure is the caller's to judge."""

    def run(database: str, *command: str | Path, **extra: str | Path) -> Run:
        place = {"PGHOST": "127.0.0.1", "PGPORT": postgres.port, "PGUSER": "postgres", "PGDATABASE": database}
        words = {name: str(value) for name, value in {**place, **extra}.items()}
        path = f"{postgres.bin}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [str(c) for c in command],
            env={**os.environ, **words, "PATH": path},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def ask(shell: Callable[..., Run], database: str, sql: str) -> str:
    done = shell(database, "psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql)
    assert done.returncode == 0, done.stderr
    return done.stdout


def counts(shell: Callable[..., Run], database: str) -> dict[str, int]:
    """Rows per table."""
    tables = ask(shell, database, TABLES).split()
    return {table: int(ask(shell, database, f'select count(*) from "{table}"')) for table in tables}


@pytest.fixture(scope="module")
def full(postgres: Postgres, shell: Callable[..., Run], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the product's tables and rows in them; answers with the media folder that belongs to it."""
    ask(shell, "postgres", "create database full_one")
    url = postgres.url.rsplit("/", 1)[0] + "/full_one"
    migrated = shell(
        "full_one",
        sys.executable,
        ROOT / "backend" / "manage.py",
        "migrate",
        "--noinput",
        DATABASE_URL=url,
        DJANGO_SETTINGS_MODULE="buddy.settings",
    )
    assert migrated.returncode == 0, migrated.stderr
    ask(shell, "full_one", ROWS)
    media = tmp_path_factory.mktemp("media")
    (media / "screenshots").mkdir()
    (media / "screenshots" / "one.webp").write_bytes(os.urandom(5000))
    return media


@pytest.fixture
def dump(shell: Callable[..., Run], full: Path, tmp_path: Path) -> Path:
    done = shell("full_one", ROOT / "backups" / "backup.sh", "once", BACKUP_DIR=tmp_path / "dumps", MEDIA_DIR=full)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@pytest.fixture
def empty(shell: Callable[..., Run]) -> Iterator[str]:
    ask(shell, "postgres", "create database empty_one")
    yield "empty_one"
    ask(shell, "postgres", "drop database empty_one")


def restore(shell: Callable[..., Run], database: str, dump: Path, media: Path) -> Run:
    return shell(database, ROOT / "backups" / "restore.sh", dump, MEDIA_DIR=media)


def test_a_restored_dump_has_every_row_and_every_file(shell, full, dump, empty, tmp_path):
    done = restore(shell, empty, dump, tmp_path / "media")
    assert done.returncode == 0, done.stderr
    assert counts(shell, empty) == counts(shell, "full_one")
    assert counts(shell, empty)["users_user"] == 250
    assert ask(shell, empty, CONTENT) == ask(shell, "full_one", CONTENT)
    assert (tmp_path / "media/screenshots/one.webp").read_bytes() == (full / "screenshots/one.webp").read_bytes()


def test_a_restore_refuses_a_database_that_holds_something(shell, dump, tmp_path):
    done = restore(shell, "full_one", dump, tmp_path / "media")
    assert done.returncode == 4
    assert "is not empty" in done.stderr
    assert not (tmp_path / "media").exists()


def test_a_restore_refuses_a_media_folder_that_holds_something(shell, full, dump, empty):
    done = restore(shell, empty, dump, full)
    assert done.returncode == 4
    assert counts(shell, empty) == {}


def test_a_damaged_dump_is_refused_before_anything_is_touched(shell, dump, empty, tmp_path):
    with (dump / "database.dump").open("r+b") as file:
        file.seek(200)
        file.write(b"\0\0\0\0")
    done = restore(shell, empty, dump, tmp_path / "media")
    assert done.returncode == 3
    assert counts(shell, empty) == {}


def test_a_dump_that_fails_leaves_nothing_that_looks_like_one(shell, full, tmp_path):
    done = shell("no_such_database", ROOT / "backups" / "backup.sh", "once", BACKUP_DIR=tmp_path, MEDIA_DIR=full)
    assert done.returncode != 0
    assert list(tmp_path.iterdir()) == []


def test_only_the_newest_dumps_are_kept(shell, full, tmp_path):
    for day in range(1, 5):
        (tmp_path / f"2026010{day}T000000Z").mkdir()
    done = shell("full_one", ROOT / "backups" / "backup.sh", "once", BACKUP_DIR=tmp_path, BACKUP_KEEP="2")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["20260104T000000Z", Path(done.stdout.strip()).name]


def test_the_health_of_backups_is_the_age_of_the_newest(shell, dump):
    check = (ROOT / "backups" / "backup.sh", "fresh", "24")
    assert shell("full_one", *check, BACKUP_DIR=dump.parent).returncode == 0
    os.utime(dump, (0, 0))
    assert shell("full_one", *check, BACKUP_DIR=dump.parent).returncode != 0
