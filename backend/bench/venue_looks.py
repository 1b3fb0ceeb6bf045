"""What a look at a venue costs with five open trades: its calls are for everything at once, however many are held."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import requests

from emulator.handle import Hand

from .adapter import venue
from .figures import Figure
from .looks import product
from .streams import open_accounts

ACCOUNTS, TRADES, LAPS = 5, 5, 5
WIDE = 1e6
"""Tokens of a budget that no look waits for: what a look costs us is measured, not what the venue allows."""
MINUTE = 60.0
"""Opening so many trades at once has used up what the venue allows in one."""
MANY = 1000
GOAL = 10.0


def measure() -> Iterator[Figure]:
    with product() as user, venue() as demo:
        os.environ["EXCHANGE_TRANSPORT_BASE"] = demo.base
        hand = Hand(demo.base, "binance")
        prepare(demo.base)
        hand.hold_prices()
        open_accounts(user, hand, ACCOUNTS)
        accounts = trading()
        time.sleep(MINUTE)
        look_at(accounts)
        asked = requests_of(accounts[0])
        laps = [timed(accounts) for _ in range(LAPS)]
    cpu, wall = (statistics.median(each) for each in zip(*laps, strict=True))
    what = f"look at a venue, {TRADES} open trades"
    yield Figure(f"{what}: requests", asked, "")
    yield Figure(f"{what}: CPU", cpu * 1000, "ms")
    yield Figure(f"{what}: wall, one after the other", wall * 1000, "ms")
    yield Figure(
        f"{MANY:,} accounts at a venue × {TRADES}: CPU per round", cpu * MANY, "s", cpu * MANY / GOAL, "the goal"
    )


def prepare(base: str) -> None:
    """This process is a worker, and no budget runs out."""
    from django.conf import settings

    from buddy.exchanges.market_data.fetching import Place
    from buddy.exchanges.recipe import Rate
    from buddy.exchanges.venue_rows import RECIPES

    settings.EXCHANGE_TRANSPORT_BASE, Place.is_worker = base, True
    wide = Rate(WIDE, WIDE)
    recipes: Any = RECIPES
    recipes["binance"] = replace(RECIPES["binance"], per_address=wide, per_account=wide)


def trading() -> list[int]:
    """Accounts that hold five positions each, opened through the product."""
    from buddy.exchanges.connect import connect, source_for
    from buddy.exchanges.models import Account
    from buddy.trading import executor
    from buddy.trading.models import Trade

    Account.objects.update(max_open_trades=9, max_open_risk_percent=50)
    for account in Account.objects.all():
        account.credentials.update(can_trade=True, can_withdraw=False)
        for instrument in connect(account).instruments()[:TRADES]:  # type: ignore[attr-defined]
            price = source_for(account).quote(instrument.symbol).last
            stop, target = (instrument.round_price(price * Decimal(factor)) for factor in ("0.9", "1.3"))
            plan = {"symbol": instrument.symbol, "entries": [{"kind": "market"}], "stop": {"price": f"{stop:f}"}}
            plan |= {"take_profits": [{"price": f"{target:f}"}], "risk": {"percent": "0.5"}}
            executor.open_trade(account, plan)
    accounts = list(Account.objects.values_list("pk", flat=True))
    look_at(accounts)
    found = [(trade.status, trade.symbol) for trade in Trade.objects.exclude(status="open")]
    assert not found, found
    return accounts


def look_at(accounts: list[int]) -> None:
    from buddy.trading.watcher import look

    for account in accounts:
        assert not look(account).trouble


def requests_of(account: int) -> int:
    """How many a look sends."""
    sent: list[str] = []
    send = requests.Session.request

    def noted(session: requests.Session, method: str, url: str, **rest: Any) -> requests.Response:
        sent.append(url)
        return send(session, method, url, **rest)

    with patch.object(requests.Session, "request", noted):
        look_at([account])
    return len(sent)


def timed(accounts: list[int]) -> tuple[float, float]:
    """CPU and wall seconds per look."""
    cpu, wall = time.process_time(), time.perf_counter()
    look_at(accounts)
    return (time.process_time() - cpu) / len(accounts), (time.perf_counter() - wall) / len(accounts)
