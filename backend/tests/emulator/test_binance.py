"""The stand-in Binance through the unmodified client: what is asked and answered over REST."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from emulator.venue import PATIENCE

from .clients import connect
from .conftest import BTC, Spoken

STOP = {"stopLossPrice": "62000", "reduceOnly": True}
TARGET = {"takeProfitPrice": "66000", "reduceOnly": True}
CONDITIONAL = {"trigger": True}


@pytest.fixture(scope="module")
def spoken() -> Spoken:
    return Spoken("binance", "binanceusdm")


def entry(client: Any, quantity: float = 0.01, **params: Any) -> Any:
    return client.create_order(BTC, "market", "buy", quantity, None, params)


def stop(client: Any, client_id: str, quantity: float = 0.01, **params: Any) -> Any:
    return client.create_order(BTC, "market", "sell", quantity, None, STOP | {"clientOrderId": client_id} | params)


def target(client: Any, client_id: str, quantity: float = 0.01, **params: Any) -> Any:
    return client.create_order(BTC, "market", "sell", quantity, None, TARGET | {"clientOrderId": client_id} | params)


def conditional(client: Any, client_id: str) -> Any:
    return client.fetch_order("", BTC, {"clientOrderId": client_id, "trigger": True})


def held(client: Any) -> Decimal:
    return sum((Decimal(position["contracts"]) for position in client.fetch_positions([BTC])), Decimal(0))


def names(orders: list[Any]) -> list[str]:
    return sorted(order["clientOrderId"] for order in orders)


# A trade


def test_a_limit_order_rests_until_its_price_trades(client, venue):
    client.create_order(BTC, "limit", "buy", 0.01, 63_000, {"clientOrderId": "entry-1"})
    assert names(client.fetch_open_orders(BTC)) == ["entry-1"]
    venue.set_price(BTC, "62900")
    found = client.fetch_order("", BTC, {"clientOrderId": "entry-1"})
    assert (found["status"], found["filled"], found["average"]) == ("closed", "0.01", "63000")
    assert held(client) == Decimal("0.01")


def test_a_triggered_stop_becomes_a_child_order_that_owns_the_fills(client, venue):
    entry(client)
    stop(client, "stop-1")
    assert (client.fetch_open_orders(BTC), names(client.fetch_open_orders(BTC, params=CONDITIONAL))) == ([], ["stop-1"])
    venue.set_price(BTC, "61000")
    parent = conditional(client, "stop-1")
    assert (parent["info"]["algoStatus"], parent["filled"]) == ("FINISHED", "0")
    last = client.fetch_my_trades(BTC)[-1]
    assert (last["order"], last["price"], last["amount"]) == (parent["info"]["actualOrderId"], "62000", "0.01")
    assert last["info"]["realizedPnl"] == "-20"
    assert held(client) == 0


def test_a_gap_fills_a_stop_where_the_market_opens(client, venue):
    entry(client)
    stop(client, "stop-1")
    venue.set_price(BTC, "60000", jump=True)
    assert client.fetch_my_trades(BTC)[-1]["price"] == "60000"


def test_within_a_candle_the_stop_goes_before_the_target(client, venue):
    entry(client)
    stop(client, "stop-1")
    target(client, "target-1")
    venue.play(BTC, [["64000", "67000", "61000", "64000"]])
    assert client.fetch_my_trades(BTC)[-1]["price"] == "62000"


def test_a_stop_moves_by_placing_the_new_one_before_the_old_one_goes(client, venue):
    entry(client)
    stop(client, "stop-1")
    stop(client, "stop-2", stopLossPrice="63000")
    client.cancel_order("", BTC, {"clientOrderId": "stop-1", "trigger": True})
    assert names(client.fetch_open_orders(BTC, params=CONDITIONAL)) == ["stop-2"]
    assert conditional(client, "stop-1")["status"] == "canceled"


def test_a_stop_for_more_than_is_left_closes_only_what_is_left(client, venue):
    entry(client)
    stop(client, "stop-1")
    venue.close(client.apiKey, BTC, share="0.5")
    venue.set_price(BTC, "61000")
    assert client.fetch_my_trades(BTC)[-1]["amount"] == "0.005"
    assert held(client) == 0


def test_a_stop_without_a_position_is_turned_down_when_it_triggers(client, venue):
    entry(client)
    stop(client, "stop-1")
    venue.close(client.apiKey, BTC)
    venue.set_price(BTC, "61000")
    assert conditional(client, "stop-1")["info"]["algoStatus"] == "REJECTED"
    assert held(client) == 0


def test_an_order_that_closes_the_position_goes_with_it(client, venue):
    entry(client)
    stop(client, "all", None, closePosition=True, reduceOnly=False)
    venue.close(client.apiKey, BTC)
    assert conditional(client, "all")["status"] == "expired"


def test_an_order_that_closes_the_position_takes_all_of_it(client, venue):
    entry(client)
    stop(client, "all", None, closePosition=True, reduceOnly=False)
    entry(client, 0.02)
    venue.set_price(BTC, "61000")
    assert client.fetch_my_trades(BTC)[-1]["amount"] == "0.03"


def test_a_stop_by_mark_does_not_care_for_the_last_price(client, venue):
    entry(client)
    stop(client, "by-mark", workingType="MARK_PRICE")
    venue.set_price(BTC, "61000", mark="64000")
    assert conditional(client, "by-mark")["status"] == "open"
    venue.set_price(BTC, "61000", mark="61900")
    assert held(client) == 0


def test_the_books_agree_with_the_wallet_to_the_last_digit(client, venue):
    entry(client, 0.013)
    target(client, "target-1", 0.005)
    stop(client, "stop-1", 0.013)
    venue.set_price(BTC, "66012.3")
    venue.fund(BTC, "0.0001")
    venue.set_price(BTC, "61000")
    paid = sum(Decimal(row["income"]) for row in client.fapiPrivateGetIncome({"limit": 1000}))
    assert paid == Decimal(client.fetch_balance()["info"]["totalWalletBalance"])
    assert {row["incomeType"] for row in client.fapiPrivateGetIncome()} == {
        "TRANSFER", "COMMISSION", "REALIZED_PNL", "FUNDING_FEE",
    }  # fmt: skip


def test_a_liquidation_is_the_venues_own_order(client, venue):
    client.set_leverage(100, BTC)
    entry(client, 1)
    venue.set_price(BTC, "50000")
    last = client.fetch_my_trades(BTC)[-1]
    assert client.fetch_order(last["order"], BTC)["clientOrderId"].startswith("autoclose-")
    assert held(client) == 0


def test_deleveraging_takes_a_position_away_without_a_fee(client, venue):
    entry(client)
    venue.deleverage(client.apiKey, BTC, "0.004")
    last = client.fetch_my_trades(BTC)[-1]
    assert (last["amount"], last["fee"]["cost"]) == ("0.004", "0")
    assert client.fetch_order(last["order"], BTC)["clientOrderId"] == "adl_autoclose"
    assert held(client) == Decimal("0.006")


def test_fees_can_be_paid_with_another_coin(sign_in, venue):
    venue.open_account("payer", "secret", fee_coin="BNB", fee_coin_price="640")
    client = sign_in("payer")
    entry(client)
    (trade,) = client.fetch_my_trades(BTC)
    assert trade["fee"] == {"cost": "0.0005", "currency": "BNB"}
    assert client.fetch_balance()["info"]["totalWalletBalance"] == "10000"
    (row,) = client.fapiPrivateGetIncome({"incomeType": "COMMISSION"})
    assert (row["asset"], row["income"]) == ("BNB", "-0.0005")


def test_each_kind_of_order_is_cancelled_by_its_own_call(client):
    entry(client)
    stop(client, "stop-1")
    client.create_order(BTC, "limit", "buy", 0.01, 63_000)
    client.cancel_all_orders(BTC)
    assert (client.fetch_open_orders(BTC), names(client.fetch_open_orders(BTC, params=CONDITIONAL))) == ([], ["stop-1"])
    client.cancel_all_orders(BTC, CONDITIONAL)
    assert client.fetch_open_orders(BTC, params=CONDITIONAL) == []


def test_orders_fill_in_parts_where_the_account_is_sliced(sign_in, venue):
    venue.open_account("sliced", "secret", slices=7)
    client = sign_in("sliced")
    client.create_order(BTC, "limit", "buy", 0.04, 63_000, {"clientOrderId": "entry-1"})
    venue.set_price(BTC, "63000")
    part = client.fetch_order("", BTC, {"clientOrderId": "entry-1"})
    assert part["info"]["status"] == "PARTIALLY_FILLED"
    assert Decimal(0) < Decimal(part["filled"]) < Decimal("0.04")


def test_a_hand_can_fill_part_of_an_order(client, venue):
    client.create_order(BTC, "limit", "buy", 0.01, 63_000, {"clientOrderId": "entry-1"})
    venue.fill(client.apiKey, "0.004", client_id="entry-1")
    (part,) = client.fetch_open_orders(BTC)
    assert (part["info"]["status"], part["filled"], part["average"]) == ("PARTIALLY_FILLED", "0.004", "63000")
    assert client.fetch_my_trades(BTC)[0]["takerOrMaker"] == "maker"


def test_a_limit_order_can_be_amended_and_keeps_its_ids(client, venue):
    placed = client.create_order(BTC, "limit", "buy", 0.01, 63_000, {"clientOrderId": "entry-1"})
    client.edit_order(placed["id"], BTC, "limit", "buy", 0.02, 62_000)
    found = client.fetch_order("", BTC, {"clientOrderId": "entry-1"})
    assert (found["id"], found["amount"], found["price"]) == (placed["id"], "0.02", "62000")


def test_a_new_market_can_be_listed(stand_in, key, venue):
    venue.add_instrument("NEW", "7.5", tick_size="0.05")
    client = connect("binanceusdm", stand_in.base, key, "secret")
    client.create_order("NEW/USDT:USDT", "market", "buy", 10)
    assert client.fetch_my_trades("NEW/USDT:USDT")[0]["price"] == "7.5"


# What it refuses


REFUSALS = [
    ({"quantity": 0.01, "price": 63_000.05}, "-1111", ccxt.BadRequest),
    ({"quantity": 0.0014, "price": 63_000}, "-1111", ccxt.BadRequest),
    ({"quantity": 0.001, "price": 63_000}, "-4164", ccxt.InvalidOrder),
    ({"quantity": 1001, "price": 63_000}, "-4005", ccxt.BadRequest),
    ({"quantity": 10, "price": 63_000}, "-2019", ccxt.InsufficientFunds),
    ({"quantity": 0.01, "price": 65_000, "timeInForce": "GTX"}, "-5022", ccxt.OrderNotFillable),
    ({"quantity": 0.01, "price": 63_000, "reduceOnly": "true"}, "-2022", ccxt.InvalidOrder),
    ({"quantity": 0.01, "price": 63_000, "positionSide": "LONG"}, "-4061", ccxt.OperationRejected),
    ({"quantity": 0.01, "price": 63_000, "newClientOrderId": "no spaces please"}, "-4015", ccxt.BadRequest),
    ({"quantity": 0.01, "type": "STOP_MARKET", "stopPrice": "62000"}, "-4120", ccxt.InvalidOrder),
]


@pytest.mark.parametrize(("asked", "code", "error"), REFUSALS, ids=[f"{code}" for _, code, _ in REFUSALS])
def test_refuses_with_the_vendors_code(client, asked, code, error):
    plain = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    order = plain | asked
    if order["type"] != "LIMIT":
        del order["timeInForce"]
    with pytest.raises(ccxt.BaseError, match=f'"code":{code},') as caught:
        client.fapiPrivatePostOrder(order)
    assert isinstance(caught.value, error)


def test_a_position_may_not_be_larger_than_its_leverage_allows(client):
    client.set_leverage(125, BTC)
    with pytest.raises(ccxt.OperationRejected, match="-2027"):
        client.create_order(BTC, "limit", "buy", 5, 63_000)


def test_a_tick_that_changed_meanwhile_is_refused(client, venue):
    venue.change_instrument(BTC, tick_size="0.5")
    with pytest.raises(ccxt.BaseError, match="-4014"):
        client.create_order(BTC, "limit", "buy", 0.01, 63_000.1)
    venue.change_instrument(BTC, tick_size="0.1")


def test_a_client_id_is_taken_only_while_its_order_is_open(client, venue):
    client.create_order(BTC, "limit", "buy", 0.01, 63_000, {"clientOrderId": "again"})
    with pytest.raises(ccxt.InvalidOrder, match="-4116"):
        client.create_order(BTC, "limit", "buy", 0.01, 63_000, {"clientOrderId": "again"})
    venue.set_price(BTC, "62900")
    client.create_order(BTC, "limit", "buy", 0.01, 62_000, {"clientOrderId": "again"})
    assert client.fetch_order("", BTC, {"clientOrderId": "again"})["status"] == "open"


def test_a_stop_beyond_the_price_would_trigger_at_once(client):
    entry(client)
    with pytest.raises(ccxt.OrderImmediatelyFillable, match="-2021"):
        stop(client, "stop-1", stopLossPrice="65000")


def test_reducing_orders_may_not_add_up_to_more_than_is_held(client, venue):
    entry(client)
    client.create_order(BTC, "limit", "sell", 0.01, 66_000, {"reduceOnly": True})
    with pytest.raises(ccxt.OperationRejected, match="-4118"):
        client.create_order(BTC, "market", "sell", 0.01, None, {"reduceOnly": True})
    venue.change_habits(client.apiKey, has_budget=False)
    client.create_order(BTC, "market", "sell", 0.01, None, {"reduceOnly": True})


def test_a_stop_fires_though_targets_rest_for_all_that_is_held(client, venue):
    entry(client)
    client.create_order(BTC, "limit", "sell", 0.01, 66_000, {"reduceOnly": True})
    stop(client, "stop-1")
    venue.set_price(BTC, "61000")
    assert held(client) == 0


def test_one_order_closes_the_position_in_each_direction(client):
    entry(client)
    stop(client, "all", None, closePosition=True, reduceOnly=False)
    with pytest.raises(ccxt.BaseError, match="-4130"):
        stop(client, "all-2", None, closePosition=True, reduceOnly=False, stopLossPrice="63000")


def test_margin_and_position_mode_stand_while_anything_is_open(client):
    with pytest.raises(ccxt.MarginModeAlreadySet):
        client.set_margin_mode("cross", BTC)
    with pytest.raises(ccxt.OperationRejected, match="-4059"):
        client.set_position_mode(False)
    resting = client.create_order(BTC, "limit", "buy", 0.01, 63_000)
    with pytest.raises(ccxt.OperationRejected, match="-4047"):
        client.set_margin_mode("isolated", BTC)
    with pytest.raises(ccxt.OperationRejected, match="-4067"):
        client.set_position_mode(True)
    client.cancel_order(resting["id"], BTC)
    entry(client)
    with pytest.raises(ccxt.OperationRejected, match="-4048"):
        client.set_margin_mode("isolated", BTC)


def test_hedge_mode_needs_a_position_side(client):
    client.set_position_mode(True)
    with pytest.raises(ccxt.OperationRejected, match="-4061"):
        entry(client)
    entry(client, hedged=True)
    assert client.fetch_positions([BTC])[0]["hedged"]
    client.create_order(BTC, "market", "sell", 0.01, None, {"hedged": True, "reduceOnly": True})
    assert held(client) == 0


def test_settings_are_told_as_they_are(client):
    client.set_leverage(7, BTC)
    client.set_margin_mode("isolated", BTC)
    told = client.fetch_leverage(BTC)
    assert (told["marginMode"], told["longLeverage"]) == ("isolated", 7)
    assert client.fetch_position_mode(BTC)["hedged"] is False
    assert client.fetch_trading_fee(BTC)["taker"] == "0.0005"
    assert client.fetch_market_leverage_tiers(BTC)[0]["maxLeverage"] == "125"


def test_an_unknown_order_is_missing_when_read_and_unknown_when_cancelled(client):
    with pytest.raises(ccxt.OrderNotFound, match="-2013"):
        client.fetch_order("", BTC, {"clientOrderId": "nobody"})
    with pytest.raises(ccxt.OrderNotFound, match="-2011"):
        client.cancel_order("", BTC, {"clientOrderId": "nobody"})
    with pytest.raises(ccxt.OrderNotFound, match="-2011"):
        client.cancel_order("", BTC, {"clientOrderId": "nobody", "trigger": True})


# Keys and clocks


def test_a_wrong_secret_is_told_by_the_signature(sign_in, key, venue):
    with pytest.raises(ccxt.AuthenticationError, match="-1022"):
        sign_in(key, "guess").fetch_balance()


def test_a_revoked_key_and_an_unknown_one_look_alike(sign_in, client, venue):
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        sign_in("nobody").fetch_balance()
    venue.change_key(client.apiKey, active=False)
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        client.fetch_balance()


def test_a_key_tells_what_it_may_do(client, venue):
    venue.change_key(client.apiKey, can_withdraw=True, ip_restricted=False)
    told = client.sapiGetAccountApiRestrictions()
    assert (told["enableWithdrawals"], told["ipRestrict"], told["enableFutures"]) == (True, False, True)
    venue.change_key(client.apiKey, can_trade=False)
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        entry(client)
    client.fetch_balance()


def test_a_clock_that_is_wrong_is_refused_until_it_is_set(client, venue):
    venue.set_skew(30_000)
    with pytest.raises(ccxt.InvalidNonce, match="-1021"):
        client.fetch_balance()
    client.options["adjustForTimeDifference"] = True
    client.load_time_difference()
    assert client.fetch_balance()["USDT"]["total"] == "10000"


def test_accounts_know_nothing_of_each_other(sign_in, client, venue):
    venue.open_account("neighbour", "secret", wallet="500")
    other = sign_in("neighbour")
    entry(client)
    assert (held(other), other.fetch_balance()["USDT"]["total"]) == (0, "500")


# Faults


ORDER = {"method": "POST", "path": "/fapi/v1/order"}


@pytest.mark.parametrize("kind", ["drop_after", "status_after"])
def test_the_outcome_is_unknown_and_the_order_is_there(client, venue, kind):
    venue.fault(kind, **ORDER)
    with pytest.raises(ccxt.NetworkError):
        client.create_order(BTC, "limit", "buy", 0.01, 63_000, {"clientOrderId": "entry-1"})
    assert client.fetch_order("", BTC, {"clientOrderId": "entry-1"})["status"] == "open"


@pytest.mark.parametrize("kind", ["garbage", "truncated"])
def test_an_answer_that_cannot_be_read_names_no_order_though_it_is_there(client, venue, kind):
    """The client raises nothing here: it hands on an order without an id."""
    venue.fault(kind, **ORDER)
    answer = client.create_order(BTC, "limit", "buy", 0.01, 63_000, {"clientOrderId": "entry-1"})
    assert answer["id"] is None
    assert client.fetch_order("", BTC, {"clientOrderId": "entry-1"})["status"] == "open"


@pytest.mark.parametrize("kind", ["drop_before", "status_before"])
def test_the_outcome_is_unknown_and_the_order_is_not_there(client, venue, kind):
    venue.fault(kind, **ORDER)
    with pytest.raises(ccxt.NetworkError):
        client.create_order(BTC, "limit", "buy", 0.01, 63_000, {"clientOrderId": "entry-1"})
    with pytest.raises(ccxt.OrderNotFound):
        client.fetch_order("", BTC, {"clientOrderId": "entry-1"})


def test_a_slow_answer_is_a_timeout_and_the_order_is_there(client, venue):
    venue.fault("slow_after", **ORDER, seconds=0.6)
    client.timeout = 200
    with pytest.raises(ccxt.RequestTimeout):
        client.create_order(BTC, "limit", "buy", 0.01, 63_000, {"clientOrderId": "entry-1"})
    client.timeout = 5_000
    assert client.fetch_order("", BTC, {"clientOrderId": "entry-1"})["status"] == "open"


def test_status_unknown_is_a_timeout(client, venue):
    venue.fault("status_after", **ORDER, status=503, code=-1007, message="Timeout waiting for response from backend.")
    with pytest.raises(ccxt.RequestTimeout):
        entry(client)
    assert held(client) == Decimal("0.01")


def test_a_fault_hits_the_requests_it_was_meant_for(client, venue):
    venue.fault("drop_before", path="/fapi/v1/*", params={"type": "STOP_MARKET"}, skip=1, times=1)
    entry(client)
    stop(client, "stop-1")
    with pytest.raises(ccxt.NetworkError):
        stop(client, "stop-2")
    stop(client, "stop-3")
    assert names(client.fetch_open_orders(BTC, params=CONDITIONAL)) == ["stop-1", "stop-3"]


def test_asking_too_often_is_told_and_then_banned(client, venue):
    venue.fault("rate_limit", seconds=7)
    with pytest.raises(ccxt.DDoSProtection, match="429"):
        client.fetch_balance()
    assert client.last_response_headers["Retry-After"] == "7"
    venue.fault("ban", seconds=60)
    for _ in range(2):
        with pytest.raises(ccxt.DDoSProtection, match="418"):
            client.fetch_balance()


def test_the_weight_of_requests_is_counted_and_limited(client, venue):
    client.fetch_balance()
    assert int(client.last_response_headers["X-MBX-USED-WEIGHT-1M"]) > 0
    venue.set_limit(1)
    for _ in range(PATIENCE):
        with pytest.raises(ccxt.DDoSProtection, match="429"):
            client.fetch_balance()
    for _ in range(2):
        with pytest.raises(ccxt.DDoSProtection, match=r"429|418"):
            client.fetch_balance()
    with pytest.raises(ccxt.DDoSProtection, match="418"):
        client.fetch_balance()


def test_a_stale_read_knows_nothing_of_the_newest_order(client, venue):
    client.create_order(BTC, "limit", "buy", 0.01, 63_000, {"clientOrderId": "entry-1"})
    entry(client)
    venue.fault("stale", method="GET", seconds=30, times=None)
    assert (client.fetch_open_orders(BTC), held(client)) == ([], 0)
    with pytest.raises(ccxt.OrderNotFound):
        client.fetch_order("", BTC, {"clientOrderId": "entry-1"})
    venue.clear_faults()
    assert (names(client.fetch_open_orders(BTC)), held(client)) == (["entry-1"], Decimal("0.01"))


def test_positions_can_come_back_empty_though_something_is_held(client, venue):
    entry(client)
    client.fetch_positions([BTC])
    venue.fault("empty", path="*/positionRisk")
    assert held(client) == 0
    assert held(client) == Decimal("0.01")


def test_maintenance_is_said_to_be_that(client, venue):
    venue.set_maintenance()
    with pytest.raises(ccxt.OnMaintenance):
        client.fetch_balance()


def test_what_was_archived_is_no_longer_told_of(client, venue):
    done = entry(client)
    venue.archive(client.apiKey)
    with pytest.raises(ccxt.OrderNotFound):
        client.fetch_order(done["id"], BTC)
    assert client.fetch_my_trades(BTC)[0]["order"] == done["id"]


def test_a_trigger_can_get_stuck_on_its_way(client, venue):
    entry(client)
    stop(client, "stop-1")
    venue.stick_triggers(client.apiKey)
    venue.set_price(BTC, "61000")
    assert conditional(client, "stop-1")["info"]["algoStatus"] == "TRIGGERING"
    assert held(client) == Decimal("0.01")


# Paging and prices


def test_executions_are_paged_by_id_and_by_time(client, venue):
    for _ in range(3):
        entry(client, 0.002)
    ids = [trade["id"] for trade in client.fetch_my_trades(BTC)]
    assert [trade["id"] for trade in client.fetch_my_trades(BTC, params={"fromId": ids[1]})] == ids[1:]
    assert [trade["id"] for trade in client.fetch_my_trades(BTC, limit=2)] == ids[1:]
    began = client.fetch_my_trades(BTC)[0]["timestamp"]
    assert [trade["id"] for trade in client.fetch_my_trades(BTC, since=began, limit=2)] == ids[:2]
    week = 7 * 86_400_000
    with pytest.raises(ccxt.BaseError, match="-4166"):
        client.fapiPrivateGetUserTrades({"symbol": "BTCUSDT", "startTime": began, "endTime": began + week + 1})
    with pytest.raises(ccxt.BaseError, match="-1128"):
        client.fapiPrivateGetUserTrades({"symbol": "BTCUSDT", "fromId": ids[0], "startTime": began})


def test_prices_and_candles_are_told_to_everybody(client, venue):
    venue.set_price(BTC, "64500")
    ticker = client.fetch_ticker(BTC)
    assert ticker["last"] == "64500"
    assert client.fetch_ohlcv(BTC, "1m")[-1][4] == "64500"
    assert client.fetch_bids_asks([BTC])[BTC]["ask"] == "64500.1"
    assert client.fetch_funding_rate(BTC)["markPrice"] == "64500"
    assert abs(client.fetch_time() - time.time() * 1000) < 5_000
