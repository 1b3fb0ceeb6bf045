"""A stand-in venue changes the rules of a market over HTTP: an order that does not fit makes us read them anew."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache

from buddy.exchanges import ccxt_client, ccxt_exchange, ccxt_markets
from buddy.exchanges.market_data import fetching
from buddy.exchanges.venues import market_name
from buddy.trading.models import Order, Trade
from tests.flow.at_a_venue import Place, place, stand_in

__all__ = ["place", "stand_in"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.parametrize("venue", ["binance", "bybit", "bingx"])]
D = Decimal
SOL = "SOL/USDT:USDT"
AS_IT_WAS = {"tick_size": "0.01", "lot_size": "0.1", "active": True}


@pytest.fixture
def waiting(api: Any, place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trade]:
    """Its entry rests below the price."""
    monkeypatch.setattr(ccxt_exchange, "MARKET_KEPT", 0.0)
    monkeypatch.setattr(ccxt_markets, "SHUT_KEPT", 0.0)
    place.symbol = SOL
    place.hand.change_instrument(SOL, **AS_IT_WAS)
    place.hand.set_price(SOL, "150", jump=True)
    ccxt_client.forget_markets()
    cache.delete(fetching.key(market_name(place.account.venue, testnet=False), "ticker", SOL))
    plan = {
        "symbol": SOL,
        "entries": [{"kind": "limit", "price": "149"}],
        "stop": {"price": "146.03"},
        "take_profits": [{"price": "153.07", "share": "1"}],
        "risk": {"money": "70"},
    }
    body = {"account": place.account.pk, "plan": plan}
    answer = api.post("/api/v1/trades", body, format="json", headers={"Idempotency-Key": uuid.uuid4().hex})
    assert answer.status_code == 201, str(answer.json())
    place.look()
    yield Trade.objects.get(pk=answer.json()["id"])
    place.hand.change_instrument(SOL, **AS_IT_WAS)
    ccxt_client.forget_markets()


def resting(trade: Trade, role: str) -> list[tuple[Decimal, Decimal | None]]:
    """Quantity, and trigger or price."""
    rows = Order.objects.filter(trade=trade, role=role, status="open", is_attached=False)
    return [(order.quantity, order.trigger or order.price) for order in rows]


def test_another_tick_and_lot_are_learnt_from_the_first_refusal(place: Place, waiting: Trade) -> None:
    place.hand.change_instrument(SOL, tick_size="0.1", lot_size="1")
    place.go("148.9")
    place.look(4)
    waiting.refresh_from_db()
    held = abs(place.books().held)
    whole = held // 1
    assert (waiting.status, resting(waiting, "stop")) == ("open", [(whole, D("146.1"))])
    assert waiting.naked_since is None


def test_what_is_not_traded_is_protected_when_it_is_again(place: Place, waiting: Trade) -> None:
    place.go("148.9")
    place.hand.change_instrument(SOL, active=False)
    place.look(5)
    tried = Order.objects.filter(trade=waiting, role="stop", is_attached=False).count()
    assert tried <= 2
    place.hand.change_instrument(SOL, active=True)
    place.look(3)
    waiting.refresh_from_db()
    assert waiting.status == "open"
    assert [quantity for quantity, _ in resting(waiting, "stop")] == [abs(place.books().held)]
