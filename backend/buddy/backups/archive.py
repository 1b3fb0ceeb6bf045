"""The inside of a backup: one tar stream with the dump in parts, the media, and a manifest at the end.

Without us it opens with the tools of any machine: `age -d -i IDENTITY FILE | tar -x`, and then
`cat database/* | pg_restore …`, or `cat database/* | gunzip > buddy.sqlite3`.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from .refusals import Unsound

DATABASE, MEDIA, MANIFEST = "database/", "media/", "manifest.json"
FORM = 1
"""Of the manifest. One that is not known is refused."""
DAMAGED = "Take another copy of this backup, or an older backup."


@dataclass(slots=True)
class Media:
    """Files below a folder, read one by one; what was read is written down for the manifest."""

    folder: Path
    read: dict[str, str] = field(default_factory=dict)
    """sha256 by name."""

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Regular files only: a link could lead anywhere. One that goes meanwhile is left out."""
        for path in sorted(self.folder.rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                continue
            name = path.relative_to(self.folder).as_posix()
            self.read[name] = sha256(content).hexdigest()
            yield name, content


def write(dump: Iterable[bytes], media: Media, manifest: Callable[[], Mapping[str, Any]]) -> Iterator[bytes]:
    """The whole archive, piece by piece. `manifest` is asked last, when all the rest has been read."""
    for number, part in enumerate(dump):
        yield from _member(f"{DATABASE}{number:06}", part)
    for name, content in media.files():
        yield from _member(MEDIA + name, content)
    yield from _member(MANIFEST, json.dumps({"form": FORM, **manifest()}).encode())
    yield bytes(2 * tarfile.BLOCKSIZE)


class Archive:
    """A decrypted backup on disk."""

    def __init__(self, path: Path) -> None:
        try:
            self._tar = tarfile.open(path, "r:", encoding="utf-8", errors="surrogateescape")  # noqa: SIM115 - `close`
            self._members = self._tar.getmembers()
            self.manifest: dict[str, Any] = json.loads(self._content(self._tar.getmember(MANIFEST)))
        except (tarfile.TarError, KeyError, ValueError):
            raise Unsound("This file opens, but holds no backup of Trading Buddy.", "Name another file.") from None
        if self.manifest.get("form") != FORM:
            raise Unsound("A newer Trading Buddy wrote this backup.", "Restore it with that version, or a newer one.")

    def close(self) -> None:
        self._tar.close()

    def dump(self) -> Iterator[bytes]:
        for member in self._members:
            if member.name.startswith(DATABASE):
                yield self._content(member)

    def check_media(self) -> None:
        """Each file is there and is what was written down when it was read."""
        found = {name: sha256(content).hexdigest() for name, content in self._media()}
        if found != self.manifest["media"]:
            raise Unsound("The media in this backup are not those that were written down.", DAMAGED)

    def restore_media(self, folder: Path) -> int:
        """Write all files below `folder`; comes back with how many."""
        count = 0
        for name, content in self._media():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as out:
                out.write(content)
            count += 1
        return count

    def _media(self) -> Iterator[tuple[str, bytes]]:
        for member in self._members:
            if member.name.startswith(MEDIA):
                yield _inside(member.name.removeprefix(MEDIA)), self._content(member)

    def _content(self, member: tarfile.TarInfo) -> bytes:
        found = self._tar.extractfile(member)
        if found is None:
            raise Unsound(f"{member.name!r} in this backup is no file.", DAMAGED)
        return found.read()


def _member(name: str, content: bytes) -> Iterator[bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o600
    yield info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
    yield content
    yield bytes(-len(content) % tarfile.BLOCKSIZE)


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise Unsound(f"A file in this backup would lie outside the media folder: {name!r}.", "Do not trust it.")
    return name
