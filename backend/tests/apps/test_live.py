"""The live feed on a real uvicorn and a real Valkey."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.test import Client
from django.utils import timezone

from buddy.events import live
from buddy.events.models import Event
from buddy.events.record import record
from scripts.stores import free_port

VIEWERS = 200
BACKEND = Path(settings.BACKEND)

Frame = dict[str, Any]


class Server:
    """uvicorn on the test's own database and store."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.log = folder / "web.log"
        words = {
            **os.environ,
            "DATABASE_URL": _database_url(),
            "REDIS_URL": settings.REDIS_URL,
            "PYTHONWARNINGS": "error",
        }
        words |= {"ENV_FILE": os.devnull, "DATA_DIR": str(folder), "LIVE_VIEWERS_PER_USER": str(VIEWERS)}
        words |= {"SECRET_KEY": settings.SECRET_KEY, "VAULT_KEY": settings.VAULT_KEY}
        words.pop("DJANGO_SETTINGS_MODULE", None)
        command = [
            sys.executable,
            "-m",
            "uvicorn",
            "buddy.asgi:application",
            "--port",
            str(self.port),
            "--no-access-log",
        ]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [*command, "--timeout-graceful-shutdown", "2"], cwd=BACKEND, env=words, stdout=out, stderr=out
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while b"startup complete" not in self.log.read_bytes():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def stop(self) -> float:
        """Seconds that it took to end on SIGTERM."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(15)
        return time.monotonic() - start


def _database_url() -> str:
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    return f"postgres://{found['USER']}@{found['HOST']}:{found['PORT']}/{found['NAME']}"


@pytest.fixture
def server(transactional_db: None, store: str, tmp_path: Path) -> Iterator[Server]:
    started = Server(tmp_path)
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.wait()


@pytest.fixture
def owner(transactional_db: None, django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("viewer@example.org")


def signed_in(user: Any) -> str:
    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


class Viewer:
    def __init__(self, reader: asyncio.StreamReader, status: int) -> None:
        self.reader, self.status = reader, status

    async def frame(self, name: str) -> Frame:
        """The next frame called `name`; others are passed over."""
        return (await self.frames_until(name))[-1]

    async def frames_until(self, name: str) -> list[Frame]:
        """All up to and with the next frame called `name`."""
        heard: list[Frame] = []
        while True:
            raw = (await asyncio.wait_for(self.reader.readuntil(b"\n\n"), 10)).decode()
            lines = [line for line in raw.splitlines() if ": " in line]
            found = dict(line.split(": ", 1) for line in lines)
            if "data" in found:
                heard.append({"id": int(found.get("id", 0)), **json.loads(found["data"])})
            if found.get("event") == name:
                return heard

    async def ended(self) -> bool:
        return not (await asyncio.wait_for(self.reader.read(), 10)).strip(b"0\r\n")


@asynccontextmanager
async def viewing(server: Server, *headers: str, query: str = "", method: str = "GET") -> AsyncIterator[Viewer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=2**20)
    lines = [f"{method} /api/v1/live?{query} HTTP/1.1", "Host: localhost", *headers, "", ""]
    writer.write("\r\n".join(lines).encode())
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).decode()
    try:
        yield Viewer(reader, int(head.split()[1]))
    finally:
        writer.close()


async def off_loop(call: Any, *args: Any, **kwargs: Any) -> Any:
    def short() -> Any:
        try:
            return call(*args, **kwargs)
        finally:
            connections.close_all()

    return await asyncio.to_thread(short)


def tell(user: Any, text: str = "Stop moved to 100.") -> int:
    return record(owner_id=user.pk, kind="stop_moved", text=text).pk


def test_two_hundred_viewers_hear_the_same_and_hold_no_database_connection(server: Server, owner: Any) -> None:
    cookie = signed_in(owner)

    async def everyone() -> list[Frame]:
        async with asyncio.TaskGroup() as group:
            heard = [group.create_task(listen(index)) for index in range(VIEWERS)]
            await asyncio.wait_for(ready.wait(), 60)
            assert await off_loop(server_connections) <= 4
            await off_loop(tell, owner)
        return [task.result() for task in heard]

    async def listen(index: int) -> Frame:
        async with viewing(server, f"Cookie: {cookie}") as viewer:
            await viewer.frame("hello")
            arrived.append(index)
            if len(arrived) == VIEWERS:
                ready.set()
            return await viewer.frame("event")

    ready, arrived = asyncio.Event(), list[int]()
    frames = asyncio.run(everyone())
    assert [frame["text"] for frame in frames] == ["Stop moved to 100."] * VIEWERS
    assert threads_of(server.process.pid) < 30


def server_connections() -> int:
    """Connections to this database, our own among them; SQLite has no server to exhaust."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def threads_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/status")
    return int(status.read_text().split("Threads:")[1].split()[0]) if status.exists() else 0


