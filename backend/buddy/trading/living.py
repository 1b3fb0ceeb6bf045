"""Whether a process of this machine is dead, proven by the kernel: while it lives it holds a lock on a byte of a file.

A frozen process keeps its lock for as long as it stands still. Whatever cannot be proven counts as alive: a process of
another machine, of an earlier boot, or of a desk whose data lie elsewhere.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from threading import Lock

from django.conf import settings

log = logging.getLogger(__name__)

FILE = "living"
"""In DATA_DIR, which the processes of a machine share. It stays empty: its bytes are only locked."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
UNPROVABLE = "unprovable"
_LOCK = Struct("hhqqixxxx")
"""Type, whence, start, length and process of a lock, as Linux lays them out on 64 bits."""
_NAME = re.compile(r"([0-9a-f]{8})\.([0-9a-f]{12})")


@dataclass(frozen=True, slots=True)
class _Self:
    """`file` stays open: with it the lock would go."""

    file: int
    place: str
    byte: int

    @property
    def name(self) -> str:
        return f"{self.place}.{self.byte:012x}"


_ONCE = Lock()
_self: _Self | None = None
_tried = False


def name() -> str:
    """Of this process, for `is_dead`: UNPROVABLE where its death could not be proven to others."""
    mine = _mine()
    return mine.name if mine else UNPROVABLE


def is_dead(of: str) -> bool:
    """Whether the process that had this name is certain to run no more."""
    mine, named = _mine(), _NAME.fullmatch(of)
    if mine is None or named is None or of == mine.name or named[1] != mine.place:
        return False
    try:
        found = fcntl.fcntl(mine.file, fcntl.F_OFD_GETLK, _lock(int(named[2], 16)))
    except OSError:
        return False
    return bool(_LOCK.unpack(found)[0] == fcntl.F_UNLCK)


def _mine() -> _Self | None:
    global _self, _tried
    with _ONCE:
        if not _tried:
            _self, _tried = _begin(), True
        return _self


def _begin() -> _Self | None:
    try:
        file = os.open(settings.DATA_DIR / FILE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        mine = _Self(file, _place(file), int.from_bytes(os.urandom(6)))
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, _lock(mine.byte))
    except (OSError, AttributeError) as trouble:  # not every system has such locks
        log.warning("if this process dies, its leases have to run out before another goes on: %s", trouble)
        return None
    return mine


def _lock(byte: int) -> bytes:
    """One that belongs to the open file and not to the process: nobody lets it go by opening the file once more."""
    return _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)


def _place(file: int) -> str:
    """This very file, on this machine since it was started: a copy of it, or a twin of the machine, is another."""
    found = os.fstat(file)
    words = f"{BOOT_ID.read_text().strip()} {found.st_dev} {found.st_ino}"
    return hashlib.sha256(words.encode()).hexdigest()[:8]


def _after_fork() -> None:
    """The lock is the parent's alone, and goes when the last process lets go of the open file."""
    global _ONCE, _self, _tried
    if _self is not None:
        with contextlib.suppress(OSError):
            os.close(_self.file)
    _ONCE, _self, _tried = Lock(), None, False


os.register_at_fork(after_in_child=_after_fork)
