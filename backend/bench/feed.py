"""The live feed with a thousand viewers on Postgres: what they cost, and how long a price is under way to them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator

import redis

from scripts.stores import Postgres

from .figures import Figure, percentile
from .serving import Visitor, resident_kb, stack

VIEWERS, BROADCASTS = 1000, 20
LIMIT_KB = 17
"""What a viewer of a bare ASGI stream was measured to cost, kB."""


def measure() -> Iterator[Figure]:
    postgres = Postgres()
    postgres.start()
    try:
        with stack(DATABASE_URL=postgres.url, LIVE_VIEWERS_PER_USER=str(VIEWERS)) as ours:
            visitor = Visitor(ours.port)
            visitor.sign_up()
            account = visitor.call("POST", "/api/v1/accounts/practice")["id"]
            store = redis.Redis.from_url(ours.words["REDIS_URL"])
            web = ours.pid("web")
            asyncio.run(watched(ours.port, visitor, account, store, 20))  # what grows once is not a viewer's
            before = resident_kb(web)
            found = asyncio.run(watched(ours.port, visitor, account, store, VIEWERS, lambda: resident_kb(web)))
            yield from told(found, before, connections(postgres))
    finally:
        postgres.stop()


def told(found: tuple[list[float], int, int], before: int, held: int) -> Iterator[Figure]:
    delays, heard, during = found
    each = (during - before) / VIEWERS
    yield Figure(
        "feed: kB per viewer", each, "kB", each / LIMIT_KB, "a bare ASGI stream (17 kB)", "≤ 17 kB", each <= 17
    )
    late = percentile(delays, 0.99)
    yield Figure(
        "feed: delivery p99", late, "ms", late / 146, "a bare ASGI stream (146 ms at most)", "≤ 700 ms", late <= 700
    )
    whole = heard / (VIEWERS * BROADCASTS)
    yield Figure("feed: prices that arrived", whole * 100, "%", goal="100 %", met=whole == 1)
    yield Figure("feed: database connections", held, "", goal="≤ 8 for web, worker and beat together", met=held <= 8)


def connections(postgres: Postgres) -> int:
    import psycopg

    with psycopg.connect(postgres.url) as asking:
        row = asking.execute("select count(*) from pg_stat_activity where backend_type = 'client backend'").fetchone()
    return int(row[0]) - 1 if row else 0


async def watched(
    port: int, visitor: Visitor, account: int, store: redis.Redis, viewers: int, at_peak: Callable[[], int] = int
) -> tuple[list[float], int, int]:
    """Open the streams, broadcast, close: delays in milliseconds, how many arrived, and what `at_peak` said."""
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    delays: list[float] = []
    streams = []
    for start in range(0, viewers, 50):
        streams += await asyncio.gather(*(opened(port, cookie, account) for _ in range(min(50, viewers - start))))
    readers = [asyncio.create_task(listen(reader, delays)) for reader, _ in streams]
    rounds = BROADCASTS if viewers == VIEWERS else 2
    for _ in range(rounds):
        price = {"account": account, "symbol": "BENCH", "last": repr(time.time()), "time": 0}
        store.publish(f"price:{account}", json.dumps({"name": "price", "data": price, "id": None}))
        await asyncio.sleep(0.5)
    peak = at_peak()
    for reader in readers:
        reader.cancel()
    for _, writer in streams:
        writer.close()
    return delays, len(delays), peak


async def opened(port: int, cookie: str, account: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    path = f"/api/v1/live?account={account}&symbols=BENCH"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: {cookie}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise RuntimeError(head.decode()[:300])
    return reader, writer


async def listen(reader: asyncio.StreamReader, delays: list[float]) -> None:
    mark = b'"last":'
    async for line in reader:
        if (at := line.find(mark)) >= 0:
            sent = float(line[at + len(mark) :].strip(b' "').split(b'"')[0])
            delays.append((time.time() - sent) * 1000)
