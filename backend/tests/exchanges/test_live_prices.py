"""Live prices through the unmodified client against a stand-in venue: exact, shared, and never made up."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from decimal import Decimal
from subprocess import run
from typing import Any

import pytest
import time_machine
from celery.signals import worker_init
from django.core.cache import cache
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy.core.costs import Costs
from buddy.core.errors import CouldNotRead
from buddy.core.exchange import OrderIntent, OrderKind
from buddy.core.market import Candle, OrderSide
from buddy.core.simulator import SimulatedExchange
from buddy.core.watching import Watch
from buddy.exchanges import tasks
from buddy.exchanges.ccxt_public import public_market
from buddy.exchanges.connect import connect
from buddy.exchanges.market_data import fetching
from buddy.exchanges.market_data.live import LivePrices, rest_of
from buddy.exchanges.models import Account

from .market_of_steps import COIN, instrument
from .stand_in_venue import MINUTE, StandInVenue, running

D = Decimal

BTC = "BTC/USDT:USDT"
NOON = 1_795_262_400_000


@pytest.fixture
def venue(settings: Any, store: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInVenue]:
    """A stand-in venue, and this process a worker."""
    cache.clear()
    public_market.cache_clear()
    monkeypatch.setattr(fetching.Place, "is_worker", True)
    with running() as stand_in:
        settings.EXCHANGE_TRANSPORT_BASE = stand_in.base
        yield stand_in
    public_market.cache_clear()


def at(milliseconds: int) -> Any:
    return time_machine.travel(milliseconds / 1000, tick=False)


def test_instruments_come_with_exact_steps(venue):
    (told,) = LivePrices("binance").instruments()
    assert (told.symbol, told.tick_size, told.lot_size) == (BTC, D("0.1"), D("0.001"))
    assert (told.min_quantity, told.min_notional, told.contract_size) == (D("0.001"), D(100), D(1))
    assert told.max_leverage == 125


def test_the_client_believes_it_speaks_to_the_venue_itself(venue):
    LivePrices("binance").instruments()
    assert venue.asked == [("fapi.binance.com", "/fapi/v1/exchangeInfo")]


def test_a_price_is_the_venues_to_the_last_digit(venue):
    source = LivePrices("binance")
    venue.candle(NOON, "64000", "64900", "63900", "64800", "1")
    venue.go("64000.123456789012345678")
    assert source.quote(BTC).last == D("64000.123456789012345678")
    assert source.change(BTC) == D("1.25")


def test_many_askers_cost_one_question(venue):
    for _ in range(20):
        LivePrices("binance").quote(BTC)
    assert [path for _, path in venue.asked].count("/fapi/v1/ticker/24hr") == 1


def test_candles_are_those_of_the_venue(venue):
    for n in range(5):
        venue.candle(NOON + n * MINUTE, "100.1", "101.25", "99.5", "100.7", "12.5")
    with at(NOON + 4 * MINUTE + 30_000):
        found = LivePrices("binance").candles(BTC, "1m", None, None, 3)
    assert found.complete
    assert found.rows[-1] == Candle(NOON + 4 * MINUTE, D("100.1"), D("101.25"), D("99.5"), D("100.7"), D("12.5"))
    assert [row.time for row in found.rows] == [NOON + n * MINUTE for n in (2, 3, 4)]


def test_a_missing_candle_is_not_papered_over(venue):
    venue.candle(NOON, "1", "1", "1", "1", "1")
    with at(NOON + 2 * MINUTE):
        assert not LivePrices("binance").candles(BTC, "1m", None, None, 3).complete


@pytest.mark.parametrize("status", [500, 503])
def test_a_venue_that_is_down_is_said_to_be_unreachable(venue, status):
    venue.fails = status
    with pytest.raises(CouldNotRead, match="Binance cannot be reached"):
        LivePrices("binance").instruments()


def test_a_venue_that_limits_us_is_said_to(venue):
    venue.fails = 429
    with pytest.raises(CouldNotRead, match="Binance asks us to slow down"):
        LivePrices("binance").instruments()


def test_nobody_listening_is_unreachable(settings, store, monkeypatch):
    public_market.cache_clear()
    cache.clear()
    monkeypatch.setattr(fetching.Place, "is_worker", True)
    settings.EXCHANGE_TRANSPORT_BASE = "http://127.0.0.1:1"
    with pytest.raises(CouldNotRead, match="Binance cannot be reached"):
        LivePrices("binance").instruments()
    public_market.cache_clear()


def test_a_senseless_answer_is_no_price(venue):
    venue.told["/ticker/24hr"] = {"symbol": "BTCUSDT", "lastPrice": ""}
    with pytest.raises(CouldNotRead):
        LivePrices("binance").quote(BTC)


def test_after_a_failure_the_venue_is_left_alone_for_a_moment(venue):
    LivePrices("binance").instruments()
    venue.fails = 500
    for _ in range(10):
        with pytest.raises(CouldNotRead):
            LivePrices("binance").quote(BTC)
    assert len(venue.asked) == 2


def test_an_old_price_is_never_passed_off_as_a_new_one(venue):
    source = LivePrices("binance")
    with at(NOON):
        source.quote(BTC)
    venue.fails = 500
    with at(NOON + 60_000), pytest.raises(CouldNotRead):
        source.quote(BTC)


def test_the_web_process_reads_what_a_worker_fetched(venue, monkeypatch):
    monkeypatch.setattr(fetching.Place, "is_worker", False)
    asked: list[tuple[Any, ...]] = []

    def worker(*question: Any) -> None:
        asked.append(question)
        fetching.fetch(*question)

    monkeypatch.setattr(fetching, "_send", worker)
    assert LivePrices("binance").quote(BTC).last == D("64000.1")
    assert asked == [("binance", "instruments"), ("binance", "ticker", BTC)]


def test_without_a_worker_the_web_process_waits_a_moment_and_says_so(venue, monkeypatch):
    monkeypatch.setattr(fetching.Place, "is_worker", False)
    monkeypatch.setattr(fetching, "_send", lambda *_: None)
    monkeypatch.setattr(fetching, "WAIT", 0.1)
    with pytest.raises(CouldNotRead, match="Still waiting for the prices of Binance"):
        LivePrices("binance").quote(BTC)


def test_the_web_process_never_loads_the_exchange_library():
    program = "import django, sys; django.setup(); import buddy.urls; sys.exit('ccxt' in sys.modules)"
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": os.pathsep.join(sys.path)}
    assert run([sys.executable, "-c", program], env={**os.environ, **environment}, check=False).returncode == 0


# The path of the paper exchange


def test_of_a_running_minute_only_what_is_new_is_walked(venue):
    source = LivePrices("binance")
    venue.candle(NOON, "100", "105", "99", "103", "1")
    with at(NOON + 20_000):
        (first,) = source.path([BTC], NOON + 10_000, NOON + 20_000)
    assert (first.played, first.end) == (
        Candle(NOON + 10_000, *map(D, ("100", "105", "99", "103", "1"))),
        NOON + 20_000,
    )
    venue.candle(NOON, "100", "105", "98", "104", "3")
    with at(NOON + 40_000):
        (second,) = source.path([BTC], NOON + 20_000, NOON + 40_000, walked={BTC: first.whole})
    assert second.played[:5] == (NOON + 20_000, D(103), D(104), D(98), D(104))


def test_a_minute_in_which_nothing_happened_is_not_walked_again(venue):
    source = LivePrices("binance")
    venue.candle(NOON, "100", "105", "99", "103", "1")
    with at(NOON + 20_000):
        (step,) = source.path([BTC], NOON, NOON + 20_000)
        assert list(source.path([BTC], NOON + 20_000, NOON + 20_001, walked={BTC: step.whole})) == []


prices = st.decimals(90, 110, places=1)


@given(st.lists(prices, min_size=2, max_size=30), st.data())
@settings(max_examples=100, deadline=None)
def test_a_minute_walked_in_parts_reaches_every_price_and_no_other(ticks, data):
    walked, low, high = None, [], []
    count = 0
    while count < len(ticks):
        count = data.draw(st.integers(count + 1, len(ticks)))
        so_far = ticks[:count]
        candle = Candle(NOON, so_far[0], max(so_far), min(so_far), so_far[-1])
        part = candle if walked is None else rest_of(candle, walked)
        assert part.low <= min(part.open, part.close) <= max(part.open, part.close) <= part.high
        assert walked is None or part.open == walked.close
        low.append(part.low)
        high.append(part.high)
        walked = candle
    assert (min(low), max(high)) == (min(ticks), max(ticks))


def test_a_paper_account_on_live_prices_fills_from_every_minute_since_the_last_look(venue, alice):
    account = Account.objects.create(owner=alice, name="Live", price_source="live", slippage=D(0))
    venue.go("100")
    with at(NOON):
        exchange = connect(account)
        cursor = exchange.read([BTC], "").cursor
        exchange.set_up(BTC, D(5), "isolated")
        exchange.place(OrderIntent("e", BTC, OrderSide.BUY, OrderKind.MARKET, D(10)))
        exchange.place(
            OrderIntent("s", BTC, OrderSide.SELL, OrderKind.STOP_MARKET, D(10), trigger=D(97), reduce_only=True)
        )
        exchange.watch({BTC: Watch()})
    for n, low in enumerate(("99", "96.5", "98")):
        venue.candle(NOON + n * MINUTE, "100", "101", low, "100", "1")
    with at(NOON + 3 * MINUTE):
        reading = exchange.read([BTC], cursor)
    stopped = reading.fills[-1]
    assert (stopped.client_id, stopped.price, stopped.time) == ("s", D(97), NOON + MINUTE)


def bought_at(account: Account, moment: int) -> tuple[Any, str]:
    """A connection with ten coins bought at 100, and its cursor."""
    with at(moment):
        exchange = connect(account)
        cursor = exchange.read([BTC], "").cursor
        exchange.set_up(BTC, D(5), "isolated")
        exchange.place(OrderIntent("e", BTC, OrderSide.BUY, OrderKind.MARKET, D(10)))
        exchange.watch({BTC: Watch()})
    return exchange, cursor


EIGHT = NOON + 4 * 60 * MINUTE
"""16:00 UTC."""


def test_the_rate_told_shortly_before_its_time_is_the_one_paid(venue, alice):
    account = Account.objects.create(owner=alice, name="Live", price_source="live", slippage=D(0))
    venue.go("100")
    exchange, cursor = bought_at(account, EIGHT - 5 * MINUTE)
    for n in range(-5, 2):
        venue.candle(EIGHT + n * MINUTE, "100", "100", "100", "100", "1")
    venue.announce(EIGHT, "0.00012345")
    asked = len(venue.asked)
    with at(EIGHT - 3 * MINUTE):
        exchange.read([BTC], cursor)
    assert not any("Funding" in path or "premium" in path for _, path in venue.asked[asked:]), "it is too early"
    with at(EIGHT - MINUTE):
        assert not exchange.read([BTC], cursor).income
    venue.announce(EIGHT + 8 * 60 * MINUTE, "0.0009")
    with at(EIGHT + MINUTE):
        (paid,) = exchange.read([BTC], cursor).income
    assert (paid.amount, paid.time) == (D("-0.12345"), EIGHT)


def test_rates_that_were_slept_through_come_from_the_venues_history(venue, alice):
    account = Account.objects.create(owner=alice, name="Live", price_source="live", slippage=D(0))
    venue.go("100")
    exchange, cursor = bought_at(account, NOON + 1000)
    for hour in range(10):
        for n in range(60):
            venue.candle(NOON + (60 * hour + n) * MINUTE, "100", "100", "100", "100", "1")
    venue.settle({NOON - MINUTE: "0.5", NOON + 4 * 60 * MINUTE + 3: "0.0002", NOON + 8 * 60 * MINUTE: "-0.0003"})
    paid = []
    with at(NOON + 9 * 60 * MINUTE):
        while (reading := exchange.read([BTC], cursor)).behind:
            paid += [(row.time - NOON, row.amount) for row in reading.income]
            cursor = reading.cursor
            exchange.watch({BTC: Watch()})
    assert paid == [(4 * 60 * MINUTE, D("-0.2")), (8 * 60 * MINUTE, D("0.3"))]


def test_an_account_waits_for_the_rates_of_a_venue_that_cannot_be_reached(venue, alice):
    account = Account.objects.create(owner=alice, name="Live", price_source="live", slippage=D(0))
    venue.go("100")
    exchange, cursor = bought_at(account, EIGHT - 5 * MINUTE)
    wallet = exchange.balance().wallet
    venue.fails = 503
    with at(EIGHT + MINUTE), pytest.raises(CouldNotRead):
        exchange.read([BTC], cursor)
    assert exchange.balance().wallet == wallet


def limit_at_98(account: Account) -> tuple[Any, str]:
    """A connection with a resting order to buy at 98, and its cursor."""
    exchange = connect(account)
    cursor = exchange.read([BTC], "").cursor
    exchange.set_up(BTC, D(5), "isolated")
    exchange.place(OrderIntent("e", BTC, OrderSide.BUY, OrderKind.LIMIT, D(10), price=D(98)))
    exchange.watch({BTC: Watch()})
    return exchange, cursor


def test_what_traded_before_an_order_does_not_fill_it(venue, alice):
    account = Account.objects.create(owner=alice, name="Live", price_source="live")
    venue.go("100")
    venue.candle(NOON, "100", "101", "97", "100", "1")
    with at(NOON + 30_000):
        exchange, cursor = limit_at_98(account)
    venue.candle(NOON, "100", "102", "97", "101", "2")
    with at(NOON + 40_000):
        assert exchange.read([BTC], cursor).fills == []
    venue.candle(NOON, "100", "102", "96", "101", "2")
    with at(NOON + 50_000):
        assert [fill.price for fill in exchange.read([BTC], cursor).fills] == [D(98)]


def test_the_last_second_of_a_minute_is_not_lost(venue, alice):
    account = Account.objects.create(owner=alice, name="Live", price_source="live")
    venue.go("100")
    venue.candle(NOON, "100", "101", "99", "100", "1")
    with at(NOON + 59_000):
        exchange, cursor = limit_at_98(account)
    with at(NOON + 60_200):
        cursor = exchange.read([BTC], cursor).cursor
    venue.candle(NOON, "100", "101", "97.5", "99", "2")
    venue.candle(NOON + MINUTE, "99", "99.5", "98.5", "99", "1")
    with at(NOON + 63_000):
        reading = exchange.read([BTC], cursor)
    assert [fill.price for fill in reading.fills] == [D(98)]


def test_an_account_whose_venue_cannot_be_reached_waits_and_loses_nothing(venue, alice):
    account = Account.objects.create(owner=alice, name="Live", price_source="live", slippage=D(0))
    venue.go("100")
    with at(NOON):
        exchange, cursor = limit_at_98(account)
    venue.fails = 503
    with at(NOON + 2 * MINUTE), pytest.raises(CouldNotRead):
        exchange.read([BTC], cursor)
    venue.fails = None
    for n, low in enumerate(("99", "97.5", "98.5", "99")):
        venue.candle(NOON + n * MINUTE, "100", "101", low, "100", "1")
    with at(NOON + 4 * MINUTE):
        (fill,) = exchange.read([BTC], cursor).fills
    assert (fill.price, fill.time) == (D(98), NOON + MINUTE)


def test_parts_of_a_minute_fill_an_order_once():
    """The stand-in exchange walks the two parts as it would walk the whole."""
    exchange = SimulatedExchange({COIN: instrument(COIN)}, wallet=D(1000), costs=Costs())
    first = Candle(0, D(100), D(101), D(99), D(100))
    exchange.feed(COIN, first)
    exchange.run()
    exchange.place(OrderIntent("b", COIN, OrderSide.BUY, OrderKind.LIMIT, D(1), price=D("98.5")))
    exchange.feed(COIN, rest_of(Candle(0, D(100), D(101), D(98), D(100)), first))
    exchange.run()
    assert [entry.row.price for entry in exchange.log] == [D("98.5")]


def test_a_celery_worker_knows_that_it_is_one(monkeypatch):
    monkeypatch.setattr(fetching.Place, "is_worker", False)
    assert tasks.fetch.name == "buddy.exchanges.tasks.fetch"
    worker_init.send(sender="a worker that starts")
    assert fetching.Place.is_worker


def test_a_task_that_fails_leaves_the_trouble_for_its_asker(venue, monkeypatch):
    venue.fails = 503
    tasks.fetch("binance", "instruments")
    monkeypatch.setattr(fetching.Place, "is_worker", False)
    with pytest.raises(CouldNotRead, match="Binance cannot be reached"):
        LivePrices("binance").instruments()
