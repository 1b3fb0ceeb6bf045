"""The stand-in Binance spot through the unmodified client: coins are owned, orders lock them, pairs share them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from emulator.binance_spot.routes import ROUTES
from emulator.handle import ControlError
from emulator.spot_account import STOPS_PER_SYMBOL
from emulator.venue import PATIENCE

from .conftest import Spoken

BTC = "BTC/USDT"
PAIR = {
    "symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01", "listClientOrderId": "pair-1",
    "aboveType": "LIMIT_MAKER", "abovePrice": "66000", "aboveClientOrderId": "target-1",
    "belowType": "STOP_LOSS", "belowStopPrice": "62000", "belowClientOrderId": "stop-1",
}  # fmt: skip


@pytest.fixture(scope="module")
def spoken() -> Spoken:
    spot = {"options": {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}}}
    return Spoken("binance-spot", "binance", spot, BTC)


@pytest.fixture
def stash(client: Any, venue: Any) -> Any:
    """A client whose account owns a hundredth of a bitcoin."""
    venue.deposit(client.apiKey, "BTC", "0.01")
    return client


def buy(client: Any, quantity: float = 0.01, **params: Any) -> Any:
    return client.create_order(BTC, "market", "buy", quantity, None, params)


def stop(client: Any, client_id: str, quantity: float = 0.01, trigger: str = "62000") -> Any:
    asked = {"stopLossPrice": trigger, "clientOrderId": client_id}
    return client.create_order(BTC, "market", "sell", quantity, None, asked)


def pair(client: Any, **changes: str) -> Any:
    return client.privatePostOrderListOco(PAIR | changes)


def found(client: Any, client_id: str) -> Any:
    return client.fetch_order("", BTC, {"clientOrderId": client_id})


def ended(client: Any, *client_ids: str) -> list[tuple[str, Decimal]]:
    orders = [found(client, each) for each in client_ids]
    return [(order["info"]["status"], Decimal(order["filled"])) for order in orders]


def names(client: Any) -> list[str]:
    return sorted(order["clientOrderId"] for order in client.fetch_open_orders(BTC))


@contextmanager
def refused(client: Any, code: int, text: str = "", error: type[ccxt.BaseError] = ccxt.BaseError) -> Iterator[None]:
    """With the vendor's code and words, whatever the library makes of them."""
    with pytest.raises(error):
        yield
    told = json.loads(client.last_http_response)
    assert told["code"] == code
    assert text in told["msg"]


def coins(client: Any, coin: str) -> tuple[Decimal, Decimal]:
    """Free and locked."""
    has = client.fetch_balance()[coin]
    return Decimal(has["free"]), Decimal(has["used"])


D = Decimal


# Buying and selling


def test_of_a_purchase_the_venue_keeps_its_commission_in_the_coin(client):
    order = buy(client)
    assert (order["status"], Decimal(order["filled"]), order["average"]) == ("closed", D("0.01"), "64000")
    assert order["fee"] == {"currency": "BTC", "cost": "0.00000500"}
    assert (coins(client, "BTC"), coins(client, "USDT")) == ((D("0.009995"), 0), (D(9_360), 0))


def test_of_a_sale_it_keeps_the_commission_in_money(stash):
    stash.create_order(BTC, "market", "sell", 0.01)
    (trade,) = stash.fetch_my_trades(BTC)
    assert (trade["side"], trade["takerOrMaker"], trade["fee"]["currency"]) == ("sell", "taker", "USDT")
    assert D(trade["fee"]["cost"]) == D("0.32")
    assert coins(stash, "USDT") == (D("10639.68"), 0)


def test_commissions_are_cut_down_to_eight_digits(client):
    order = buy(client, 0.00033)
    assert order["fee"]["cost"] == "0.00000016"


def test_commissions_can_be_paid_with_another_coin_while_there_is_some(client, venue):
    venue.pay_fees_with(client.apiKey, "BNB", "640")
    venue.deposit(client.apiKey, "BNB", "0.0007")
    assert [buy(client)["fee"]["currency"] for _ in range(2)] == ["BNB", "BTC"]
    assert (coins(client, "BNB"), coins(client, "BTC")) == ((D("0.0002"), 0), (D("0.019995"), 0))


def test_money_can_be_spent_instead_of_coins_bought(client):
    assert D(client.create_market_buy_order_with_cost(BTC, 1_000)["filled"]) == D("0.01562")


