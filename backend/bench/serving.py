"""A stack of its own to measure, somebody signed in, and what a process has used."""

from __future__ import annotations

import http.client
import json
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from scripts.stores import free_port
from scripts.supervisor import Stack

TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def stack(demo: str = "", **words: str) -> Iterator[Stack]:
    """The whole product on a free port and a folder that is thrown away; `demo`: with a stand-in of that venue."""
    with tempfile.TemporaryDirectory(prefix="buddy-bench-", ignore_cleanup_errors=True) as folder:
        limits = {"ENV_FILE": os.devnull, "API_RATE": "1000000/min", "LOG_LEVEL": "ERROR"}
        found = Stack(Path(folder), free_port(), words={**limits, **words}, demo=demo)
        found.say = lambda text: print(text, file=sys.stderr)  # our own output is figures alone
        found.start()
        try:
            found.wait_until_healthy()
            yield found
        finally:
            found.stop()


class Visitor:
    """A browser's half of a conversation: one connection, cookies, the CSRF header."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.cookies: dict[str, str] = {}

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON; raises on anything but success."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if method != "GET":
            headers |= {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
            headers["X-CSRFToken"] = self.cookies.get("csrftoken", "")
        answer = self._exchange(method, path, None if body is None else json.dumps(body), headers)
        text = answer.read()
        for header in answer.headers.get_all("Set-Cookie") or ():
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(header).items()}
        if answer.status >= 400 and path != "/_allauth/browser/v1/auth/session":
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text) if text else None

    def _exchange(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> http.client.HTTPResponse:
        """Once more on a fresh connection where the server has let the old one go."""
        try:
            self.connection.request(method, path, body, headers)
            return self.connection.getresponse()
        except (BrokenPipeError, http.client.RemoteDisconnected, ConnectionResetError):
            self.connection.close()
            self.connection.request(method, path, body, headers)
            return self.connection.getresponse()

    def sign_up(self) -> None:
        self.call("GET", "/_allauth/browser/v1/auth/session")
        self.call("GET", "/_allauth/browser/v1/config")
        word = uuid.uuid4().hex
        self.call(
            "POST",
            "/_allauth/browser/v1/auth/signup",
            {"email": f"{word}@example.org", "password": "correct horse battery staple"},
        )


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_kb(pid: int) -> int:
    """Memory in use, in kB."""
    return next(int(row.split()[1]) for row in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmRSS" in row)


def timed(work: Any) -> float:
    """Wall milliseconds of one call."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000
