"""A backup is worth what its restore is worth: on SQLite and on a real Postgres, with the product's own tables."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections, transaction
from django.test import override_settings

from buddy.backups import postgres, proving, restoring
from buddy.backups.connecting import as_default
from buddy.backups.contents import read_contents
from buddy.backups.desk import Desk
from buddy.backups.postgres import Postgres as PostgresDatabase
from buddy.backups.proving import opened, prove
from buddy.backups.refusals import Refused, Unsound
from buddy.backups.restoring import Restored, restore
from buddy.backups.room import locked
from buddy.backups.sealing import KeyPair
from buddy.backups.sqlite import Sqlite
from buddy.backups.taking import Taken, take
from buddy.events.models import Event
from buddy.exchanges.models import Account, Credentials
from buddy.journal.models import Screenshot
from buddy.trading.models import Fill, Order, Trade
from buddy.users.models import User
from scripts.stores import Postgres
from scripts.supervisor import alone
from tests.faults import backup_rig as rig
from tests.faults.backup_rig import OPERATOR, Places

pytestmark = pytest.mark.skipif(rig.IS_DONE_ELSEWHERE, reason="brings databases of both kinds of its own")
MINE = [OPERATOR.identity]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    found = Postgres()
    found.start()
    yield found
    found.stop()


@pytest.fixture(scope="module", autouse=True)
def _databases_of_our_own(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="module", params=rig.KINDS)
def places(request: Any, server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(request.param, tmp_path_factory.mktemp("desks"), server)


@pytest.fixture(autouse=True)
def _programs(settings: Any, server: Postgres) -> None:
    settings.POSTGRES_BIN = str(server.bin)


@pytest.fixture(scope="module")
def full(places: Places, server: Postgres) -> Desk:
    """One for all tests that only read it."""
    return places.desk(full=True)


@pytest.fixture(scope="module")
def backup(full: Desk, server: Postgres) -> Taken:
    with override_settings(POSTGRES_BIN=str(server.bin)):
        return rig.taken(full)


@pytest.fixture
def empty(places: Places) -> Desk:
    return places.desk()


def rows(desk: Desk, model: Any) -> int:
    with rig.looked_into(desk) as alias:
        return int(model.objects.using(alias).count())


@pytest.fixture(scope="module")
def restored(places: Places, backup: Taken, server: Postgres) -> tuple[Desk, Restored]:
    desk = places.desk()
    with override_settings(POSTGRES_BIN=str(server.bin)):
        return desk, restore(desk, backup.path, MINE)


def test_a_restored_backup_has_every_row_every_file_and_the_same_journal_hash(
    full: Desk, restored: tuple[Desk, Restored]
) -> None:
    desk, done = restored
    with full.database.connected(rig.AGAIN) as connection:
        before = read_contents(connection)
    assert before.differences(done.proof.contents) == []
    assert (before.journal, before.rows) == (done.proof.contents.journal, done.proof.contents.rows)
    assert before.tables["trading_fill"].rows == 40
    assert done.proof.audit == "audit log intact: 0 events in 0 links"
    assert rig.media_of(desk.media) == rig.media_of(full.media)
    assert set(rig.media_of(desk.media)) == set(rig.ODD_NAMES)


def test_what_trades_at_a_venue_comes_back_reducing_and_says_so(restored: tuple[Desk, Restored]) -> None:
    with rig.looked_into(restored[0]) as alias:
        states = dict(Account.objects.using(alias).values_list("mode", "state"))
        assert states == {"paper": "active", "testnet": "reducing"}
        told = Event.objects.using(alias).get(kind="account_restored")
        assert "until you set the account to active" in told.text


def test_sealed_keys_open_in_the_restored_database(restored: tuple[Desk, Restored]) -> None:
    desk, done = restored
    assert (done.proof.contents.sealed, done.proof.contents.closed) == (1, 0)
    with rig.looked_into(desk) as alias:
        assert Credentials.objects.using(alias).get().keys() == rig.KEYS


def test_new_rows_go_on_where_the_old_ones_ended(restored: tuple[Desk, Restored]) -> None:
    with rig.looked_into(restored[0]) as alias:
        user, account = User.objects.using(alias).get(), Account.objects.using(alias).get(name="Practice")
        last = Trade.objects.using(alias).order_by("id").last()
        assert last
        assert rig.add_trade(alias, user, account, 99).pk == last.pk + 1


def test_another_vault_key_is_told_before_anything_is_touched(backup: Taken, empty: Desk, settings: Any) -> None:
    settings.VAULT_KEY = "another-key-" + "x" * 40
    with pytest.raises(Refused, match="does not open 1 of 1 exchange keys"):
        restore(empty, backup.path, MINE)
    assert empty.database.is_empty()
    assert restore(empty, backup.path, MINE, with_vault_key=False).proof.contents.closed == 1


def test_another_identity_is_refused(backup: Taken, empty: Desk) -> None:
    with pytest.raises(Refused, match="This identity does not open"):
        restore(empty, backup.path, [KeyPair.fresh().identity])
    assert empty.database.is_empty()
    assert not empty.media.exists()


@pytest.mark.parametrize("where", [0.0, 0.02, 0.5, 0.999])
def test_a_flipped_bit_anywhere_is_refused(backup: Taken, empty: Desk, tmp_path: Path, where: float) -> None:
    content = bytearray(backup.path.read_bytes())
    content[int(len(content) * where)] ^= 1
    (tmp_path / "flipped.age").write_bytes(content)
    with pytest.raises(Refused):
        restore(empty, tmp_path / "flipped.age", MINE)
    assert empty.database.is_empty()
    assert not empty.media.exists()


def test_one_cut_short_is_refused(backup: Taken, empty: Desk, tmp_path: Path) -> None:
    content = backup.path.read_bytes()
    for length in (0, 50, len(content) // 2, len(content) - 1):
        (tmp_path / "short.age").write_bytes(content[:length])
        with pytest.raises(Unsound):
            restore(empty, tmp_path / "short.age", MINE)
    assert empty.database.is_empty()


def test_nothing_of_a_trader_can_be_read_without_the_identity(
    full: Desk, backup: Taken, tmp_path: Path, settings: Any
) -> None:
    """And with it, still no exchange key: the canaries are looked for in the unpacked database too."""
    sealed = backup.path.read_bytes()
    assert not [word for word in (rig.EMAIL, *_secrets(settings)) if word.encode() in sealed]
    with locked(tmp_path) as room, opened(backup.path, MINE, room) as archive:
        plain = _unpacked(full, archive.dump(), tmp_path)
    assert rig.EMAIL.encode() in plain  # so that a canary would be found
    assert not [word for word in _secrets(settings) if word.encode() in plain]


def _secrets(settings: Any) -> list[str]:
    return [rig.KEYS.api_key, rig.KEYS.secret, rig.KEYS.passphrase, settings.VAULT_KEY, settings.SECRET_KEY]


def _unpacked(desk: Desk, dump: Iterator[bytes], folder: Path) -> bytes:
    """As the tools of any machine unpack it."""
    (folder / "dump").write_bytes(b"".join(dump))
    if isinstance(desk.database, PostgresDatabase):
        command = [f"{settings.POSTGRES_BIN}/pg_restore", "--file=-", str(folder / "dump")]
    else:
        command = ["gunzip", "--stdout", "--force", str(folder / "dump")]
        (folder / "dump").rename(folder / "dump.gz")
        command[-1] += ".gz"
    return subprocess.run(command, check=True, capture_output=True).stdout


def test_a_backup_of_which_a_row_is_not_what_was_hashed_is_no_backup(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dump is loaded whole, and a fill in it is changed before it is compared: by one digit of its price."""
    desk = places.desk(full=True)
    real = proving.compared

    def tampered(archive: Any, restored: Any, **how: Any) -> Any:
        with restored.connected("tampering") as connection, connection.cursor() as cursor:
            cursor.execute("UPDATE trading_fill SET price = '64000.2' WHERE id = 7")
        return real(archive, restored, **how)

    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    good = take(desk, noon)
    monkeypatch.setattr(proving, "compared", tampered)
    for later in (1, 2):
        with pytest.raises(Unsound, match="trading_fill has 40 rows, but not the same"):
            take(desk, noon + timedelta(hours=later))
    proven, last = desk.shelf.backups()  # those that were never proven do not pile up
    assert proven == good.path
    assert not desk.shelf.is_proven(last)
    assert desk.shelf.last_proven() == noon


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE trading_trade SET net = '1.000000000000000001' WHERE id = 3",
        "UPDATE trading_order SET status = 'cancelled' WHERE id = 3",
        "DELETE FROM trading_fill WHERE id = 40",
        "UPDATE events_event SET text = 'Nothing happened.' WHERE id = 5",
        "UPDATE journal_entry SET notes = notes || ' ' WHERE id = 5",
    ],
)
def test_the_journal_hash_tells_of_any_change(full: Desk, change: str) -> None:
    with full.database.connected(rig.AGAIN) as connection:
        before = read_contents(connection)
        assert read_contents(connection).journal == before.journal
        connection.set_autocommit(False)
        with connection.cursor() as cursor:
            cursor.execute(change)
        assert read_contents(connection).journal != before.journal
        connection.rollback()


