"""The commands as an operator types them, and the desk that comes back: started, and asked over HTTP."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as real
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from bench.serving import Visitor
from buddy import checks
from buddy.backups import attempts, standing
from buddy.backups.desk import Desk, database_of
from buddy.backups.models import Backup
from buddy.backups.refusals import Refused
from buddy.backups.sealing import KeyPair
from buddy.backups.shelf import Shelf
from buddy.events import chain
from scripts.stores import Postgres, free_port
from scripts.supervisor import Stack
from tests.conftest import PASSWORD
from tests.faults import backup_rig as rig
from tests.faults.backup_rig import Places

pytestmark = pytest.mark.skipif(rig.IS_DONE_ELSEWHERE, reason="brings databases of both kinds of its own")
MANAGE = Path(__file__).parents[3] / "backups" / "manage.sh"


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


def operate(desk: Desk, place: str, server: Postgres, *command: str, typed: str = "", **words: str) -> str:
    """What the command says; raises with its complaint when it fails."""
    found = environment(desk, place, server) | words
    done = subprocess.run(
        [MANAGE, *command], env={**os.environ, **found}, input=typed, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def environment(desk: Desk, place: str, server: Postgres) -> dict[str, str]:
    found = {"DJANGO_SETTINGS_MODULE": "buddy.settings", "ENV_FILE": os.devnull, "DATABASE_URL": place}
    secrets = {"VAULT_KEY": real.VAULT_KEY, "SECRET_KEY": real.SECRET_KEY}
    return {**found, **secrets, "DATA_DIR": str(desk.media.parent), "POSTGRES_BIN": str(server.bin)}


@pytest.mark.processes
@pytest.mark.xdist_group("processes")
def test_from_a_new_key_to_a_desk_that_came_back_and_shows_the_same_journal(server: Postgres, tmp_path: Path) -> None:
    """On a real Postgres: made by the commands, restored by them elsewhere, and then everything is started."""
    places = Places("postgresql", tmp_path, server)
    here, there = places.desk(full=True), places.desk()
    url, empty = places.url("desk1"), places.url("desk2")

    key = operate(here, url, server, "backup_key")
    recipient = key.split("public key: ")[1].split()[0]
    took = operate(here, url, server, "backup", BACKUP_RECIPIENT=recipient)
    name = Path(took.split()[0]).name
    shelf = str(here.media.parent / "backups")
    assert key.split()[-1].encode() not in (Path(shelf) / name).read_bytes()
    proven = operate(here, url, server, "verify_backup", name, "--identity", "-", typed=key)
    assert f"{name}, taken" in proven
    assert "1 of 1 sealed keys open" in proven
    restored = operate(there, empty, server, "restore", "latest", "--identity", "-", typed=key, BACKUP_DIR=shelf)
    assert restored.split("journal ")[1].split(",")[0] == proven.split("journal ")[1].split(",")[0]

    words = environment(there, empty, server) | {"REDIS_URL": "", "BACKUP_RECIPIENT": recipient}
    words["EXCHANGE_TRANSPORT_BASE"] = "http://127.0.0.1:1"  # its account at a venue reaches nobody
    stack = Stack(there.media.parent, free_port(), words=words)
    stack.start()
    try:
        same_journal(Visitor(stack.port), here)
        takes_backups_by_itself(stack)
    finally:
        stack.stop()


def takes_backups_by_itself(stack: Stack) -> None:
    deadline = time.monotonic() + 180
    while not stack.health()["parts"]["backup"]["ok"]:  # type: ignore[index]
        assert time.monotonic() < deadline, (stack.logs / "backup.log").read_text()
        time.sleep(0.2)
    assert len(list((stack.data / "backups").glob("buddy-*.age"))) == 1


def same_journal(visitor: Visitor, source: Desk) -> None:
    visitor.call("GET", "/_allauth/browser/v1/auth/session")
    visitor.call("GET", "/_allauth/browser/v1/config")
    visitor.call("POST", "/_allauth/browser/v1/auth/login", {"email": rig.EMAIL, "password": PASSWORD})
    found = visitor.call("GET", "/api/v1/trades?limit=100")["results"]
    with rig.looked_into(source) as alias:
        wanted = {trade.pk: trade.net for trade in rig.Trade.objects.using(alias).all()}
    assert {row["id"]: Decimal(row["net"]) for row in found} == wanted
    assert visitor.call("GET", "/api/v1/journal/1")["notes"] == rig.NOTE
    visitor.call("PATCH", "/api/v1/journal/1", {"notes": "It goes on."})
    assert visitor.call("GET", "/api/v1/journal/1")["notes"] == "It goes on."
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())}
    picture = visitor._exchange("GET", "/api/v1/journal/1/screenshot", None, headers).read()
    assert picture == (source.media / rig.ODD_NAMES[0]).read_bytes()


@pytest.fixture(scope="module")
def places(server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places("sqlite", tmp_path_factory.mktemp("desks"), server)


@pytest.fixture
def desk(places: Places, store: str, settings: Any) -> Iterator[Desk]:
    """The one this process stands on, with its recipient in the settings."""
    found = places.desk(full=True)
    settings.BACKUP_RECIPIENT = list(found.recipients)
    with rig.standing_on(found):
        yield found


def test_health_tells_the_age_of_the_last_proven_backup(desk: Desk) -> None:
    assert told() == {"ok": False, "light": "amber"}
    attempts.attempt(desk)
    Backup.objects.update(taken_at=timezone.now() - timedelta(hours=25, seconds=30))
    assert (told()["ok"], told()["age_seconds"] // 3600) == (True, 25.0)
    Backup.objects.update(taken_at=timezone.now() - timedelta(hours=27))
    assert not told()["ok"]


def told() -> dict[str, Any]:
    found = dict(Client().get("/health").json()["parts"]["backup"])
    found.pop("ms", None)
    return found


def test_health_is_silent_of_backups_where_nobody_asked_for_any(desk: Desk, settings: Any) -> None:
    settings.BACKUP_RECIPIENT = []
    assert "backup" not in Client().get("/health").json()["parts"]
    settings.PRODUCTION = True
    assert not standing.standing().ok
    assert standing.is_wanted()


def test_an_attempt_that_fails_is_remembered_and_leaves_the_last_good_one(desk: Desk) -> None:
    good = attempts.attempt(desk)
    (desk.media.parent / "buddy.sqlite3").unlink()
    with pytest.raises(Refused, match="no database"):
        attempts.attempt(desk)
    assert desk.shelf.backups() == [good.path]
    assert "no database" in Backup.objects.get(proven_at=None).trouble
    assert standing.standing().ok


def test_one_is_taken_when_it_is_due_and_a_failed_one_does_not_end_the_series(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """Hours pass while it naps: of 60 hours, with the database away from the 20th to the 30th."""
    begin, slept, said = timezone.now(), [0], []
    database = desk.media.parent / "buddy.sqlite3"

    def nap(_seconds: float) -> None:
        slept[0] += 1
        for at, (old, new) in {20: (database, "away"), 30: (database.with_name("away"), database.name)}.items():
            if slept[0] == at:
                old.rename(database.with_name(str(new)))
        if slept[0] > 60:
            raise KeyboardInterrupt

    monkeypatch.setattr(attempts.time, "sleep", nap)
    monkeypatch.setattr(attempts.timezone, "now", lambda: begin + timedelta(hours=slept[0]))
    monkeypatch.setattr(attempts.connections, "close_all", lambda: None)
    with pytest.raises(KeyboardInterrupt):
        attempts.keep_taking(desk, said.append)
    hours = [round((row.taken_at - begin) / timedelta(hours=1)) for row in Backup.objects.exclude(proven_at=None)]
    assert hours == [0, 30, 54]
    assert len([line for line in said if line.startswith("No backup")]) == 6
    assert len(desk.shelf.backups()) == 3


@pytest.fixture
def here(desk: Desk, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The desk as the commands find it."""
    monkeypatch.setattr(Desk, "here", lambda: desk)
    monkeypatch.setattr("buddy.backups.management.commands.backup.signal.signal", lambda *_: None)
    return desk


