"""The paper exchange: never past an event, the same however often one looks, one writer at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buddy.core.errors import CouldNotRead, ExchangeError, Rejected
from buddy.core.exchange import OrderIntent, OrderKind, OrderRef, OrderStatus
from buddy.core.market import OrderSide, Side
from buddy.core.simulated_market import FundingRate
from buddy.core.watching import Watch
from buddy.exchanges import paper_book
from buddy.exchanges.models import Account, PaperBook
from buddy.exchanges.paper import PaperExchange, balance_of

from .market_of_steps import COIN, OTHER, GivenPrices

D = Decimal

BUY, SELL = OrderSide.BUY, OrderSide.SELL


@pytest.fixture
def account(alice: Any) -> Account:
    return Account.objects.create(owner=alice, name="Paper", opening_balance=D(10_000), slippage=D(0))


def intent(client_id: str, side: OrderSide, kind: OrderKind, quantity: Any = 1, **more: Any) -> OrderIntent:
    symbol = more.pop("symbol", COIN)
    values = {key: D(str(value)) if key in ("price", "trigger") else value for key, value in more.items()}
    return OrderIntent(client_id, symbol, side, kind, D(str(quantity)), **values)


def bought(account: Account, source: GivenPrices) -> tuple[PaperExchange, str]:
    """An exchange with one coin bought at the first price, and its cursor."""
    exchange = PaperExchange(account, source)
    exchange.read([COIN], "")
    exchange.place(intent("entry", BUY, OrderKind.MARKET))
    cursor = exchange.read([COIN], "").cursor
    exchange.watch({COIN: Watch()})
    return exchange, cursor


def test_it_stops_at_the_first_execution_and_says_it_is_behind(account):
    source = GivenPrices(COIN=[100, 101, 102, 103, 104])
    exchange, cursor = bought(account, source)
    exchange.place(intent("target", SELL, OrderKind.LIMIT, "0.5", price=102, reduce_only=True))
    exchange.watch({COIN: Watch()})
    source.forward(4)
    reading = exchange.read([COIN], cursor)
    assert [fill.time for fill in reading.fills] == [source.start + 2000]
    assert (reading.quotes[COIN].last, reading.time, reading.behind) == (D(102), source.start + 2000, True)


def test_it_stands_still_until_the_manager_has_reacted(account):
    source = GivenPrices(COIN=[100, 101, 102, 103, 104])
    exchange, cursor = bought(account, source)
    exchange.place(intent("target", SELL, OrderKind.LIMIT, "0.5", price=102, reduce_only=True))
    exchange.watch({COIN: Watch()})
    source.forward(4)
    readings = [PaperExchange(account, source).read([COIN], cursor) for _ in range(3)]
    assert {reading.quotes[COIN].last for reading in readings} == {D(102)}
    exchange.place(intent("stop", SELL, OrderKind.STOP_MARKET, "0.5", trigger="101.5", reduce_only=True))
    exchange.watch({COIN: Watch()})
    last = exchange.read([COIN], readings[-1].cursor)
    assert (last.quotes[COIN].last, last.behind) == (D(104), False)


def test_a_fill_at_placing_is_protected_before_the_market_goes_on(account):
    source = GivenPrices(COIN=[100, 90])
    exchange = PaperExchange(account, source)
    cursor = exchange.read([COIN], "").cursor
    exchange.place(intent("entry", BUY, OrderKind.MARKET))
    source.forward(1)
    reading = exchange.read([COIN], cursor)
    assert (reading.quotes[COIN].last, reading.behind) == (D(100), True)
    stop = exchange.place(intent("stop", SELL, OrderKind.STOP_MARKET, trigger=98, reduce_only=True))
    exchange.watch({COIN: Watch()})
    assert stop.status is OrderStatus.OPEN
    assert exchange.read([COIN], reading.cursor).fills[0].price == 98


def test_it_stops_at_a_watched_price_and_time(account):
    source = GivenPrices(COIN=[100, 101, 102, 103, 104, 105])
    exchange, cursor = bought(account, source)
    exchange.watch({COIN: Watch(levels=frozenset({D(102)}), times=frozenset({source.start + 4000}))})
    source.forward(5)
    stops = []
    while (reading := exchange.read([COIN], cursor)).behind:
        stops.append(reading.time - source.start)
        exchange.watch({COIN: Watch(times=frozenset({source.start + 4000} if len(stops) == 1 else ()))})
    assert stops == [2000, 4000]


def test_a_new_best_price_is_a_reason_to_stop(account):
    source = GivenPrices(COIN=[100, 99, 101, 103])
    exchange, cursor = bought(account, source)
    exchange.watch({COIN: Watch(follow=frozenset({(Side.LONG, D(100))}))})
    source.forward(3)
    assert exchange.read([COIN], cursor).quotes[COIN].last == 101


def test_two_symbols_wait_for_each_other(account):
    source = GivenPrices(COIN=[100, 100, 100, 100], OTHER=[50, 51, 52, 53])
    exchange, cursor = bought(account, source)
    exchange.read([COIN, OTHER], cursor)
    exchange.place(intent("other", BUY, OrderKind.MARKET, symbol=OTHER))
    exchange.watch({OTHER: Watch(levels=frozenset({D(51)}))})
    source.forward(3)
    assert exchange.read([COIN, OTHER], cursor).behind
    exchange.watch({COIN: Watch()})
    assert exchange.read([COIN, OTHER], cursor).quotes[OTHER].last == 51, "OTHER has not reacted yet"
    exchange.watch({OTHER: Watch()})
    assert exchange.read([COIN, OTHER], cursor).quotes[OTHER].last == 53


def test_a_symbol_that_nobody_reads_any_more_holds_nobody_up(account):
    source = GivenPrices(COIN=[100, 101], OTHER=[50, 51])
    exchange, cursor = bought(account, source)
    exchange.place(intent("other", BUY, OrderKind.MARKET, symbol=OTHER))
    source.forward(1)
    assert exchange.read([COIN], cursor).quotes[COIN].last == 101


def test_funding_is_paid_at_its_time_on_what_is_held_at_the_price_of_then(account):
    source = GivenPrices(COIN=[100, 101, 102, 50, 51])
    source.rates = {3: "0.001"}
    exchange, cursor = bought(account, source)
    wallet = exchange.balance().wallet
    source.forward(4)
    reading = exchange.read([COIN], cursor)
    (paid,) = reading.income
    assert (paid.amount, paid.time, paid.symbol, paid.kind) == (D("-0.102"), source.start + 3000, COIN, "funding")
    assert (reading.quotes[COIN].last, reading.behind) == (D(102), True), "the manager reacts before the price goes on"
    again = PaperExchange(account, source).read([COIN], cursor)
    assert again.income == reading.income, "until it was acknowledged"
    exchange.watch({COIN: Watch()})
    last = exchange.read([COIN], reading.cursor)
    assert (list(last.income), last.quotes[COIN].last) == ([], D(51))
    assert exchange.balance().wallet == wallet - D("0.102")


def test_a_short_receives_what_a_long_pays(account):
    source = GivenPrices(COIN=[100, 100])
    source.rates = {1: "0.001"}
    exchange = PaperExchange(account, source)
    cursor = exchange.read([COIN], "").cursor
    exchange.place(intent("entry", SELL, OrderKind.MARKET, 2))
    exchange.watch({COIN: Watch()})
    source.forward(1)
    assert [row.amount for row in exchange.read([COIN], cursor).income] == [D("0.2")]


def test_funding_concerns_only_those_who_hold_at_its_time(account):
    source = GivenPrices(COIN=[100] * 20)
    source.rates = {2: "0.01", 6: "0.01", 9: "0.01", 13: "0.01"}
    exchange = PaperExchange(account, source)
    cursor = exchange.read([COIN], "").cursor
    source.forward(4)
    exchange.read([COIN], cursor)
    exchange.place(intent("entry", BUY, OrderKind.MARKET))
    exchange.place(intent("exit", SELL, OrderKind.MARKET, reduce_only=True))
    exchange.watch({COIN: Watch()})
    source.forward(4)
    exchange.read([COIN], cursor)
    exchange.place(intent("again", BUY, OrderKind.MARKET))
    exchange.watch({COIN: Watch()})
    source.forward(8)
    times = []
    while (reading := exchange.read([COIN], cursor)).behind:
        times += [row.time - source.start for row in reading.income]
        cursor = reading.cursor
        exchange.watch({COIN: Watch()})
    assert times == [9000, 13000]


def test_a_rate_told_ahead_is_paid_though_nobody_tells_it_any_more(account):
    source = GivenPrices(COIN=[100] * 9)
    exchange, cursor = bought(account, source)
    source.funding = lambda symbol, after, until: [FundingRate(source.start + 3000, D("0.001"))]
    source.forward(1)
    exchange.read([COIN], cursor)
    source.funding = lambda symbol, after, until: []
    source.forward(5)
    assert [row.time for row in PaperExchange(account, source).read([COIN], cursor).income] == [source.start + 3000]


def test_without_work_the_clock_jumps_and_no_range_is_reported(account):
    source = GivenPrices(COIN=[100, *[1] * 1000, 100])
    exchange = PaperExchange(account, source)
    cursor = exchange.read([COIN], "").cursor
    source.forward(1001)
    reading = exchange.read([COIN], cursor)
    assert (reading.quotes[COIN].last, reading.ranges, reading.behind) == (D(100), {}, False)


def test_a_source_that_cannot_be_reached_changes_nothing(account):
    source = GivenPrices(COIN=[100, 101, 102])
    exchange, cursor = bought(account, source)
    before = PaperBook.objects.values().get()
    source.forward(2)
    source.reachable = False
    with pytest.raises(CouldNotRead):
        exchange.read([COIN], cursor)
    assert PaperBook.objects.values().get() == before
    source.reachable = True
    assert exchange.read([COIN], cursor).quotes[COIN].last == 102


def test_the_books_survive_a_new_process(account):
    source = GivenPrices(COIN=[100, 101])
    exchange, _ = bought(account, source)
    exchange.place(intent("stop", SELL, OrderKind.STOP_MARKET, trigger=98, reduce_only=True))
    exchange.watch({COIN: Watch(levels=frozenset({D("100.7")}))})
    first, second = exchange._now(), PaperExchange(account, source)._now()
    assert first.document() == second.document()
    assert second.exchange.markets[COIN].watch == Watch(levels=frozenset({D("100.7")}))
    assert balance_of(account) == exchange.balance()


def test_of_two_writers_on_the_same_books_one_is_told_to_come_again(account):
    source = GivenPrices(COIN=[100])
    bought(account, source)
    mine, other = paper_book.load(account), paper_book.load(account)
    assert paper_book.store(account, mine, clock=False)
    assert not paper_book.store(account, other, clock=False)


def test_first_books_are_opened_once(account):
    mine, other = paper_book.load(account), paper_book.load(account)
    assert paper_book.store(account, mine, clock=False)
    assert not paper_book.store(account, other, clock=False)


@pytest.mark.django_db(transaction=True)
def test_the_same_client_id_from_many_threads_places_one_order(alice):
    account = Account.objects.create(owner=alice, name="Paper", opening_balance=D(10_000))
    source = GivenPrices(COIN=[100])
    PaperExchange(account, source).read([COIN], "")

    def send(_: int) -> str:
        try:
            return PaperExchange(account, source).place(intent("one", BUY, OrderKind.LIMIT, price=90)).exchange_id
        except Rejected as refused:
            return str(refused.code)
        except ExchangeError:
            return "busy"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(24)))
    assert len([answer for answer in answers if answer not in ("duplicate", "busy")]) == 1
    assert len(PaperExchange(account, source).read([COIN], "").orders) == 1


@pytest.mark.django_db(transaction=True)
def test_different_orders_from_many_threads_are_all_kept_or_refused_whole(alice):
    account = Account.objects.create(owner=alice, name="Paper", opening_balance=D(100_000))
    source = GivenPrices(COIN=[100])
    PaperExchange(account, source).read([COIN], "")

    def send(number: int) -> int:
        try:
            PaperExchange(account, source).place(intent(f"n{number}", BUY, OrderKind.LIMIT, price=90))
        except ExchangeError:
            return 0
        finally:
            connections.close_all()
        return 1

    with ThreadPoolExecutor(6) as pool:
        placed = sum(pool.map(send, range(18)))
    assert len(PaperExchange(account, source).read([COIN], "").orders) == placed > 0


walks = st.lists(st.integers(-6, 6), min_size=5, max_size=40)


@given(walks, st.lists(st.integers(1, 7), min_size=1, max_size=40), st.booleans())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_fills_and_funding_do_not_depend_on_how_often_one_looks(account, moves, pauses, restarts):
    prices = [D(100)]
    for move in moves:
        prices.append(max(D(50), prices[-1] + D(move) / 2))
    seldom = _played(account, prices, [len(prices)], restarts=False)
    assert _played(account, prices, pauses, restarts=restarts) == seldom


def _played(account: Account, prices: list[D], pauses: list[int], *, restarts: bool) -> list[Any]:
    """Entry, two targets and a stop that follows the first of them, looked after at each event."""
    PaperBook.objects.all().delete()
    source = GivenPrices(COIN=prices)
    source.rates = dict.fromkeys(range(3, len(prices), 7), "0.001")
    exchange, cursor = bought(account, source)
    exchange.place(intent("stop", SELL, OrderKind.STOP_MARKET, trigger=97, reduce_only=True))
    exchange.place(intent("one", SELL, OrderKind.LIMIT, "0.5", price=102, reduce_only=True))
    exchange.place(intent("two", SELL, OrderKind.LIMIT, "0.5", price=105, reduce_only=True))
    exchange.watch({COIN: Watch(levels=frozenset({D(103)}))})
    fills: list[Any] = []
    for pause in [*pauses, len(prices)]:
        source.forward(min(pause, len(prices) - 1 - (source.clock - source.start) // 1000))
        behind = True
        while behind:
            if restarts:
                exchange = PaperExchange(account, source)
            reading = exchange.read([COIN], cursor)
            cursor, behind = reading.cursor, reading.behind
            fills += [(fill.client_id, fill.price, fill.quantity, fill.fee, fill.time) for fill in reading.fills]
            fills += [(row.kind, row.amount, row.time) for row in reading.income]
            if reading.positions and any(fill.client_id == "one" for fill in reading.fills):
                exchange.cancel(OrderRef(COIN, "stop"))
                exchange.place(intent("even", SELL, OrderKind.STOP_MARKET, "0.5", trigger=100, reduce_only=True))
            if reading.positions and reading.quotes[COIN].last >= 103 and not exchange.find(OrderRef(COIN, "late")):
                exchange.place(intent("late", SELL, OrderKind.LIMIT, "0.1", price=104, reduce_only=True))
            exchange.watch({COIN: Watch(levels=frozenset({D(103)}))})
    return fills


def test_the_books_are_written_whole_whatever_was_known_of_closed_orders(account):
    exchange = PaperExchange(account, GivenPrices(COIN=[100, 101, 102]))
    for number in range(6):
        if number % 2:
            exchange.place(intent(f"order-{number}", BUY, OrderKind.MARKET))
        else:
            exchange.place(intent(f"order-{number}", BUY, OrderKind.LIMIT, price=90 - number))
            exchange.cancel(OrderRef(COIN, f"order-{number}"))
        kept = PaperBook.objects.get(account=account).state
        again = paper_book.load(account)
        again.closed = {}
        assert kept["exchange"] == again.exchange.to_state()
        assert kept == paper_book.load(account).document() == again.document()
        assert [order["intent"]["client_id"] for order in kept["exchange"]["closed"]] == [
            f"order-{n}" for n in range(number + 1)
        ]


def test_an_account_on_which_nothing_works_is_at_its_market_at_once(account):
    source = GivenPrices(COIN=[100, 101])
    reading = PaperExchange(account, source).read([], "")
    assert (reading.time, reading.behind) == (source.now(), False)
