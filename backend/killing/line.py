"""The network between workers and venues: whole, cut, or swallowing every answer."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from enum import Enum
from threading import Lock, Thread

AT_ONCE = 65_536


class State(Enum):
    WHOLE = "whole"
    CUT = "cut"
    """Connections break, and none is made."""
    DEAF = "deaf"
    """What is asked arrives; before an answer comes back the connection breaks."""


class Line:
    """A relay on loopback. Connections that stand when its state changes break."""

    def __init__(self, to_port: int) -> None:
        self.to = ("127.0.0.1", to_port)
        self.state = State.WHOLE
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        _in_thread(self._accept)

    def turn(self, state: State) -> None:
        self.state = state
        with self._lock:
            standing = list(self._open)
        for each in standing:
            self._close(each)

    def close(self) -> None:
        self._listening.close()
        self.turn(State.CUT)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                if self.state is State.CUT:
                    near.close()
                else:
                    self._connect(near)

    def _connect(self, near: socket.socket) -> None:
        far = socket.create_connection(self.to)
        with self._lock:
            self._open |= {near, far}
        _in_thread(lambda: self._carry(near, far, answers=False))
        _in_thread(lambda: self._carry(far, near, answers=True))

    def _carry(self, source: socket.socket, target: socket.socket, *, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while told := source.recv(AT_ONCE):
                if answers and self.state is State.DEAF:
                    break
                target.sendall(told)
        self._close(source)
        self._close(target)

    def _close(self, each: socket.socket) -> None:
        with self._lock:
            self._open.discard(each)
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


def _in_thread(work: Callable[[], None]) -> None:
    Thread(target=work, daemon=True).start()