def typed(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_the_container_is_well_while_the_newest_is_proven_and_young(
    here: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError, match="too old, or there is none"):
        typed("backup", "--check")
    typed("backup")
    typed("backup", "--check")
    assert "proven" in typed("backup", "--list")
    later = timezone.now() + timedelta(hours=27)
    monkeypatch.setattr(attempts.timezone, "now", lambda: later)
    with pytest.raises(CommandError):
        typed("backup", "--check")


def test_each_refusal_names_its_cure(here: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.Event.objects.update(created_at=timezone.now() - timedelta(hours=1))
    chain.extend()
    typed("backup")
    wrong = tmp_path / "wrong"
    wrong.write_text(KeyPair.fresh().identity)
    right = tmp_path / "right"
    right.write_text(rig.OPERATOR.identity)
    away = here.database.entry | {"NAME": str(tmp_path / "nowhere.sqlite3")}
    with monkeypatch.context() as patch:
        patch.setattr(Desk, "here", lambda: replace(here, database=database_of(away)))
        with pytest.raises(CommandError, match="→ Start Trading Buddy once"):
            typed("backup")
    for words, cure in {
        ("verify_backup", "latest", "--identity", str(wrong)): "→ Name the identity that belongs to",
        ("verify_backup", "latest", "--identity", "nowhere"): "→ Name it: --identity FILE",
        ("verify_backup", "nothing", "--identity", str(right)): "→ Name a file, or one that lies in",
        ("restore", "latest", "--identity", str(right)): "→ Name an empty one in DATABASE_URL, or say --replace",
    }.items():
        with pytest.raises(CommandError, match=cure):
            typed(*words)
    proven = typed("verify_backup", "latest", "--identity", str(right))
    assert "is sound" in proven
    assert f"audit log intact: {rig.TRADES} events in 1 links" in proven


@pytest.mark.processes
@pytest.mark.xdist_group("processes")
def test_one_that_is_killed_leaves_nothing_that_counts_and_the_next_clears_up(
    places: Places, desk: Desk, server: Postgres
) -> None:
    """SIGKILL at the moment when half of the file is written, while the database lies copied on the disk."""
    for number in range(60):
        (desk.media / f"{number}.png").write_bytes(os.urandom(1_000_000))
    words = environment(desk, places.url(desk.media.parent.name), server) | {"BACKUP_RECIPIENT": desk.recipients[0]}
    process = subprocess.Popen([MANAGE, "backup"], env={**os.environ, **words})
    shelf = Shelf(desk.media.parent / "backups")
    deadline = time.monotonic() + 120
    while not any(path.stat().st_size > 2_000_000 for path in shelf.folder.glob(".partial-*")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.001)
    process.kill()
    process.wait()
    assert shelf.backups() == []
    assert list(shelf.folder.iterdir())
    done = rig.taken(replace(desk, shelf=shelf, work=desk.media.parent / "backup-work"))
    assert {path.name for path in shelf.folder.iterdir()} == {done.path.name, f"{done.path.name}.proof.json"}
    assert [path.name for path in (desk.media.parent / "backup-work").iterdir()] == [".lock"]


def test_an_identity_among_the_settings_is_refused_before_anything_starts(settings: Any) -> None:
    settings.BACKUP_RECIPIENT = [rig.OPERATOR.identity]
    (found,) = [one for one in checks.settings_are_safe(None) if one.id == "buddy.E007"]
    assert rig.OPERATOR.identity not in f"{found}"