def test_a_viewer_that_comes_back_is_told_what_it_missed_once_and_in_order(server: Server, owner: Any) -> None:
    cookie = signed_in(owner)
    first, second, third = (tell(owner, text) for text in ("one", "two", "three"))

    async def come_back() -> list[Frame]:
        async with viewing(server, f"Cookie: {cookie}", f"Last-Event-ID: {first}") as viewer:
            missed = [await viewer.frame("event"), await viewer.frame("event")]
            await off_loop(tell, owner, "four")
            return [*missed, await viewer.frame("event")]

    frames = asyncio.run(come_back())
    assert [frame["text"] for frame in frames] == ["two", "three", "four"]
    assert [frame["id"] for frame in frames[:2]] == [second, third]


def test_an_event_that_commits_after_one_with_a_higher_number_is_not_missed(server: Server, owner: Any) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    cookie = signed_in(owner)
    written, go_on = threading.Event(), [threading.Event(), threading.Event()]

    def slow(text: str, leave: threading.Event) -> int:
        with transaction.atomic():
            number = tell(owner, text)
            written.set()
            assert leave.wait(20)
        return number

    async def begun(text: str, leave: threading.Event) -> asyncio.Task[int]:
        written.clear()
        task = asyncio.create_task(off_loop(slow, text, leave))
        await asyncio.to_thread(written.wait, 20)
        return task

    async def come_back() -> None:
        before = await off_loop(tell, owner, "before")
        while_away = await begun("while away", go_on[0])
        while_here = await begun("while here", go_on[1])
        async with viewing(server, f"Cookie: {cookie}") as viewer:
            hello = await viewer.frame("hello")
            assert (hello["id"], hello["recent"]) == (before, [before])
            last = await off_loop(tell, owner, "quick")
            assert (await viewer.frame("event"))["id"] == last
            go_on[1].set()
            late = await viewer.frame("event")
            assert (late["id"], late["text"]) == (await while_here, "while here")
        go_on[0].set()
        missed = await while_away
        assert missed < late["id"] < last
        async with viewing(server, f"Cookie: {cookie}", f"Last-Event-ID: {last}") as viewer:
            numbers = [(await viewer.frame("event"))["id"] for _ in range(3)]
            assert numbers == [before, missed, late["id"]]
            await off_loop(tell, owner, "at last")
            assert (await viewer.frame("event"))["text"] == "at last"

    asyncio.run(come_back())


def test_a_page_is_not_told_what_happened_long_before_the_last_it_heard(server: Server, owner: Any) -> None:
    cookie = signed_in(owner)
    old, heard = tell(owner, "old"), tell(owner, "heard")
    Event.objects.filter(pk=old).update(created_at=timezone.now() - timedelta(minutes=2))
    new = tell(owner, "new")

    async def come_back() -> int:
        async with viewing(server, f"Cookie: {cookie}", f"Last-Event-ID: {heard}") as viewer:
            return int((await viewer.frame("event"))["id"])

    assert asyncio.run(come_back()) == new


def test_hello_carries_the_last_number_so_that_a_silent_page_can_resume(server: Server, owner: Any) -> None:
    cookie, last = signed_in(owner), tell(owner)

    async def hello() -> Frame:
        async with viewing(server, f"Cookie: {cookie}") as viewer:
            return await viewer.frame("hello")

    assert asyncio.run(hello())["id"] == last