def test_what_rests_locks_what_it_would_give(stash):
    stash.create_order(BTC, "limit", "buy", 0.01, 63_000)
    stash.create_order(BTC, "limit", "sell", 0.004, 66_000)
    stop(stash, "stop-1", 0.006)
    assert (coins(stash, "USDT"), coins(stash, "BTC")) == ((D(9_370), D(630)), (0, D("0.01")))
    with refused(stash, -2010, "insufficient balance", ccxt.InsufficientFunds):
        stash.create_order(BTC, "market", "sell", 0.001)


def test_a_resting_order_trades_at_its_price_and_pays_the_makers_fee(client, venue):
    client.create_order(BTC, "limit", "buy", 0.01, 63_000, {"clientOrderId": "entry-1"})
    venue.set_price(BTC, "62900")
    (trade,) = client.fetch_my_trades(BTC)
    assert (D(trade["price"]), trade["takerOrMaker"], D(trade["fee"]["cost"])) == (63_000, "maker", D("0.000002"))
    assert ended(client, "entry-1") == [("FILLED", D("0.01"))]


def test_a_stop_lies_among_all_orders_and_keeps_its_number(stash, venue):
    placed = stop(stash, "stop-1")
    (resting,) = stash.fetch_open_orders(BTC)
    assert (resting["id"], resting["info"]["type"], resting["info"]["isWorking"]) == (placed["id"], "STOP_LOSS", False)
    venue.set_price(BTC, "61000")
    (trade,) = stash.fetch_my_trades(BTC)
    assert (trade["order"], D(trade["price"]), names(stash)) == (placed["id"], 62_000, [])


def test_a_stop_meets_a_gap_where_the_market_opens(stash, venue):
    stop(stash, "stop-1")
    venue.set_price(BTC, "60000", jump=True)
    assert D(stash.fetch_my_trades(BTC)[0]["price"]) == 60_000


def test_a_breakout_buys_at_its_trigger(client, venue):
    client.create_order(BTC, "market", "buy", 0.01, None, {"triggerPrice": "65000", "clientOrderId": "entry-1"})
    assert coins(client, "USDT") == (D(9_350), D(650))
    venue.set_price(BTC, "65100")
    assert (ended(client, "entry-1"), coins(client, "USDT")) == ([("FILLED", D("0.01"))], (D(9_350), 0))


# Pairs


def test_a_pair_locks_its_coins_once(stash):
    told = pair(stash)
    assert [each["type"] for each in told["orderReports"]] == ["STOP_LOSS", "LIMIT_MAKER"]
    assert {each["orderListId"] for each in told["orderReports"]} == {told["orderListId"]}
    assert (names(stash), coins(stash, "BTC")) == (["stop-1", "target-1"], (0, D("0.01")))


def test_when_the_target_trades_the_stop_expires(stash, venue):
    pair(stash)
    venue.set_price(BTC, "66100")
    assert ended(stash, "target-1", "stop-1") == [("FILLED", D("0.01")), ("EXPIRED", 0)]
    assert (coins(stash, "BTC"), coins(stash, "USDT")) == ((0, 0), (D("10659.868"), 0))


def test_when_the_stop_triggers_the_target_expires(stash, venue):
    told = pair(stash)
    venue.set_price(BTC, "61000")
    assert ended(stash, "target-1", "stop-1") == [("EXPIRED", 0), ("FILLED", D("0.01"))]
    over = stash.privateGetOrderList({"orderListId": told["orderListId"]})
    assert (over["listStatusType"], over["listOrderStatus"]) == ("ALL_DONE", "ALL_DONE")
    with refused(stash, -2011, error=ccxt.OrderNotFound):
        stash.cancel_order("", BTC, {"clientOrderId": "target-1"})


def test_a_target_taken_in_part_ends_the_stop_as_well(stash, venue):
    pair(stash)
    venue.fill(stash.apiKey, "0.004", client_id="target-1")
    assert ended(stash, "target-1", "stop-1") == [("PARTIALLY_FILLED", D("0.004")), ("EXPIRED", 0)]
    venue.set_price(BTC, "61000")
    assert coins(stash, "BTC") == (0, D("0.006"))


@pytest.mark.parametrize("half", ["target-1", "stop-1"])
def test_with_either_half_goes_the_other(stash, half):
    pair(stash)
    stash.cancel_order("", BTC, {"clientOrderId": half})
    assert ended(stash, "target-1", "stop-1") == [("CANCELED", 0), ("CANCELED", 0)]
    assert coins(stash, "BTC") == (D("0.01"), 0)


