"""Processes that fork off a zygote, from the side of whoever kills them."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .board import Board


class Process:
    """One that may die at any moment. Its pid is never mistaken for another's."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._fd: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._fd = None

    def is_dead(self, within: float = 0) -> bool:
        """Waits up to `within` seconds for its end."""
        if self._fd is None:
            return True
        waiting = select.poll()
        waiting.register(self._fd, select.POLLIN)
        if not waiting.poll(within * 1000):
            return False
        os.close(self._fd)
        self._fd = None
        return True

    @property
    def is_frozen(self) -> bool:
        """By SIGSTOP."""
        with contextlib.suppress(OSError):
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
        return False

    def signal(self, number: signal.Signals) -> None:
        if self._fd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._fd, number)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.is_dead(within=10)


class Zygote:
    """`fork` gives a process of the product within milliseconds. `folder` keeps their boards and logs."""

    def __init__(self, folder: Path, words: Mapping[str, str]) -> None:
        self.folder = folder
        with (folder / "zygote.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "killing.zygote"],
                env={**os.environ, **words},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        if self._hear() != "ready":
            raise RuntimeError((folder / "zygote.log").read_text()[-3000:])

    def board(self, name: str) -> Board:
        return Board(self.folder / f"{name}.board")

    def fork(self, role: str, name: str = "", **more: Any) -> Process:
        """`name`: whose board and log it has, where there are several of a role."""
        name = name or role
        board, log = self.board(name).path, self.folder / f"{name}.log"
        order = {"role": role, "board": str(board), "log": str(log), **more}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return Process(int(self._hear()))

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def _hear(self) -> str:
        assert self._process.stdout is not None
        return str(self._process.stdout.readline()).strip()
