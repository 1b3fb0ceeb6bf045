"""Restoring: into an empty database, whole, compared, brought up to this version; and then with caution.

A desk that comes back from yesterday does not know what was withdrawn since. Accounts at a venue therefore come back
*reducing*: what is open is looked after, and nothing is entered until the trader says so.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from buddy.events.models import Event
from buddy.exchanges.models import Account

from .archive import Archive
from .connecting import as_default
from .desk import Desk
from .proving import Proof, compared, opened, prove, same_kind
from .refusals import Refused
from .room import locked
from .shelf import STAMP

CAUTION = "Restored from the backup of {taken_at}. Nothing is entered until you set the account to active again."


@dataclass(frozen=True, slots=True)
class Restored:
    proof: Proof
    aside: list[str]
    """Where what was there before is kept."""


def restore(
    desk: Desk, backup: Path, identities: Sequence[str], *, replace: bool = False, with_vault_key: bool = True
) -> Restored:
    """Nothing is touched before the backup is known to be whole and sound. Raises Refused or Unsound."""
    with locked(desk.work) as room, opened(backup, identities, room) as archive:
        is_older = _is_older(archive)
        same_kind(archive, desk.database)
        _refuse_what_is_there(desk, replace)
        prove(archive, desk.database, room, with_vault_key=with_vault_key)
        fresh = _media_beside(desk, archive)
        aside = _set_aside(desk)
        desk.database.load(archive.dump())
        proof = compared(archive, desk.database, with_vault_key=with_vault_key)
        fresh.rename(desk.media)
        _bring_up(desk, proof, is_older=is_older)
    return Restored(proof, aside)


def _is_older(archive: Archive) -> bool:
    """Whether it has to be migrated. Raises Refused where it was taken by a newer version than this."""
    applied = set(archive.manifest["contents"]["migrations"])
    known = {f"{app}.{name}" for app, name in MigrationLoader(None, ignore_no_migrations=True).disk_migrations}
    if unknown := sorted(applied - known):
        raise Refused(
            f"This backup was taken by a newer Trading Buddy, which knows {unknown[0]}.",
            "Update Trading Buddy first, to that version or a newer one.",
        )
    return applied != known


def _refuse_what_is_there(desk: Desk, replace: bool) -> None:
    is_empty = desk.database.is_empty()
    if not is_empty and not replace:
        raise Refused(
            "The database is not empty, and nothing is ever overwritten.",
            "Name an empty one in DATABASE_URL, or say --replace: what is there is then kept under another name.",
        )
    if _holds_something(desk.media) and not replace:
        raise Refused(
            f"{desk.media} is not empty, and nothing is ever overwritten.",
            "Name another DATA_DIR, or say --replace: what is there is then kept under another name.",
        )
    if not is_empty and desk.database.users():
        raise Refused("The database is in use.", "Stop Trading Buddy, all of its parts, and run this again.")


def _media_beside(desk: Desk, archive: Archive) -> Path:
    fresh = desk.media.with_name(f".{desk.media.name}.restoring")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    archive.restore_media(fresh)
    return fresh


def _set_aside(desk: Desk) -> list[str]:
    """What is there, under other names. Comes back with these."""
    stamp = timezone.now().strftime(STAMP).lower()
    aside = [] if desk.database.is_empty() else [desk.database.set_aside(stamp)]
    if _holds_something(desk.media):
        kept = desk.media.with_name(f"{desk.media.name}-before-{stamp}")
        desk.media.rename(kept)
        aside.append(str(kept))
    elif desk.media.is_dir():
        desk.media.rmdir()
    return aside


def _holds_something(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _bring_up(desk: Desk, proof: Proof, *, is_older: bool) -> None:
    """To this version's tables, and to caution."""
    with desk.database.connected("restored") as connection, as_default(connection):
        if is_older:
            call_command("migrate", database=connection.alias, interactive=False, verbosity=0)
        at_venues = Account.objects.using(connection.alias).exclude(mode=Account.Mode.PAPER)
        for account in at_venues.filter(state=Account.State.ACTIVE, archived_at=None):
            account.state = Account.State.REDUCING
            account.save(using=connection.alias, update_fields=["state"])
            _tell(account, proof, connection.alias)


def _tell(account: Account, proof: Proof, alias: str) -> None:
    Event.objects.using(alias).create(
        owner_id=account.owner_id,
        account_id=account.pk,
        kind="account_restored",
        text=CAUTION.format(taken_at=proof.taken_at[:16].replace("T", " ")),
        time=timezone.now(),
    )
