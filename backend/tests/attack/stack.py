"""All of the desk's processes over a real Postgres, beside a stand-in venue, and ears at everything they say."""

from __future__ import annotations

import json
import os
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis

from emulator.handle import Hand
from scripts.stores import Postgres, free_port
from scripts.supervisor import Stack
from tests.faults.browserless import Desk

from .breaking import flag

BTC = "BTC/USDT:USDT"


class Heard:
    """Every command that the store is given while the desk runs: tasks with their arguments, too."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.said: list[str] = []
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self) -> None:
        with redis.Redis.from_url(self.address).monitor() as monitor:
            for command in monitor.listen():
                self.said.append(str(command["command"]))
                if self.ending.is_set():
                    return

    def stop(self) -> None:
        self.ending.set()
        redis.Redis.from_url(self.address).ping()
        self.thread.join(10)


class Whole:
    """The running desk."""

    def __init__(self, stack: Stack, postgres: Postgres) -> None:
        self.stack, self.postgres = stack, postgres
        assert stack.demo
        self.hand = Hand(stack.demo.base, "binance")

    def rows(self) -> dict[str, str]:
        """Every table of the database, whole, as text."""
        with psycopg.connect(self.postgres.url) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            return {
                name: str(connection.execute(f'SELECT t::text FROM "{name}" t').fetchall())  # type: ignore[arg-type]
                for (name,) in tables
            }

    def count(self, query: str) -> int:
        with psycopg.connect(self.postgres.url) as connection:
            return int(connection.execute(query).fetchone()[0])  # type: ignore[index,arg-type]

    def log(self, part: str) -> str:
        return (self.stack.logs / f"{part}.log").read_text(errors="replace")

    @contextmanager
    def broken(self) -> Iterator[None]:
        """Its processes have defects that tell secrets (`breaking`)."""
        flag(self.stack.data).touch()
        yield
        flag(self.stack.data).unlink()

    def in_store(self) -> str:
        """Every key of the store with its value, as the store itself writes it down."""
        store = redis.Redis.from_url(self.stack.words["REDIS_URL"])
        return str([(key, store.dump(key)) for key in store.scan_iter()])

    def written(self) -> dict[str, str]:
        """Every file that the processes have written, but the secrets' own folder: logs and the store's among them."""
        files = [path for path in self.stack.data.rglob("*") if path.is_file() and "secrets" not in path.parts]
        return {str(path.relative_to(self.stack.data)): path.read_bytes().decode("latin-1") for path in files}


@contextmanager
def whole_desk(data: Path) -> Iterator[Whole]:
    postgres = Postgres()
    try:
        postgres.start()
        words = {"ENV_FILE": os.devnull, "API_RATE": "100000/min", "LOG_LEVEL": "DEBUG"}
        stack = Stack(data, free_port(), words=words, demo="binance")
        stack.words |= {"DATABASE_URL": postgres.url, "DJANGO_SETTINGS_MODULE": "tests.attack.breaking_settings"}
        stack.start()
        try:
            stack.wait_until_healthy(120)
            yield Whole(stack, postgres)
        finally:
            stack.stop()
    finally:
        postgres.stop()


class Trader(Desk):
    """A browser that tells what it was answered, whatever that is."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.answers: list[str] = []

    def ask(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        headers = {"Content-Type": "application/json", "X-CSRFToken": self.cookie("csrftoken")}
        headers["Idempotency-Key"] = key or uuid.uuid4().hex
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=sent, headers=headers, method=method)
        try:
            with self.opener.open(request, timeout=60) as answer:
                status, told, heads = answer.status, answer.read().decode(), str(answer.headers)
        except urllib.error.HTTPError as refused:
            status, told, heads = refused.code, refused.read().decode(), str(refused.headers)
        self.answers.append(told + without_cookies(heads))
        return status, json.loads(told) if "json" in heads else told

    def cookie(self, name: str) -> str:
        return next((cookie.value or "" for cookie in self.jar if name in cookie.name), "")

    def sign_up_as(self, email: str, password: str) -> None:
        self.ask("GET", "/_allauth/browser/v1/config")
        status, told = self.ask("POST", "/_allauth/browser/v1/auth/signup", {"email": email, "password": password})
        assert status == 200, told


def without_cookies(headers: str) -> str:
    """A cookie is told to its own browser."""
    return "\n".join(line for line in headers.splitlines() if not line.lower().startswith("set-cookie"))


def around(price: str, **changes: Any) -> dict[str, Any]:
    """A long at a limit far below the price, small enough that many of them would fit."""
    entry, stop, target = (str(int(float(price)) * percent // 100) for percent in (90, 85, 95))
    plan = {
        "symbol": BTC,
        "entries": [{"kind": "limit", "price": entry}],
        "stop": {"price": stop},
        "take_profits": [{"price": target}],
        "risk": {"percent": "0.5"},
    }
    return plan | changes