def test_a_pair_is_cancelled_by_its_own_name(stash):
    told = pair(stash)
    over = stash.privateDeleteOrderList({"symbol": "BTCUSDT", "listClientOrderId": "pair-1"})
    assert (over["orderListId"], over["listStatusType"]) == (told["orderListId"], "ALL_DONE")
    assert {each["status"] for each in over["orderReports"]} == {"CANCELED"}
    with refused(stash, -2011, error=ccxt.OrderNotFound):
        stash.privateDeleteOrderList({"symbol": "BTCUSDT", "listClientOrderId": "pair-1"})
    with refused(stash, -2013, error=ccxt.OrderNotFound):
        stash.privateGetOrderList({"origClientOrderId": "nobody"})


def test_a_buying_pair_stands_on_its_head(client, venue):
    upside_down = {
        "side": "BUY", "quantity": "0.01", "symbol": "BTCUSDT",
        "aboveType": "STOP_LOSS", "aboveStopPrice": "66000", "aboveClientOrderId": "breakout",
        "belowType": "LIMIT_MAKER", "belowPrice": "62000", "belowClientOrderId": "dip",
    }  # fmt: skip
    client.privatePostOrderListOco(upside_down)
    assert coins(client, "USDT") == (D(9_340), D(660))
    venue.set_price(BTC, "61900")
    assert ended(client, "breakout", "dip") == [("EXPIRED", 0), ("FILLED", D("0.01"))]


def test_all_orders_of_a_symbol_go_at_once_pairs_among_them(stash, venue):
    venue.deposit(stash.apiKey, "BTC", "0.01")
    pair(stash)
    stop(stash, "stop-2")
    stash.cancel_all_orders(BTC)
    assert (names(stash), coins(stash, "BTC")) == ([], (D("0.02"), 0))
    with refused(stash, -2011, error=ccxt.OrderNotFound):
        stash.cancel_all_orders(BTC)


# What it refuses

LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "63000",
}
STOP = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS", "quantity": "0.01", "stopPrice": "62000"}
POOR = "Account has insufficient balance for requested action."
REFUSALS = [
    (LIMIT | {"price": "63000.005"}, -1013, "Filter failure: PRICE_FILTER", ccxt.InvalidOrder),
    (LIMIT | {"quantity": "0.010005"}, -1013, "Filter failure: LOT_SIZE", ccxt.InvalidOrder),
    (LIMIT | {"quantity": "0.0000000001"}, -1111, "Parameter 'quantity' has too much precision.", ccxt.BadRequest),
    (LIMIT | {"quantity": "0.00001"}, -1013, "Filter failure: NOTIONAL", ccxt.BadRequest),
    (LIMIT | {"quantity": "9001"}, -1013, "Filter failure: LOT_SIZE", ccxt.InvalidOrder),
    (LIMIT | {"quantity": "1"}, -2010, POOR, ccxt.InsufficientFunds),
    (LIMIT | {"quantity": "-1"}, -1013, "Invalid quantity.", ccxt.BadRequest),
    (LIMIT | {"newClientOrderId": "no spaces"}, -1100, "Illegal characters", ccxt.BadRequest),
    (LIMIT | {"reduceOnly": "true"}, -1104, "Not all sent parameters were read", ccxt.ExchangeError),
    (LIMIT | {"timeInForce": ""}, -1102, "Mandatory parameter 'timeInForce'", ccxt.BadRequest),
    (LIMIT | {"type": "MARKET", "timeInForce": ""}, -1106, "Parameter 'price' sent when not", ccxt.BadRequest),
    (LIMIT | {"type": "STOP_MARKET"}, -1116, "Invalid orderType.", ccxt.BadRequest),
    (LIMIT | {"symbol": "NOPEUSDT"}, -1121, "Invalid symbol.", ccxt.BadSymbol),
    (STOP | {"stopPrice": "64000"}, -2010, "Stop price would trigger immediately.", ccxt.OrderImmediatelyFillable),
    (STOP, -2010, POOR, ccxt.InsufficientFunds),
    (
        LIMIT | {"type": "LIMIT_MAKER", "timeInForce": "", "price": "65000"},
        -2010,
        "Order would immediately match and take.",
        ccxt.OrderImmediatelyFillable,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "code", "text", "error"), REFUSALS, ids=[row[2][:40] for row in REFUSALS])
def test_refuses_with_the_vendors_code_and_text(client, asked, code, text, error):
    with refused(client, code, text, error):
        client.privatePostOrder({name: value for name, value in asked.items() if value})
    assert names(client) == []


