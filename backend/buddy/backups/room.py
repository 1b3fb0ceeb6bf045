"""A private room on this machine's disk for what must lie there in the open for a while. One at a time."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .refusals import Refused

LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """An empty folder inside `folder`, gone at the end; what a killed run has left there goes first."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (folder / LOCK).open("w")
    except OSError as error:
        raise Refused(
            f"{folder} cannot be used: {error.strerror}.", "Set BACKUP_WORK_DIR to a folder of ours."
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused("Another backup, proof or restore is running.", "Run this again when it has ended.") from None
        for left in folder.glob("room-*"):
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(prefix="room-", dir=folder) as inner:
            yield Path(inner)
