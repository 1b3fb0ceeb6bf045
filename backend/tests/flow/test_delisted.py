"""A symbol that its venue does not trade any more: its own trade waits, loudly; the account's others go on."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from buddy.events.models import Event
from buddy.exchanges import ccxt_client, ccxt_delisted
from buddy.exchanges.market_data import fetching
from buddy.exchanges.venues import market_name
from buddy.trading import unwatched
from buddy.trading.models import Fill, Order, Trade
from tests.flow.at_a_venue import Place, place, stand_in

__all__ = ["place", "stand_in"]

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
ETH, SOL = "ETH/USDT:USDT", "SOL/USDT:USDT"


@pytest.fixture(autouse=True)
def _asked_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ccxt_delisted, "LEFT_OUT", 0.0)
    monkeypatch.setattr(unwatched, "TOLD_AFTER", timedelta(0))


@pytest.fixture
def two(api: Any, place: Place) -> Iterator[tuple[Trade, Trade]]:
    """Both hold something, break-even after the first target, and their stops rest."""
    yield opened(api, place, ETH, 3400), opened(api, place, SOL, 150)
    for symbol in (ETH, SOL):
        place.hand.list_again(symbol)
    ccxt_client.forget_markets()


def opened(api: Any, place: Place, symbol: str, price: int) -> Trade:
    place.hand.set_price(symbol, str(price), jump=True)
    market = market_name(place.account.venue, testnet=False)
    cache.delete(fetching.key(market, "ticker", symbol))  # else a price of just now would do
    plan = {
        "symbol": symbol,
        "entries": [{"kind": "market"}],
        "stop": {"price": str(D(price) * D("0.98"))},
        "take_profits": [{"price": str(D(price) * D(x)), "share": "0.5"} for x in ("1.02", "1.04")],
        "risk": {"money": "50"},
        "rules": {"break_even": {"after": {"take_profit": 1}, "cover": "costs"}},
    }
    body = {"account": place.account.pk, "plan": plan}
    answer = api.post("/api/v1/trades", body, format="json", headers={"Idempotency-Key": uuid.uuid4().hex})
    assert answer.status_code == 201, str(answer.json())
    place.look(2)
    return Trade.objects.get(pk=answer.json()["id"])


def stop_of(trade: Trade) -> Order:
    return Order.objects.filter(trade=trade, role="stop", status="open").latest("pk")


def told(trade: Trade) -> list[str]:
    kinds = Event.objects.filter(trade_id=trade.pk, kind__in=("unwatched", "watched_again"))
    return list(kinds.order_by("pk").values_list("kind", flat=True))


@pytest.mark.parametrize(("venue", "patience"), [("binance", 60.0), ("binance", 0.0), ("bybit", 0.0), ("bingx", 60.0)])
def test_the_others_go_on_and_the_trader_is_told_once(
    api: Any, place: Place, two: tuple[Trade, Trade], monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    """Without patience the markets are read anew; where no code says that a symbol is gone, only they can tell."""
    monkeypatch.setattr(ccxt_delisted, "PATIENCE", patience)
    gone, other = two
    first, left_alone = stop_of(other), stop_of(gone)
    place.hand.delist(ETH)
    place.hand.set_price(SOL, "153.5")
    place.look(3)
    place.account.refresh_from_db()
    assert place.account.trouble == ""
    assert stop_of(other).pk != first.pk
    assert (told(gone), told(other)) == (["unwatched"], [])
    event = Event.objects.get(kind="unwatched")
    assert "NOBODY WATCHES this trade. When last read: long" in event.text
    assert f"stop resting at {left_alone.trigger.normalize():f}" in event.text
    badge = api.get(f"/api/v1/trades/{gone.pk}").json()["protected"]
    assert (badge["state"], bool(badge["since"])) == ("unwatched", True)
    assert stop_of(gone).pk == left_alone.pk


@pytest.mark.parametrize("venue", ["binance", "bingx"])
def test_what_executed_meanwhile_is_booked_once_the_symbol_is_back(
    api: Any, place: Place, two: tuple[Trade, Trade]
) -> None:
    """The venue was mistaken for a moment."""
    gone, other = two
    place.hand.delist(ETH)
    place.look(2)
    place.hand.set_price(ETH, "3300")
    place.look(2)
    place.hand.list_again(ETH)
    place.look(3)
    gone.refresh_from_db()
    assert (gone.status, gone.exit_reason, gone.unwatched_since) == ("closed", "stop_loss", None)
    assert told(gone) == ["unwatched", "watched_again"]
    assert place.books().wallet - 10_000 == gone.net - sum((fill.fee for fill in other.fills.all()), D(0))


@pytest.mark.parametrize("venue", ["binance"])
def test_ended_by_word_it_gives_way_to_what_the_venue_tells_after_all(
    api: Any, place: Place, two: tuple[Trade, Trade]
) -> None:
    gone, other = two
    place.hand.delist(ETH)
    place.look(2)
    Trade.objects.filter(pk=gone.pk).update(unwatched_since=timezone.now() - timedelta(minutes=2))
    body = {"price": "3390", "sentence": f"I end {ETH} by my word"}
    answer = api.post(
        f"/api/v1/trades/{gone.pk}/end-by-word", body, format="json", headers={"Idempotency-Key": uuid.uuid4().hex}
    )
    assert (answer.status_code, answer.json()["exit_reason"]) == (200, "by_word")
    place.look(2)
    other.refresh_from_db()
    assert (other.status, other.unwatched_since) == ("open", None)
    place.hand.set_price(ETH, "3300")  # there the stop has executed all the same
    place.hand.list_again(ETH)
    opened(api, place, ETH, 3300)
    place.look(2)
    gone.refresh_from_db()
    assert (gone.status, gone.exit_reason) == ("closed", "external")
    assert gone.average_exit < 3390
    assert not Fill.objects.filter(trade=gone, fill_id__startswith="word-").exists()
    assert gone.net == gone.gross - gone.fees
