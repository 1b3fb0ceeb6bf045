"""Taking a backup: dump, seal, put on the shelf, prove, rotate."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.utils import timezone

from . import archive
from .contents import Contents, read_contents
from .desk import Desk
from .proving import Proof, opened, prove
from .room import locked
from .sealing import KeyPair, check_recipients, seal


@dataclass(frozen=True, slots=True)
class Taken:
    path: Path
    proof: Proof
    proven_at: datetime
    gone: list[Path]
    """Older ones that rotation has deleted."""


def take(desk: Desk, taken_at: datetime) -> Taken:
    """One backup now, proven. Raises Refused or Unsound, and then no proven one has gone."""
    check_recipients(desk.recipients)
    witness = KeyPair.fresh()  # opens this one file, in this process, to prove it; kept nowhere
    with locked(desk.work) as room:
        desk.shelf.sweep()
        with closing(_content(desk, taken_at, room)) as content:
            path = desk.shelf.put(taken_at, partial(seal, content, [*desk.recipients, witness.recipient]))
        try:
            with opened(path, [witness.identity], room) as found:
                proof = prove(found, desk.database, room)
            proven_at = timezone.now()
            desk.shelf.mark_proven(path, _report(proof, proven_at))
        finally:  # one that could not be proven stays for the day, and takes the place of no better one
            gone = desk.shelf.rotate(desk.kept)
        return Taken(path, proof, proven_at, gone)


def _content(desk: Desk, taken_at: datetime, room: Path) -> Generator[bytes, None, None]:
    """Database first: a picture that a row of this moment names is on the disk, and stays there while it is named."""
    media = archive.Media(desk.media)
    with desk.database.snapshot(room) as snapshot:
        contents = read_contents(snapshot.connection)
        yield from archive.write(snapshot.dump, media, partial(_manifest, desk, taken_at, contents, media))


def _manifest(desk: Desk, taken_at: datetime, contents: Contents, media: archive.Media) -> dict[str, Any]:
    kind = {"taken_at": taken_at.isoformat(), "engine": desk.database.engine}
    return {**kind, "contents": contents.as_json(), "media": media.read}


def _report(proof: Proof, proven_at: datetime) -> dict[str, Any]:
    """What lies beside the backup, in the open: how much it holds, and nothing of what."""
    held = proof.contents
    times = {"taken_at": proof.taken_at, "proven_at": proven_at.isoformat()}
    return {**times, "rows": held.rows, "journal": held.journal, "files": proof.files}
