"""What may go wrong on the way to a venue, and that each of it is told for what it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from buddy.core.errors import CouldNotRead, KeyRefused, OutcomeUnknown, Rejected, Temporary
from buddy.core.exchange import (
    Beside,
    CancelOutcome,
    OrderIntent,
    OrderKind,
    OrderRef,
    OrderState,
    OrderStatus,
    Refusal,
)
from buddy.core.market import OrderSide
from buddy.exchanges import ccxt_calls
from emulator.handle import StandIn

from .venues_over_http import SYMBOL, Desk, desk_at, ref

BUY, SELL = OrderSide.BUY, OrderSide.SELL
MARKET, LIMIT, STOP = OrderKind.MARKET, OrderKind.LIMIT, OrderKind.STOP_MARKET
ORDERS = {
    "binance": "/fapi/v1/order",
    "binance-spot": "/api/v3/order",
    "bybit": "/v5/order/create",
    "bingx": "/openApi/swap/v2/trade/order",
}
VENUES = tuple(ORDERS)


@pytest.fixture(params=VENUES)
def desk(request: pytest.FixtureRequest, store: str, venues: StandIn) -> Iterator[Desk]:
    found = desk_at(venues, request.param)
    found.exchange.api.timeout = 400
    yield found
    found.hand.clear_faults()


def placing(desk: Desk, **fault: object) -> dict[str, object]:
    return {"method": "POST", "path": ORDERS[desk.exchange.client.venue], "key": desk.key, **fault}


CARRIED_OUT = {
    "drop_after": {},
    "status_after": {"status": 503},
    "slow_after": {"seconds": 1},
    "garbage": {},
    "truncated": {},
}


@pytest.mark.parametrize("kind", CARRIED_OUT)
def test_an_order_whose_answer_is_lost_is_in_doubt_and_found_by_its_id(desk, kind):
    wanted = desk.intent(BUY, LIMIT, price=90)
    desk.hand.fault(kind, **placing(desk), **CARRIED_OUT[kind])
    with pytest.raises(OutcomeUnknown):
        desk.exchange.place(wanted)
    found = desk.exchange.find(wanted.ref)
    assert (found.client_id, found.status, found.price) == (wanted.client_id, OrderStatus.OPEN, wanted.price)
    assert len(desk.orders()) == 1


@pytest.fixture
def pair(store: str, venues: StandIn) -> Iterator[tuple[Desk, OrderIntent]]:
    """A desk that owns coins, and a stop for them with a limit order beside it."""
    desk = desk_at(venues, "binance-spot")
    desk.hand.deposit(desk.key, "SOL", "1")
    desk.exchange.api.timeout = 400
    stop = desk.intent(SELL, STOP, trigger=90)
    yield desk, replace(stop, beside=Beside(f"{stop.client_id[:-1]}b", Decimal(110)))
    desk.hand.clear_faults()


PAIRS = {"method": "POST", "path": "/api/v3/orderList/oco"}


def halves(desk: Desk, wanted: OrderIntent) -> list[OrderState | None]:
    refs = (wanted.ref, OrderRef(wanted.symbol, wanted.beside.client_id))
    return [desk.exchange.find(ref) for ref in refs]


@pytest.mark.parametrize("kind", CARRIED_OUT)
def test_a_pair_whose_answer_is_lost_is_in_doubt_and_each_half_is_found_by_its_id(pair, kind):
    desk, wanted = pair
    desk.hand.fault(kind, **PAIRS, **CARRIED_OUT[kind])
    with pytest.raises(OutcomeUnknown):
        desk.exchange.place(wanted)
    assert [half.status for half in halves(desk, wanted)] == [OrderStatus.OPEN, OrderStatus.OPEN]
    assert len(desk.orders()) == 2


@pytest.mark.parametrize("kind", ["drop_before", "status_before"])
def test_a_pair_that_did_not_arrive_is_in_doubt_and_neither_half_is_found(pair, kind):
    desk, wanted = pair
    desk.hand.fault(kind, **PAIRS)
    with pytest.raises(OutcomeUnknown):
        desk.exchange.place(wanted)
    assert halves(desk, wanted) == [None, None]


def test_a_pair_ended_by_the_traders_hand_is_over_in_both_halves(pair):
    desk, wanted = pair
    desk.exchange.place(wanted)
    desk.hand.cancel(desk.key, client_id=wanted.client_id)
    assert [half.status for half in halves(desk, wanted)] == [OrderStatus.CANCELLED, OrderStatus.CANCELLED]


def test_of_a_pair_of_which_a_part_was_sold_the_stop_is_over_and_the_rest_for_sale(pair):
    desk, wanted = pair
    desk.exchange.place(wanted)
    desk.hand.fill(desk.key, "0.4", client_id=wanted.beside.client_id)
    stop, limit = halves(desk, wanted)
    assert (stop.status, limit.status, limit.filled) == (OrderStatus.EXPIRED, OrderStatus.PARTIAL, Decimal("0.4"))
    assert sum(fill.quantity for fill in desk.look().fills) == Decimal("0.4")


@pytest.mark.parametrize("kind", ["drop_before", "status_before"])
def test_an_order_that_did_not_arrive_is_in_doubt_all_the_same_and_not_found(desk, kind):
    wanted = desk.intent(BUY, LIMIT, price=90)
    desk.hand.fault(kind, **placing(desk))
    with pytest.raises(OutcomeUnknown):
        desk.exchange.place(wanted)
    assert desk.exchange.find(wanted.ref) is None
    assert desk.orders() == []


def test_an_order_is_never_sent_twice_by_itself(desk):
    desk.hand.fault("drop_after", **placing(desk, times=None))
    with pytest.raises(OutcomeUnknown):
        desk.order(BUY, LIMIT, price=90)
    assert len(desk.orders()) == 1


def test_an_order_that_was_held_up_too_long_is_not_sent_any_more(desk, monkeypatch):
    """Another process may have sent it by then, and some venues would fill it a second time."""
    wanted = desk.intent(BUY, MARKET)
    asks_first = desk.exchange._ready_to_write

    def held_up() -> None:
        asks_first()
        monkeypatch.setattr(ccxt_calls.time, "monotonic", lambda: real() + 11)

    real = ccxt_calls.time.monotonic
    monkeypatch.setattr(desk.exchange, "_ready_to_write", held_up)
    with pytest.raises(Temporary):
        desk.exchange.place(wanted)
    monkeypatch.setattr(ccxt_calls.time, "monotonic", lambda: real() + 4000)
    desk.exchange.calls.ready()  # an hour later all is asked for again
    monkeypatch.undo()
    assert desk.exchange.find(wanted.ref) is None
    assert desk.exchange.place(wanted).client_id == wanted.client_id


def test_without_a_connection_nothing_has_happened(desk, venues):
    adapter = desk.exchange.client.wire.get_adapter("https://")
    there, adapter.base = adapter.base, adapter.base._replace(netloc="127.0.0.1:9")
    with pytest.raises(Temporary) as failed:
        desk.order(BUY, LIMIT, price=90)
    adapter.base = there
    assert not isinstance(failed.value, OutcomeUnknown)
    assert desk.orders() == []


def test_an_unlisted_code_is_doubt(desk):
    desk.hand.fault("refuse", **placing(desk, code=-31337, message="Something new."))
    with pytest.raises(OutcomeUnknown, match=r"Something new\."):
        desk.order(BUY, MARKET)


def test_the_rate_limit_is_not_doubt_and_stops_everybody(desk, monkeypatch):
    stopped: list[float] = []
    monkeypatch.setattr(desk.exchange.calls.limiter, "stop", lambda seconds, **_: stopped.append(seconds))
    desk.hand.fault("rate_limit", **placing(desk, seconds=3))
    with pytest.raises(Temporary):
        desk.order(BUY, LIMIT, price=90)
    assert stopped
    assert stopped[0] > 0
    assert desk.orders() == []


def test_a_clock_that_went_wrong_is_set_right_and_the_order_placed_once(desk):
    desk.exchange.api.options["timeDifference"] = 3_600_000
    order = desk.order(BUY, LIMIT, price=90)
    assert desk.exchange.find(ref(order)).status is OrderStatus.OPEN
    assert len(desk.orders()) == 1
    assert abs(desk.exchange.clock_offset()) < 60_000


def test_a_key_taken_back_is_said_to_be(desk):
    desk.hand.change_key(desk.key, active=False)
    with pytest.raises(KeyRefused):
        desk.look()
    with pytest.raises(KeyRefused):
        desk.order(BUY, MARKET)


READS = {
    "binance": ("/fapi/v1/openOrders", "/fapi/v1/openAlgoOrders", "/fapi/v3/positionRisk", "/fapi/v1/userTrades"),
    "binance-spot": ("/api/v3/openOrders", "/api/v3/account", "/api/v3/myTrades"),
    "bybit": ("/v5/order/realtime", "/v5/position/list", "/v5/execution/list"),
    "bingx": ("/openApi/swap/v2/trade/openOrders", "/openApi/swap/v2/user/positions",
              "/openApi/swap/v2/trade/fillHistory"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["drop_before", "status_before", "garbage", "truncated"])
def test_a_reading_of_which_any_part_failed_is_no_reading(desk, kind):
    for path in READS[desk.exchange.client.venue]:
        desk.hand.fault(kind, path=path, key=desk.key)
        while desk.hand.faults_waiting():  # a busy machine may fail a reading before it comes to this
            with pytest.raises(CouldNotRead):
                desk.look()
    assert desk.look().orders == []


def test_a_lookup_that_fails_is_not_an_order_that_is_missing(desk):
    order = desk.order(BUY, LIMIT, price=90)
    desk.hand.fault("status_before", method="GET", path="*", key=desk.key, times=None)
    with pytest.raises(CouldNotRead):
        desk.exchange.find(ref(order))


def test_a_cancel_whose_answer_is_lost_is_in_doubt(desk):
    order = desk.order(BUY, LIMIT, price=90)
    method, path = {"bybit": ("POST", "/v5/order/cancel")}.get(
        desk.exchange.client.venue, ("DELETE", ORDERS[desk.exchange.client.venue])
    )
    desk.hand.fault("drop_after", method=method, path=path, key=desk.key)
    with pytest.raises(OutcomeUnknown):
        desk.exchange.cancel(ref(order))
    assert desk.exchange.cancel(ref(order)) is CancelOutcome.ALREADY_CLOSED


def test_words_of_the_venue_reach_the_trader_and_its_addresses_do_not(desk):
    with pytest.raises(Rejected) as refused:
        desk.order(BUY, LIMIT, quantity=1000, price=99)
    assert refused.value.code == Refusal.MARGIN
    assert desk.exchange.client.name in str(refused.value)
    assert not {"http", "signature", desk.key} & set(str(refused.value).replace("/", " ").split())


def test_a_count_that_runs_high_makes_ordinary_calls_wait(store, venues, monkeypatch):
    desk = desk_at(venues, "binance")
    lowered: list[float] = []
    monkeypatch.setattr(desk.exchange.calls.limiter, "spend", lambda _, part: lowered.append(part))
    monkeypatch.setattr(ccxt_calls, "NEARLY", 0.0)
    desk.look(SYMBOL)
    assert lowered
    assert all(0 < part <= 1 for part in lowered)
