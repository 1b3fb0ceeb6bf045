"""A trade whose symbol is traded no more ends by the trader's word; on paper, too, the account's others go on."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from buddy.core.exchange import Quote
from buddy.core.market import Instrument
from buddy.events.models import Event
from buddy.exchanges.connect import balance_of
from buddy.exchanges.market_data.source import Step, UnknownSymbol
from buddy.exchanges.models import Account
from buddy.trading import unwatched
from buddy.trading.models import Fill, Order, Trade
from buddy.trading.watcher import look
from tests.exchanges.market_of_steps import COIN, OTHER, GivenPrices

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
SENTENCE = f"I end {COIN} by my word"


class Delisting(GivenPrices):
    """`gone`: traded no more."""

    gone: str = ""

    def instrument(self, symbol: str) -> Instrument:
        self._listed(symbol)
        return super().instrument(symbol)

    def quote(self, symbol: str, at: int | None = None) -> Quote:
        self._listed(symbol)
        return super().quote(symbol, at)

    def path(self, symbols: Sequence[str], after: int, until: int, **more: Any) -> Iterator[Step]:
        for symbol in symbols:
            self._listed(symbol)
        return super().path(symbols, after, until, **more)

    def _listed(self, symbol: str) -> None:
        if symbol == self.gone:
            raise UnknownSymbol(symbol, self.label)


@pytest.fixture
def prices(monkeypatch: pytest.MonkeyPatch) -> Delisting:
    made = Delisting(COIN=[100] * 3, OTHER=[50, 50, 45])
    users = [f"trading.{name}" for name in ("executor", "cases", "story", "ticker")]
    for module in (*users, "exchanges.connect"):  # where it is defined last: they would import it changed
        monkeypatch.setattr(f"buddy.{module}.source_for", lambda account: made)
    monkeypatch.setattr(unwatched, "TOLD_AFTER", timedelta(0))
    return made


@pytest.fixture
def account(alice: Any, prices: Delisting) -> Account:
    return Account.objects.create(owner=alice, name="On paper", price_source="live", is_main=True)


def opened(api: Any, account: Account, symbol: str, stop: str, **changes: Any) -> Trade:
    plan = {"symbol": symbol, "entries": [{"kind": "market"}], "stop": {"price": stop}, "risk": {"quantity": "1"}}
    body = {"account": account.pk, "plan": plan | changes}
    answer = api.post("/api/v1/trades", body, format="json", headers={"Idempotency-Key": uuid.uuid4().hex})
    assert answer.status_code == 201, answer.json()
    return Trade.objects.get(pk=answer.json()["id"])


def delist(account: Account, prices: Delisting, symbol: str = COIN) -> None:
    prices.gone = symbol
    prices.forward(1)
    for _ in range(2):
        assert not look(account.pk).trouble
    Trade.objects.filter(symbol=symbol).update(unwatched_since=timezone.now() - timedelta(minutes=2))


def end(api: Any, trade: Trade, price: str | None, sentence: str = SENTENCE, key: str = "") -> Any:
    body = {"price": price, "sentence": sentence}
    headers = {"Idempotency-Key": key or uuid.uuid4().hex}
    return api.post(f"/api/v1/trades/{trade.pk}/end-by-word", body, format="json", headers=headers)


def test_on_paper_a_symbol_that_is_gone_blinds_no_other(api: Any, account: Account, prices: Delisting) -> None:
    gone, other = opened(api, account, COIN, "95"), opened(api, account, OTHER, "46")
    delist(account, prices)
    prices.forward(1)
    look(account.pk)
    states = {trade.symbol: trade.status for trade in Trade.objects.all()}
    assert states == {COIN: "open", OTHER: "closed"}
    assert other.pk != gone.pk
    assert api.get(f"/api/v1/trades/{gone.pk}").json()["protected"]["state"] == "unwatched"
    assert Event.objects.filter(trade_id=gone.pk, kind="unwatched").count() == 1


def test_it_ends_at_the_price_the_trader_names_and_says_whose_word_that_is(
    api: Any, account: Account, prices: Delisting
) -> None:
    trade = opened(api, account, COIN, "95")
    delist(account, prices)
    answer = end(api, trade, "110")
    assert answer.status_code == 200, answer.json()
    told = answer.json()
    assert (told["status"], told["exit_reason"], told["protected"]) == ("closed", "by_word", None)
    trade.refresh_from_db()
    last = Fill.objects.filter(trade=trade).latest("id")
    assert (last.price, last.quantity, last.raw) == (D(110), D(1), {"by_word": True})
    assert trade.net == trade.gross - trade.fees
    assert not Order.objects.filter(trade=trade, status__in=["open", "intended", "unknown", "partial"]).exists()
    event = Event.objects.get(trade_id=trade.pk, kind="trade_closed")
    assert "as you say; no exchange has told it" in event.text
    assert (event.data["by_word"], event.data["price"]) == (True, "110")
    assert balance_of(account).equity == account.opening_balance + trade.net


def test_a_result_that_nobody_knows_counts_in_no_figure(api: Any, account: Account, prices: Delisting) -> None:
    trade = opened(api, account, COIN, "95")
    delist(account, prices)
    told = end(api, trade, None).json()
    assert (told["status"], told["exit_reason"], told["net"], told["gross"], told["r"]) == (
        "closed", "by_word", None, None, None,
    )  # fmt: skip
    assert "its result is unknown" in Event.objects.get(trade_id=trade.pk, kind="trade_closed").text
    listed = api.get("/api/v1/journal?status=closed").json()["results"]
    assert [row["trade"]["net"] for row in listed] == [None]
    assert api.get("/api/v1/stats/summary").json()["trades"] == 0
    look(account.pk)
    assert balance_of(account).free == balance_of(account).equity


def test_an_entry_that_still_waits_is_over_without_a_result(api: Any, account: Account, prices: Delisting) -> None:
    trade = opened(api, account, COIN, "80", entries=[{"price": "90"}])
    delist(account, prices)
    told = end(api, trade, None).json()
    assert (told["status"], told["withdrawal"], told["net"]) == ("cancelled", "manual", None)


def test_the_same_word_twice_ends_it_once(api: Any, account: Account, prices: Delisting) -> None:
    trade = opened(api, account, COIN, "95")
    delist(account, prices)
    answers = [end(api, trade, "110", key="once") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert Fill.objects.filter(trade=trade).count() == 2
    assert end(api, trade, "120", key="another").status_code == 409


@pytest.mark.parametrize(
    ("price", "sentence", "field"),
    [
        ("110", "yes", "sentence"),
        ("0", f"I end {COIN} by my word", "price"),
        ("x", f"I end {COIN} by my word", "price"),
    ],
)
def test_only_the_whole_sentence_and_a_price_will_do(
    api: Any, account: Account, prices: Delisting, price: str, sentence: str, field: str
) -> None:
    trade = opened(api, account, COIN, "95")
    delist(account, prices)
    answer = end(api, trade, price, sentence)
    assert answer.status_code in (400, 422)
    assert list(answer.json()["errors"]) == [field]
    trade.refresh_from_db()
    assert trade.status == "open"


def test_what_is_watched_is_closed_not_talked_over(api: Any, account: Account, prices: Delisting) -> None:
    trade = opened(api, account, COIN, "95")
    assert end(api, trade, "110").status_code == 409
    prices.gone = COIN
    prices.forward(1)
    look(account.pk)
    assert end(api, trade, "110").json()["detail"].startswith(f"{COIN} has just stopped")
    trade.refresh_from_db()
    assert trade.status == "open"
