"""What a process and whoever means to kill it share: how many points it has passed, and at which one it dies."""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path

LAYOUT = struct.Struct("<qq200s")


class Board:
    """Two numbers and a name in a file that both map, and a log of the points' names, which outlives a SIGKILL."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            path.write_bytes(bytes(LAYOUT.size))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), LAYOUT.size)
        self._log = os.open(path.with_suffix(".points"), os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)

    @property
    def passed(self) -> int:
        return self._read()[0]

    @property
    def is_armed(self) -> bool:
        return any(self._read()[1:])

    def arm(self, at: int | str) -> None:
        """Count from here; die at point `at`, counted from 1, or at the first of that name. 0: live."""
        os.ftruncate(self._log, 0)
        self._write(0, *((0, at) if isinstance(at, str) else (at, "")))

    def disarm(self) -> None:
        self._write(self.passed, 0)

    def points(self) -> list[str]:
        """The names of the points passed since it was armed, oldest first."""
        return self.path.with_suffix(".points").read_text().splitlines()

    def pass_point(self, name: str) -> bool:
        """In the process, one thread at a time: whether this is the point where it dies."""
        passed, target, wanted = self._read()
        os.write(self._log, f"{name}\n".encode())
        self._write(passed + 1, target, wanted)
        return passed + 1 == target or name == wanted

    def _read(self) -> tuple[int, int, str]:
        passed, target, wanted = LAYOUT.unpack(self._map[:])
        return passed, target, wanted.rstrip(b"\0").decode()

    def _write(self, passed: int, target: int, wanted: str = "") -> None:
        self._map[:] = LAYOUT.pack(passed, target, wanted.encode())
