"""What leaves for venues of coins, compared with tables written after their references."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from buddy.core.errors import OutcomeUnknown, Rejected
from buddy.core.exchange import (
    Beside,
    CancelOutcome,
    Exits,
    OrderIntent,
    OrderKind,
    OrderRef,
    OrderStatus,
    PositionMode,
    Refusal,
    TriggerBy,
)
from buddy.core.market import OrderSide
from buddy.exchanges import ccxt_client
from buddy.exchanges.client_names import from_venue, to_venue
from buddy.exchanges.venue_rows import RECIPES
from buddy.trading.client_ids import new_client_id

from .recording import Recording, recorded, symbol_of
from .test_requests import flat
from .venue_answers import BINANCE_SPOT

D = Decimal
BUY, SELL = OrderSide.BUY, OrderSide.SELL
MARKET, LIMIT, STOP, STOP_LIMIT = OrderKind.MARKET, OrderKind.LIMIT, OrderKind.STOP_MARKET, OrderKind.STOP_LIMIT
VENUES = ("binance-spot", "kraken-spot")

WISHES: dict[str, dict[str, Any]] = {
    "entry limit": {"order_side": BUY, "kind": LIMIT, "price": D(60000)},
    "entry market": {"order_side": BUY, "kind": MARKET},
    "breakout": {"order_side": BUY, "kind": STOP, "trigger": D(61000)},
    "breakout limit": {"order_side": BUY, "kind": STOP_LIMIT, "trigger": D(61000), "price": D(61010)},
    "with its stop": {
        "order_side": BUY, "kind": LIMIT, "price": D(60000), "attached_stop": D(59000), "attached_target": D(69000),
    },
    "stop": {"order_side": SELL, "kind": STOP, "trigger": D(59000)},
    "stop by mark": {"order_side": SELL, "kind": STOP, "trigger": D(59000), "trigger_by": TriggerBy.MARK},
    "target": {"order_side": SELL, "kind": LIMIT, "price": D(69000)},
    "close": {"order_side": SELL, "kind": MARKET},
    "close that says too much": {"order_side": SELL, "kind": MARKET, "reduce_only": True},
}  # fmt: skip

_BN = {"symbol": "BTCUSDT", "quantity": "0.01", "newOrderRespType": "FULL"}
_KR = {"pair": "XXBTZUSD", "volume": "0.01", "oflags": "fciq"}
_BN_LIMIT = {**_BN, "side": "BUY", "type": "LIMIT", "price": "60000", "timeInForce": "GTC"}
_BN_STOP = {**_BN, "side": "SELL", "type": "STOP_LOSS", "stopPrice": "59000"}
_KR_STOP = {**_KR, "type": "sell", "ordertype": "stop-loss", "price": "59000", "trigger": "last"}

PLACED: dict[str, dict[str, dict[str, Any]]] = {
    "binance-spot": {
        "entry limit": _BN_LIMIT,
        "entry market": {**_BN, "side": "BUY", "type": "MARKET"},
        "breakout": {**_BN, "side": "BUY", "type": "STOP_LOSS", "stopPrice": "61000"},
        "breakout limit": {**_BN, "side": "BUY", "type": "STOP_LOSS_LIMIT", "stopPrice": "61000", "price": "61010",
                           "timeInForce": "GTC"},
        "with its stop": _BN_LIMIT,
        "stop": _BN_STOP,
        "stop by mark": _BN_STOP,
        "target": {**_BN, "side": "SELL", "type": "LIMIT", "price": "69000", "timeInForce": "GTC"},
        "close": {**_BN, "side": "SELL", "type": "MARKET"},
        "close that says too much": {**_BN, "side": "SELL", "type": "MARKET"},
    },
    "kraken-spot": {
        "entry limit": {**_KR, "type": "buy", "ordertype": "limit", "price": "60000"},
        "entry market": {**_KR, "type": "buy", "ordertype": "market"},
        "breakout": {**_KR, "type": "buy", "ordertype": "stop-loss", "price": "61000", "trigger": "last"},
        "breakout limit": {**_KR, "type": "buy", "ordertype": "stop-loss-limit", "price": "61000", "price2": "61010",
                           "trigger": "last"},
        "with its stop": {**_KR, "type": "buy", "ordertype": "limit", "price": "60000",
                          "close[ordertype]": "stop-loss", "close[price]": "59000"},
        "stop": _KR_STOP,
        "stop by mark": _KR_STOP,
        "target": {**_KR, "type": "sell", "ordertype": "limit", "price": "69000"},
        "close": {**_KR, "type": "sell", "ordertype": "market"},
        "close that says too much": {**_KR, "type": "sell", "ordertype": "market"},
    },
}  # fmt: skip
PLACES = {"binance-spot": "/api/v3/order", "kraken-spot": "/0/private/AddOrder"}
NAMED = {"binance-spot": "newClientOrderId", "kraken-spot": "cl_ord_id"}


def intent(venue: str, wish: str = "stop", **more: Any) -> OrderIntent:
    return OrderIntent(new_client_id(), symbol_of(venue), **{"quantity": D("0.01"), **WISHES[wish], **more})


def writes(wire: Recording) -> list[tuple[str, str, dict[str, Any]]]:
    """Without the questions, which some venues are asked by POST."""
    return [each for each in wire.writes() if any(word in each[1] for word in ("/order", "AddOrder", "CancelOrder"))]


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("venue", VENUES)
def test_an_order_leaves_as_the_venues_reference_says(store, venue, wish):
    exchange, wire = recorded(venue)
    wanted = intent(venue, wish)
    exchange.place(wanted)
    name = to_venue(wanted.client_id, exchange.recipe.names)
    assert wire.asked == [("POST", PLACES[venue], PLACED[venue][wish] | {NAMED[venue]: name})]


@pytest.mark.parametrize("venue", VENUES)
def test_nothing_ever_says_that_it_only_reduces_or_what_it_may_cost(store, venue):
    exchange, wire = recorded(venue)
    for wish in WISHES:
        exchange.place(intent(venue, wish))
    said = {word.lower() for _, _, body in wire.asked for word in body}
    assert not said & {"reduceonly", "reduce_only", "quoteorderqty", "leverage", "sideeffecttype", "positionside"}


@pytest.mark.parametrize("venue", VENUES)
def test_nothing_of_ours_reaches_the_library_as_a_decimal_inside_params(store, venue, monkeypatch):
    exchange, _ = recorded(venue)
    given: list[Any] = []
    real = exchange.api.create_order
    monkeypatch.setattr(exchange.api, "create_order", lambda *args: given.append(args) or real(*args))
    for wish in WISHES:
        exchange.place(intent(venue, wish))
    assert len(given) == len(WISHES)
    assert not any(isinstance(value, Decimal | float) for *_, params in given for value in flat(params))


# --- pairs ------------------------------------------------------------------------------------------------------------


def pair(venue: str = "binance-spot", **more: Any) -> OrderIntent:
    return intent(venue, "stop", **{"beside": Beside(new_client_id(), D(69000)), **more})


def report(client_id: str, kind: str, number: int, **more: Any) -> dict[str, Any]:
    return {**BINANCE_SPOT["/v3/order"], "orderId": number, "orderListId": 5, "clientOrderId": client_id, "type": kind,
            "side": "SELL", **more}  # fmt: skip


def oco(wanted: OrderIntent) -> dict[str, Any]:
    assert wanted.beside is not None
    reports = [
        report(wanted.client_id, "STOP_LOSS", 71, stopPrice="59000.00", price="0.00"),
        report(wanted.beside.client_id, "LIMIT_MAKER", 72, price="69000.00"),
    ]
    return {"orderListId": 5, "contingencyType": "OCO", "listStatusType": "EXEC_STARTED", "orderReports": reports}


def test_a_pair_leaves_as_one_request_with_every_figure_as_text(store):
    wanted = pair()
    exchange, wire = recorded("binance-spot", **{"/orderList/oco": oco(wanted)})
    exchange.place(wanted)
    assert wire.asked == [
        (
            "POST",
            "/api/v3/orderList/oco",
            {
                "symbol": "BTCUSDT",
                "side": "SELL",
                "quantity": "0.01",
                "aboveType": "LIMIT_MAKER",
                "abovePrice": "69000",
                "aboveClientOrderId": wanted.beside.client_id,
                "belowType": "STOP_LOSS",
                "belowStopPrice": "59000",
                "belowClientOrderId": wanted.client_id,
                "listClientOrderId": f"{wanted.client_id}-pair",
                "newOrderRespType": "RESULT",
            },
        )
    ]


def test_the_stop_of_a_pair_is_what_was_placed_and_both_names_are_known(store):
    wanted = pair()
    exchange, _ = recorded("binance-spot", **{"/orderList/oco": oco(wanted)})
    placed = exchange.place(wanted)
    assert (placed.client_id, placed.exchange_id, placed.trigger) == (wanted.client_id, "71", D(59000))
    assert (placed.status, placed.kind) == (OrderStatus.OPEN, STOP)
    assert exchange.names.of("BTC/USDT", "72") == (wanted.beside.client_id, False)


@pytest.mark.parametrize("answer", [{}, {"orderListId": 5}, {"orderReports": [report("tb1", "STOP_LOSS", 71)]}])
def test_a_pair_of_which_a_half_is_not_told_is_unknown(store, answer):
    exchange, wire = recorded("binance-spot", **{"/orderList/oco": answer})
    with pytest.raises(OutcomeUnknown):
        exchange.place(pair())
    assert len(wire.writes()) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"quantity": D("0.010001")},
        {"trigger": D("59000.001")},
        {"beside": Beside("tb" + "0" * 26, D("69000.001"))},
    ],
)
def test_half_a_grid_is_no_grid(store, more):
    exchange, wire = recorded("binance-spot")
    with pytest.raises(Rejected) as refused:
        exchange.place(pair(**more))
    assert refused.value.code == Refusal.PRECISION
    assert wire.writes() == []


def test_where_there_are_no_pairs_none_leaves(store):
    exchange, wire = recorded("kraken-spot")
    with pytest.raises(Rejected):
        exchange.place(pair("kraken-spot"))
    assert writes(wire) == []


# --- lists, names, cancels --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("venue", VENUES)
def test_an_order_is_cancelled_by_its_name_or_its_number(store, venue):
    exchange, wire = recorded(venue)
    name = new_client_id()
    for ref in (
        OrderRef(symbol_of(venue), name, "7"),
        OrderRef(symbol_of(venue), name, "7", is_conditional=True),
        OrderRef(symbol_of(venue), "", "7", is_conditional=True),
    ):
        assert exchange.cancel(ref) is CancelOutcome.CANCELLED
    named, again, numbered = writes(wire)
    assert named == again
    assert (named, numbered) == {
        "binance-spot": (
            ("DELETE", "/api/v3/order", {"symbol": "BTCUSDT", "origClientOrderId": name}),
            ("DELETE", "/api/v3/order", {"symbol": "BTCUSDT", "orderId": "7"}),
        ),
        "kraken-spot": (
            ("POST", "/0/private/CancelOrder", {"cl_ord_id": to_venue(name, "uuid")}),
            ("POST", "/0/private/CancelOrder", {"txid": "7"}),
        ),
    }[venue]


def test_at_kraken_all_that_rests_is_one_question(store):
    exchange, wire = recorded("kraken-spot")
    assert exchange._orders(["BTC/USD", "ETH/USD"]) == []
    assert wire.asked == [("POST", "/0/private/OpenOrders", {})]


def test_at_binance_each_market_is_asked_for_until_all_cost_less(store):
    exchange, wire = recorded("binance-spot")
    exchange._orders(["BTC/USDT", "ETH/USDT"])
    assert [said for _, _, said in wire.asked] == [{"symbol": "BTCUSDT"}, {"symbol": "ETHUSDT"}]


@pytest.mark.parametrize("venue", VENUES)
def test_leverage_and_modes_are_not_asked_for_and_never_set(store, venue):
    exchange, wire = recorded(venue)
    exchange.set_up(symbol_of(venue), D(10), "isolated")
    assert exchange.position_mode() is PositionMode.ONE_WAY
    assert exchange.margin_mode() == ""
    assert wire.asked == []


def test_the_profile_says_how_coins_leave(store):
    told = {venue: recorded(venue)[0].profile for venue in VENUES}
    assert {venue: each.exits for venue, each in told.items()} == {
        "binance-spot": Exits.PAIRED,
        "kraken-spot": Exits.SINGLE,
    }
    assert not any(each.has_reduce_only for each in told.values())
    assert [each.attaches_stop for each in told.values()] == [False, True]


def test_practice_money_of_spot_has_a_host_of_its_own(store):
    assert recorded("binance-spot", "testnet")[1].hosts == {"demo-api.binance.com"}


# --- what the client library does to those who trust it --------------------------------------------------------------

FORBIDDEN = ("edit_order", "cancelreplace", "cancel_replace", "amend", "cancel_all", "cancelall", "with_cost", "viqc")
"""A stop that is edited or replaced leaves as a market order; cancelling all at Kraken means of every market; money
spent is not coins bought."""


@pytest.mark.parametrize("venue", VENUES)
def test_what_is_never_asked_of_the_library(venue):
    here = Path(ccxt_client.__file__).parent
    sources = "".join(path.read_text() for path in here.glob("ccxt_*.py")).lower()
    assert not [word for word in FORBIDDEN if word in repr(RECIPES[venue]).lower() or word in sources]


@pytest.mark.parametrize("venue", VENUES)
def test_no_order_is_asked_for_or_cancelled_by_an_empty_name(venue):
    recipe = RECIPES[venue]
    named = (recipe.cancel, recipe.cancel_conditional, recipe.find, recipe.find_conditional)
    numbered = (recipe.cancel_by_id, recipe.cancel_conditional_by_id, recipe.find_by_id, recipe.find_conditional_by_id)
    assert all("{client_id}" in repr(call.params) for calls in named for call in calls)
    assert all("{exchange_id}" in (call.id, call.params.get("txid")) for calls in numbered for call in calls)


# --- names and numbers at Kraken --------------------------------------------------------------------------------------


def test_our_names_are_uuids_there_and_come_back_as_they_were():
    for _ in range(50):
        name = new_client_id()
        told = to_venue(name, "uuid")
        assert len(told) == 36
        assert from_venue(told, "uuid") == name
        assert (to_venue(name, ""), from_venue(name, "")) == (name, name)


@pytest.mark.parametrize("name", ["", "0", "arb-20240509-00010", "6d1b345e-2821-40e2-ad83-4ecb18a06876"])
def test_names_of_others_stay_theirs(name):
    assert from_venue(name, "uuid") == name
    assert to_venue(name, "uuid") == name


def test_requests_are_numbered_by_a_clock_that_no_correction_sets_back(store):
    exchange, _ = recorded("kraken-spot")
    before = exchange.api.incrementing_nonce()
    exchange.api.options["timeDifference"] = 5_000_000
    after = [exchange.api.incrementing_nonce() for _ in range(100)]
    assert [before, *after] == sorted({before, *after})


def test_markets_from_the_cache_know_what_orders_call_them(store):
    """Without, a stop that rests would be a stop of no market, and be placed again."""
    first, _ = recorded("kraken-spot")
    row = {"descr": {"pair": "XBTUSD", "type": "sell", "ordertype": "stop-loss", "price": "59000.0", "price2": "0"},
           "status": "open", "opentm": 1795262400.5, "vol": "0.01", "vol_exec": "0", "refid": None,
           "cl_ord_id": to_venue("tb01m7yvbgd6efbvzv79xr341v6q", "uuid")}  # fmt: skip
    away = {"/AssetPairs": (503, {}), "/Assets": (503, {})}
    second, _ = recorded("kraken-spot", **{"/OpenOrders": {"error": [], "result": {"open": {"O1": row}}}}, **away)
    (order,) = second._orders(["BTC/USD"])
    assert (order.symbol, order.client_id, order.trigger) == ("BTC/USD", "tb01m7yvbgd6efbvzv79xr341v6q", D(59000))
    assert first.instrument("BTC/USD") == second.instrument("BTC/USD")