def test_a_backup_taken_while_writes_go_on_is_of_one_moment(places: Places, empty: Desk) -> None:
    """Each writing adds an order and its fill together: in no backup is there the one without the other."""
    desk = places.desk(full=True)
    stop, written = threading.Event(), []

    def write() -> None:
        with desk.database.connected("writing") as connection:
            user = User.objects.using(connection.alias).get()
            account = Account.objects.using(connection.alias).get(name="Practice")
            while not stop.wait(0.005):
                with transaction.atomic(using=connection.alias):
                    written.append(rig.add_trade(connection.alias, user, account, len(written)).pk)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(written) < 5:
            stop.wait(0.01)
        before = len(written)
        done = rig.taken(desk)
        after = len(written)
    finally:
        stop.set()
        writer.join()
    assert after > before  # it was indeed written to meanwhile
    restore(empty, done.path, MINE)
    assert rows(empty, Order) == rows(empty, Fill) == rows(empty, Trade) >= 40 + before


def test_a_database_that_holds_something_is_refused(full: Desk, backup: Taken, places: Places) -> None:
    with pytest.raises(Refused, match="not empty") as refused:
        restore(full, backup.path, MINE)
    assert "--replace" in refused.value.cure
    assert rows(full, Trade) == 40


def test_a_media_folder_that_holds_something_is_refused(full: Desk, backup: Taken, empty: Desk) -> None:
    with pytest.raises(Refused, match="not empty"):
        restore(replace(empty, media=full.media), backup.path, MINE)
    assert empty.database.is_empty()


