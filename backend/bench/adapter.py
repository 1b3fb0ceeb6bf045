"""What our adapter adds to the bare HTTP call of an order, and how long a worker needs until it works."""

from __future__ import annotations

import hashlib
import hmac
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from urllib.parse import urlencode

import requests

from emulator.handle import Hand
from scripts.bootstrap import BACKEND
from scripts.stores import free_port
from scripts.supervisor import Demo

from .figures import Figure
from .looks import SYMBOL, product
from .serving import timed

ORDERS = 200
"""The venue's limits are asked for each, as always, but wide enough that no order waits for them."""
STARTS = 3
OVERHEAD, COLD = 3.0, 3.0
"""Goals: milliseconds per order, and seconds."""


def measure() -> Iterator[Figure]:
    with product(), venue() as demo:
        yield from placed(demo)
        yield from started()


@contextmanager
def venue() -> Iterator[Demo]:
    """A stand-in Binance in a process of its own."""
    demo = Demo("binance", free_port())
    with subprocess.Popen([sys.executable, *demo.command], cwd=BACKEND, stdout=subprocess.DEVNULL) as process:  # noqa: S603  ours
        try:
            while not demo.answers():
                time.sleep(0.05)
            yield demo
        finally:
            process.terminate()


def placed(demo: Demo) -> Iterator[Figure]:
    from django.conf import settings

    from buddy.core.exchange import OrderIntent, OrderKind
    from buddy.core.market import OrderSide
    from buddy.exchanges import ccxt_connect
    from buddy.exchanges.ccxt_calls import Calls
    from buddy.exchanges.ccxt_exchange import CcxtExchange
    from buddy.exchanges.models import Keys

    settings.EXCHANGE_TRANSPORT_BASE = demo.base
    opened = ccxt_connect.open_exchange("binance", Keys(demo.key, demo.secret), testnet=True).calls
    address, account = (replace(each, rate=replace(each.rate, size=1e6)) for each in (opened.address, opened.account))
    exchange = CcxtExchange(Calls(opened.client, opened.limiter, address, account))
    session = requests.Session()
    instrument = exchange.instrument(SYMBOL)
    price = instrument.round_price(Decimal(Hand(demo.base, "binance").price(SYMBOL)["last"]) / 2)
    quantity = max(instrument.min_quantity, instrument.round_quantity(Decimal(200) / price))

    def ours() -> None:
        name = uuid.uuid4().hex[:26]
        exchange.place(OrderIntent(name, SYMBOL, OrderSide.BUY, OrderKind.LIMIT, quantity, price=price))

    def bare() -> None:
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        order |= {"quantity": str(quantity), "price": str(price), "newClientOrderId": uuid.uuid4().hex[:26]}
        query = urlencode(order | {"timestamp": str(int(time.time() * 1000)), "recvWindow": "5000"})
        signed = f"{query}&signature={hmac.new(demo.secret.encode(), query.encode(), hashlib.sha256).hexdigest()}"
        answer = session.post(f"{demo.base}/fapi/v1/order", signed, headers={"X-MBX-APIKEY": demo.key}, timeout=10)
        answer.raise_for_status(), answer.json()

    ours(), bare()
    pairs = [(timed(ours), timed(bare)) for _ in range(ORDERS)]
    p50, peer = (statistics.median(each) for each in zip(*pairs, strict=True))
    over = p50 - peer
    yield Figure("order through the adapter: p50", p50, "ms", p50 / peer, f"bare signed HTTP ({peer:.2g} ms)")
    goal = f"≤ {OVERHEAD:.0f} ms over bare HTTP"
    yield Figure("order: what the adapter adds, p50", over, "ms", over / OVERHEAD, "the goal", goal, over <= OVERHEAD)


def started() -> Iterator[Figure]:
    """A worker, from the command to the moment it takes tasks."""
    seconds = statistics.median(first_pulse() for _ in range(STARTS))
    yield Figure("worker ready, cold", seconds, "s", seconds / COLD, "the goal", f"≤ {COLD:.0f} s", seconds <= COLD)


def first_pulse() -> float:
    from django.core.cache import cache

    from buddy.health import WORKER_KEY

    cache.delete(WORKER_KEY)
    command = [sys.executable, "-m", "celery", "--app", "buddy", "worker", "--pool", "threads", "--concurrency", "4"]
    command += ["--queues", "watch", "--without-gossip", "--without-mingle", "--loglevel", "ERROR"]
    start = time.monotonic()
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=BACKEND, stdout=quiet, stderr=quiet) as worker:  # noqa: S603  ourselves
        while cache.get(WORKER_KEY) is None and worker.poll() is None:
            time.sleep(0.01)
        seconds = time.monotonic() - start
        worker.kill()
    return seconds
