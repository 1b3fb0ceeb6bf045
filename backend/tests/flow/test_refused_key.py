"""A key that is revoked while a position is open, at a stand-in Binance through the real client."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from buddy.core.errors import Denied
from buddy.events.models import Event
from buddy.exchanges import ccxt_client, probing, venue_exchange
from buddy.exchanges.ccxt_public import public_market
from buddy.exchanges.market_data import fetching
from buddy.exchanges.models import Account, Credentials, Keys
from buddy.trading import unmanaged
from buddy.trading.executor import open_trade
from buddy.trading.models import Order, Trade
from buddy.trading.watcher import look
from emulator.handle import Hand, running

BTC = "BTC/USDT:USDT"
KEYS = Keys("canary-key-0001", "canary-secret-0001")
PLAN = {
    "symbol": BTC,
    "entries": [{"kind": "market"}],
    "stop": {"price": "62720"},
    "take_profits": [{"price": "66500"}],
    "risk": {"percent": "1"},
    "leverage": 5,
}


@pytest.fixture
def binance(settings: Any, store: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hand]:
    with running() as venues:
        settings.EXCHANGE_TRANSPORT_BASE = venues.base
        monkeypatch.setattr(fetching.Place, "is_worker", True)
        forget()
        venues.binance.open_account(KEYS.api_key, KEYS.secret, wallet="5000")
        venues.binance.set_price(BTC, "64000")
        yield venues.binance
    forget()


def forget() -> None:
    cache.clear()
    ccxt_client.forget_markets()
    venue_exchange.forget()
    public_market.cache_clear()


@pytest.fixture
def account(alice: Any) -> Account:
    made = Account.objects.create(owner=alice, name="Demo", mode="testnet", price_source="live", margin_mode="cross")
    row = Credentials(account=made, in_use=True)
    row.keep(KEYS)
    row.save()
    return made


def told(kind: str) -> list[Event]:
    return list(Event.objects.filter(kind=kind).order_by("pk"))


def resting() -> list[tuple[str, str]]:
    return sorted(Order.objects.filter(status="open").values_list("role", "client_id"))


def test_everything_stays_as_it_was_read_until_the_key_is_accepted_again(account: Account, binance: Hand) -> None:
    trade = open_trade(account, PLAN)
    assert (trade.status, trade.margin_mode) == ("open", "cross")
    before = (resting(), trade.status)
    binance.change_key(KEYS.api_key, active=False)
    assert look(account.pk).trouble.startswith("Binance")
    (notice,) = told("key_refused")
    assert "long 0." in notice.text
    assert "stop resting at 62720" in notice.text
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        unmanaged.warn_all()
    assert len(told("key_refused")) == 2
    trade.refresh_from_db()
    assert (resting(), trade.status) == before
    with pytest.raises(Denied, match="does not accept the key"):
        open_trade(account, PLAN)
    binance.change_key(KEYS.api_key, active=True)
    assert not look(account.pk).trouble
    assert Credentials.objects.get().refused_at is None
    assert (resting(), Trade.objects.get(pk=trade.pk).status) == before


def test_a_key_that_may_suddenly_withdraw_stops_entries_and_nothing_else(account: Account, binance: Hand) -> None:
    trade = open_trade(account, PLAN)
    Account.objects.update(mode="live")  # practice money tells nothing of its keys
    venue_exchange.forget()
    binance.change_key(KEYS.api_key, can_withdraw=True)
    probing.probe(Credentials.objects.get().pk)
    account.refresh_from_db()
    assert account.state == "halted"
    assert len(told("key_can_withdraw")) == 1
    assert not look(account.pk).trouble
    assert {role for role, _ in resting()} == {"stop", "take_profit"}
    assert Trade.objects.get(pk=trade.pk).status == "open"