def test_told_plainly_it_replaces_and_keeps_what_was_there(places: Places, backup: Taken) -> None:
    desk = places.desk(full=True)
    with rig.looked_into(desk) as alias:
        Event.objects.using(alias).all().delete()
    before = rig.media_of(desk.media)
    done = restore(desk, backup.path, MINE, replace=True)
    assert rows(desk, Event) == 41
    database, media = done.aside
    entry = {**desk.database.entry, "NAME": database}
    assert rows(replace(desk, database=type(desk.database)(entry)), Event) == 0
    assert rig.media_of(Path(media)) == before


def test_a_session_that_is_just_leaving_is_waited_for(places: Places, backup: Taken) -> None:
    desk = places.desk(full=True)
    is_there = threading.Event()

    def leave() -> None:
        with desk.database.connected("leaving") as connection:
            connection.ensure_connection()
            is_there.set()
            time.sleep(0.5)

    leaving = threading.Thread(target=leave)
    leaving.start()
    assert is_there.wait(10)
    restore(desk, backup.path, MINE, replace=True)
    leaving.join()
    assert rows(desk, Event) == 41


def test_a_database_in_use_is_not_replaced(places: Places, backup: Taken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "LEAVES_WITHIN", 0.3)
    desk = places.desk(full=True)
    with in_use(desk), pytest.raises(Refused, match="in use") as refused:
        restore(desk, backup.path, MINE, replace=True)
    assert "Stop Trading Buddy" in refused.value.cure


