"""A backup is worth what its restore is worth: it is restored into an empty database and compared with its manifest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from buddy.events import chain
from buddy.events.models import Link

from .archive import Archive
from .contents import Contents, read_contents
from .refusals import Refused, Unsound
from .sealing import unseal
from .snapshots import Database

OTHER = "Take another backup; this one must not be relied upon."


@dataclass(frozen=True, slots=True)
class Proof:
    """What a restored backup was found to hold."""

    taken_at: str
    contents: Contents
    files: int
    audit: str
    """Whether the audit log is as it was written, in words; a backup of one that is not is sound all the same."""

    def __str__(self) -> str:
        held = self.contents
        keys = f"{held.sealed - held.closed} of {held.sealed} sealed keys open"
        much = f"{held.rows} rows in {len(held.tables)} tables, journal {held.journal}, {self.files} files"
        return f"{much}, {keys}, {self.audit}"


@contextmanager
def opened(backup: Path, identities: Sequence[str], work: Path) -> Iterator[Archive]:
    """Decrypted whole, hence known to be whole, before any of it is looked at."""
    plain = work / "archive.tar"
    unseal(backup, identities, plain)
    archive = Archive(plain)
    try:
        yield archive
    finally:
        archive.close()
        plain.unlink()


def prove(archive: Archive, beside: Database, work: Path, *, with_vault_key: bool = True) -> Proof:
    """Restore it into an empty database like `beside`. Raises Unsound when it is not what was dumped."""
    same_kind(archive, beside)
    archive.check_media()
    with beside.scratch(work) as scratch:
        scratch.load(archive.dump())
        return compared(archive, scratch, with_vault_key=with_vault_key)


def compared(archive: Archive, restored: Database, *, with_vault_key: bool = True) -> Proof:
    """`restored` holds every row that was counted and hashed when the backup was taken, or Unsound."""
    wanted = Contents.from_json(archive.manifest["contents"])
    with restored.connected("restored") as connection:
        found = read_contents(connection)
        audit = str(chain.verify(connection.alias)) if Link._meta.db_table in found.tables else "no audit chain yet"
    if differences := wanted.differences(found):
        raise Unsound(f"The restored database is not the one that was dumped: {'; '.join(differences)}.", OTHER)
    if with_vault_key and found.closed > wanted.closed:
        raise Refused(
            f"All rows are there, but VAULT_KEY does not open {found.closed} of {found.sealed} exchange keys.",
            "Set the VAULT_KEY of the day it was taken, or leave that out (--without-vault-key).",
        )
    return Proof(archive.manifest["taken_at"], found, len(archive.manifest["media"]), audit)


def same_kind(archive: Archive, database: Database) -> None:
    if archive.manifest["engine"] != database.engine:
        raise Refused(
            f"This backup is of {archive.manifest['engine']}, and DATABASE_URL names {database.engine}.",
            f"Set DATABASE_URL to a {archive.manifest['engine']} database.",
        )