PAIR_REFUSALS = [
    ({"abovePrice": "64000"}, -2010, "The relationship of the prices"),
    ({"belowStopPrice": "64000"}, -2010, "The relationship of the prices"),
    ({"quantity": "0.011"}, -2010, "Account has insufficient balance"),
    ({"belowStopPrice": "62000.005"}, -1013, "Filter failure: PRICE_FILTER"),
    ({"quantity": "0.00007"}, -1013, "Filter failure: NOTIONAL"),
    ({"belowClientOrderId": "target-1"}, -2010, "Duplicate order sent."),
    ({"belowType": "MARKET"}, -1158, "Order type not supported in OCO."),
    ({"belowType": "LIMIT_MAKER", "belowPrice": "62000", "belowStopPrice": ""}, -1168, "At least one OCO order"),
    ({"reduceOnly": "true"}, -1104, "Not all sent parameters were read"),
    (
        {"aboveType": "STOP_LOSS", "abovePrice": "", "aboveStopPrice": "66000",
         "belowType": "LIMIT_MAKER", "belowStopPrice": "", "belowPrice": "62000"},
        -1197, "A stop loss order in a sell OCO must be below.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "code", "text"), PAIR_REFUSALS, ids=[f"{row[1]}{row[2]}" for row in PAIR_REFUSALS])
def test_a_pair_is_taken_whole_or_not_at_all(stash, changes, code, text):
    with refused(stash, code, text):
        stash.privatePostOrderListOco({name: value for name, value in (PAIR | changes).items() if value})
    assert (names(stash), coins(stash, "BTC")) == ([], (D("0.01"), 0))


def test_a_client_id_is_taken_only_while_its_order_is_open(stash):
    pair(stash)
    for asked in ({"newClientOrderId": "target-1"}, {"newClientOrderId": "stop-1"}):
        with refused(stash, -2010, "Duplicate order sent."):
            stash.privatePostOrder(LIMIT | asked)
    with refused(stash, -2010, "Duplicate order sent."):
        pair(stash, aboveClientOrderId="a", belowClientOrderId="b")
    stash.cancel_order("", BTC, {"clientOrderId": "stop-1"})
    pair(stash)
    assert found(stash, "stop-1")["status"] == "open"


def test_only_so_many_stops_rest_on_a_symbol(client, venue):
    venue.deposit(client.apiKey, "BTC", "1")
    for number in range(STOPS_PER_SYMBOL):
        stop(client, f"resting-{number}")
    with refused(client, -2010, "Filter failure: MAX_NUM_ALGO_ORDERS"):
        pair(client)


def test_a_market_that_is_closed_says_so(client, venue):
    venue.change_instrument(BTC, active=False)
    with refused(client, -1013, "Market is closed.", ccxt.MarketClosed):
        buy(client)
    venue.change_instrument(BTC, active=True)


def test_an_unknown_order_is_missing_when_read_and_unknown_when_cancelled(client):
    with refused(client, -2013, error=ccxt.OrderNotFound):
        found(client, "nobody")
    with refused(client, -2011, error=ccxt.OrderNotFound):
        client.cancel_order("", BTC, {"clientOrderId": "nobody"})


def test_keys_signatures_and_clocks_are_checked(sign_in, key, client, venue):
    with pytest.raises(ccxt.AuthenticationError, match="-1022"):
        sign_in(key, "guess").fetch_balance()
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        sign_in("nobody").fetch_balance()
    venue.set_skew(30_000)
    with pytest.raises(ccxt.InvalidNonce, match="-1021"):
        client.fetch_balance()
    venue.set_skew(0)
    venue.change_key(key, can_withdraw=True)
    told = client.sapiGetAccountApiRestrictions()
    assert (told["enableWithdrawals"], told["enableSpotAndMarginTrading"], told["enableFutures"]) == (True, True, False)
    venue.change_key(key, can_trade=False)
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        buy(client)


def test_accounts_know_nothing_of_each_other(sign_in, stash, venue):
    venue.open_account("neighbour", "secret", wallet="500")
    pair(stash)
    other = sign_in("neighbour")
    assert (coins(other, "USDT"), coins(other, "BTC"), names(other)) == ((D(500), 0), (0, 0), [])


# Faults


@pytest.mark.parametrize("kind", ["drop_after", "status_after"])
def test_the_outcome_of_a_pair_is_unknown_and_it_is_there(stash, venue, kind):
    venue.fault(kind, method="POST", path="/api/v3/orderList/oco")
    with pytest.raises(ccxt.NetworkError):
        pair(stash)
    assert names(stash) == ["stop-1", "target-1"]


@pytest.mark.parametrize("kind", ["drop_before", "status_before"])
def test_the_outcome_of_a_pair_is_unknown_and_it_is_not_there(stash, venue, kind):
    venue.fault(kind, method="POST", path="/api/v3/orderList/oco")
    with pytest.raises(ccxt.NetworkError):
        pair(stash)
    assert names(stash) == []


def test_a_stale_read_knows_nothing_of_the_newest_order_nor_of_what_it_locks(stash, venue):
    pair(stash)
    venue.fault("stale", method="GET", seconds=30, times=None)
    assert (names(stash), stash.fetch_balance()["info"]["balances"][0]["locked"]) == ([], "0.00000000")
    venue.clear_faults()
    assert names(stash) == ["stop-1", "target-1"]


def test_questions_about_all_symbols_weigh_more():
    asked = ROUTES["GET", "/api/v3/openOrders"]
    assert (asked.weighs({"symbol": "BTCUSDT"}), asked.weighs({})) == (6, 80)


def test_the_weight_of_requests_is_counted_and_who_goes_on_is_banned(client, venue):
    client.fetch_balance()
    assert int(client.last_response_headers["X-MBX-USED-WEIGHT-1M"]) >= 20
    venue.set_limit(1)
    for _ in range(PATIENCE + 2):
        with pytest.raises(ccxt.DDoSProtection, match=r"429|418"):
            client.fetch_balance()
    with pytest.raises(ccxt.DDoSProtection, match="418"):
        client.fetch_balance()


def test_maintenance_is_said_to_be_that(client, venue):
    venue.set_maintenance()
    with pytest.raises(ccxt.OnMaintenance):
        client.fetch_balance()


# Paging, prices, the trader's hand


def test_executions_are_paged_by_id_and_by_time_within_a_day(client):
    for _ in range(3):
        buy(client, 0.001)
    ids = [trade["id"] for trade in client.fetch_my_trades(BTC)]
    began = client.fetch_my_trades(BTC)[0]["timestamp"]
    assert [trade["id"] for trade in client.fetch_my_trades(BTC, params={"fromId": ids[1]})] == ids[1:]
    assert [trade["id"] for trade in client.fetch_my_trades(BTC, since=began, limit=2)] == ids[:2]
    day = 86_400_000
    with pytest.raises(ccxt.BaseError, match="-1127"):
        client.privateGetMyTrades({"symbol": "BTCUSDT", "startTime": began, "endTime": began + day + 1})
    with pytest.raises(ccxt.BaseError, match="-1128"):
        client.privateGetMyTrades({"symbol": "BTCUSDT", "fromId": ids[0], "startTime": began})


def test_orders_that_ended_are_read_too(stash, venue):
    pair(stash)
    venue.set_price(BTC, "61000")
    assert [order["info"]["status"] for order in stash.fetch_orders(BTC)] == ["FILLED", "EXPIRED"]
    venue.archive(stash.apiKey)
    with pytest.raises(ccxt.OrderNotFound):
        found(stash, "stop-1")


def test_prices_candles_and_filters_are_told_to_everybody(client, venue):
    venue.set_price(BTC, "64500")
    assert D(client.fetch_ticker(BTC)["last"]) == D(client.fetch_ohlcv(BTC, "1m")[-1][4]) == 64_500
    assert D(client.fetch_bids_asks([BTC])[BTC]["ask"]) == D("64500.01")
    market = client.market(BTC)
    assert (D(market["precision"]["price"]), D(market["precision"]["amount"])) == (D("0.01"), D("0.00001"))
    assert (D(market["limits"]["cost"]["min"]), market["active"], market["spot"]) == (5, True, True)
    assert D(client.fetch_trading_fee(BTC)["taker"]) == D("0.0005")


def test_the_traders_hand_buys_sells_and_pairs(client, venue):
    key = client.apiKey
    venue.place(key, BTC, "buy", "0.02")
    venue.place_pair(key, BTC, "sell", "0.01", price="66000", trigger="62000", client_id="web")
    sold = venue.close(key, BTC)
    assert (D(sold["filled"]), names(client)) == (D("0.00999"), ["web_limit", "web_stop"])
    with pytest.raises(ControlError, match="Nothing of BTC/USDT is held"):
        venue.close(key, BTC)
    venue.cancel(key, client_id="web_limit")
    assert (names(client), venue.books(key)["coins"]["BTC"]["locked"]) == ([], "0")


def test_where_contracts_are_traded_nobody_owns_coins(stand_in, key):
    stand_in.binance.open_account(key, "secret")
    with pytest.raises(ControlError, match="its accounts own no coins"):
        stand_in.binance.deposit(key, "BTC", "1")