def test_nobody_hears_somebody_else(server: Server, owner: Any, django_user_model: Any) -> None:
    other = django_user_model.objects.create_user("other@example.org")
    cookie = signed_in(owner)

    async def listen() -> Frame:
        async with viewing(server, f"Cookie: {cookie}") as viewer:
            await viewer.frame("hello")
            await off_loop(tell, other, "theirs")
            await off_loop(tell, owner, "mine")
            return await viewer.frame("event")

    assert asyncio.run(listen())["text"] == "mine"


def test_prices_reach_the_viewer_of_the_account_and_nobody_elses(server: Server, owner: Any, make_account: Any) -> None:
    account, cookie = make_account(owner), signed_in(owner)

    async def listen() -> Frame:
        async with viewing(server, f"Cookie: {cookie}", query=f"account={account.pk}&symbols=BTC/USDT:USDT") as viewer:
            await viewer.frame("hello")
            assert await off_loop(live.watched, account.pk) == {"BTC/USDT:USDT"}
            await off_loop(live.publish_price, account.pk + 1, "BTC/USDT:USDT", "1", 1)
            await off_loop(live.publish_price, account.pk, "BTC/USDT:USDT", "64000.1", 2)
            return await viewer.frame("price")

    frame = asyncio.run(listen())
    assert (frame["account"], frame["last"], frame["time"]) == (account.pk, "64000.1", 2)


def test_who_names_somebody_elses_account_or_events_hears_and_moves_nothing_of_theirs(
    server: Server, owner: Any, make_account: Any, django_user_model: Any
) -> None:
    """By the account asked for, by the number to go on from, and by what is published to both."""
    other = django_user_model.objects.create_user("other@example.org")
    theirs, cookie, before = make_account(other), signed_in(owner), tell(other, "theirs, before")
    query = f"account={theirs.pk}&symbols=BTC/USDT:USDT&last_event_id={before - 1}"

    async def listen() -> list[Frame]:
        async with viewing(server, f"Cookie: {cookie}", query=query) as viewer:
            hello = await viewer.frame("hello")
            watched = await off_loop(live.watched, theirs.pk)
            await off_loop(live.publish_price, theirs.pk, "BTC/USDT:USDT", "1", 1)
            await off_loop(tell, other, "theirs, now")
            await off_loop(tell, owner, "mine")
            return [hello, {"watched": watched}, *await viewer.frames_until("event")]

    hello, watched, *heard = asyncio.run(listen())
    assert (hello["recent"], watched["watched"]) == ([], set())
    assert [frame.get("text") for frame in heard] == ["mine"]


@pytest.fixture
def make_account() -> Any:
    from buddy.exchanges.models import Account

    return lambda user: Account.objects.create(owner=user, name="Practice")


REQUESTS = [
    (["Cookie: sessionid=made-up"], "", "GET", 401),
    ([], "", "GET", 401),
    (["Cookie: {mine}", "Origin: https://evil.example"], "", "GET", 403),
    (["Cookie: {mine}", "Sec-Fetch-Site: cross-site"], "", "GET", 403),
    (["Cookie: {mine}"], "account=x", "GET", 400),
    (["Cookie: {mine}"], "symbols=" + ",".join(map(str, range(30))), "GET", 400),
    (["Cookie: {mine}"], "", "POST", 405),
    (["Cookie: {mine}", "Origin: http://localhost"], "", "GET", 200),
]


def test_only_our_own_signed_in_page_may_listen(server: Server, owner: Any) -> None:
    mine = signed_in(owner)

    async def ask(headers: list[str], query: str, method: str) -> int:
        lines = [line.format(mine=mine) for line in headers]
        async with viewing(server, *lines, query=query, method=method) as viewer:
            return viewer.status

    for headers, query, method, status in REQUESTS:
        assert asyncio.run(ask(headers, query, method)) == status, (headers, query, method)


def test_the_server_ends_within_five_seconds_although_pages_listen(server: Server, owner: Any) -> None:
    cookie = signed_in(owner)

    async def listen_to_the_end() -> float:
        async with viewing(server, f"Cookie: {cookie}") as one, viewing(server, f"Cookie: {cookie}") as two:
            await one.frame("hello")
            await two.frame("hello")
            return float(await off_loop(server.stop))

    assert asyncio.run(listen_to_the_end()) < 5