@contextmanager
def in_use(desk: Desk) -> Iterator[None]:
    """As by a supervisor on the same folder, or by anybody on the same database."""
    with desk.database.connected("somebody") as connection:
        connection.ensure_connection()
        held = alone(Path(desk.media).parent)
        yield
        del held


def test_a_backup_of_a_newer_version_is_refused(backup: Taken, empty: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    known = restoring.MigrationLoader

    def older(*arguments: Any, **how: Any) -> Any:
        loader = known(*arguments, **how)
        loader.disk_migrations = {key: one for key, one in loader.disk_migrations.items() if key[0] != "trading"}
        return loader

    with monkeypatch.context() as patch:
        patch.setattr(restoring, "MigrationLoader", older)
        with pytest.raises(Refused, match=r"newer Trading Buddy, which knows trading\.0001_initial"):
            restore(empty, backup.path, MINE)
    assert empty.database.is_empty()


def test_an_older_backup_is_brought_up_to_this_version(places: Places, empty: Desk, settings: Any) -> None:
    """By migrations, of which one reads rows and names no database, and looks at the media."""
    settings.MEDIA_ROOT = empty.media
    old = places.desk(full=True)
    with old.database.connected("aging") as connection, as_default(connection):
        for app, version in {"backups": "zero", "journal": "0001"}.items():
            call_command("migrate", app, version, database=connection.alias, interactive=False, verbosity=0)
    done = restore(empty, rig.taken(old).path, MINE)
    assert "backups_backup" not in done.proof.contents.tables
    with empty.database.connected(rig.AGAIN) as connection:
        assert "backups_backup" in connection.introspection.table_names()
        screenshot = Screenshot.objects.using(connection.alias).get()
    assert screenshot.size == (old.media / rig.ODD_NAMES[0]).stat().st_size  # measured by that migration
    assert rows(empty, Trade) == 40


def test_a_backup_of_another_kind_of_database_is_refused(backup: Taken, empty: Desk) -> None:
    with pytest.raises(Refused, match="This backup is of"):
        restore(replace(empty, database=_other_kind(empty)), backup.path, MINE)


def _other_kind(desk: Desk) -> Any:
    kind = Sqlite if isinstance(desk.database, PostgresDatabase) else PostgresDatabase
    return kind({**desk.database.entry, "NAME": "/nowhere/buddy.sqlite3"})


def test_a_database_that_cannot_be_reached_is_told_with_its_cure(full: Desk) -> None:
    nowhere = {**full.database.entry, "NAME": "/nowhere/at_all"}
    with pytest.raises(Refused, match=r"cannot be reached|no database at"):
        rig.taken(replace(full, database=type(full.database)(nowhere)))


def test_proving_leaves_nothing_behind(full: Desk, backup: Taken, tmp_path: Path) -> None:
    with locked(tmp_path) as room, opened(backup.path, MINE, room) as archive:
        prove(archive, full.database, room)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    with full.database.connected(rig.AGAIN) as connection, connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT count(*) FROM pg_database WHERE datname LIKE %s", ["%_proof"])
            assert cursor.fetchone() == (0,)
    assert set(connections) == {"default"}
