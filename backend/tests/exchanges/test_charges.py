"""What an account is charged, as each venue says it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from buddy.core.costs import Costs
from buddy.core.errors import CouldNotRead

from .recording import recorded
from .venue_answers import KRAKEN
from .venues_over_http import desk_at

D = Decimal
PAYS = Costs(maker=D("0.00018"), taker=D("0.00045"))
SCHEDULE = [{"uid": "linear", "tiers": [{"makerFee": 0.02, "takerFee": 0.05, "usdVolume": 0.0},
                                        {"makerFee": 0.018, "takerFee": 0.045, "usdVolume": 100_000.0}]}]  # fmt: skip
SAID: dict[str, dict[str, Any]] = {
    "binance": {"/commissionRate": {"symbol": "BTCUSDT", "makerCommissionRate": "0.000180",
                                    "takerCommissionRate": "0.000450"}},
    "bybit": {"/fee-rate": {"retCode": 0, "result": {"list": [{"symbol": "BTCUSDT", "takerFeeRate": "0.00045",
                                                               "makerFeeRate": "0.00018"}]}}},
    "okx": {"/trade-fee": {"code": "0", "data": [{"instType": "SWAP", "maker": "-0.0002", "taker": "-0.0005",
                                                  "makerU": "-0.00018", "takerU": "-0.00045", "level": "Lv2"}]}},
    "bitget": {"/trade-rate": {"code": "00000", "data": {"makerFeeRate": "0.00018", "takerFeeRate": "0.00045"}}},
    "bingx": {"/commissionRate": {"code": 0, "data": {"commission": {"takerCommissionRate": 0.00045,
                                                                     "makerCommissionRate": 0.00018}}}},
    "kraken": {"/instruments": {"result": "success", "instruments": [
                   {**KRAKEN["/instruments"]["instruments"][0], "feeScheduleUid": "linear"}]},
               "/feeschedules": {"result": "success", "feeSchedules": SCHEDULE},
               "/feeschedules/volumes": {"result": "success", "volumesByFeeSchedule": {"linear": 217_587.88}}},
    "binance-spot": {"/v3/account": {"balances": [], "makerCommission": 2, "takerCommission": 5, "commissionRates": {
        "maker": "0.00018000", "taker": "0.00045000", "buyer": "0.00000000", "seller": "0.00000000"}}},
    "kraken-spot": {"/TradeVolume": {"error": [], "result": {"currency": "ZUSD", "volume": "217587.88",
        "fees": {"XXBTZUSD": {"fee": "0.0450"}}, "fees_maker": {"XXBTZUSD": {"fee": "0.0180"}}}}},
}  # fmt: skip


@pytest.mark.parametrize("venue", SAID)
def test_the_accounts_own_rates_are_read(store, venue):
    exchange, wire = recorded(venue, **SAID[venue])
    assert exchange.charges() == PAYS
    assert all(path.endswith("/TradeVolume") for _, path, _ in wire.writes())  # where questions are posted, too


@pytest.mark.parametrize("venue", SAID)
def test_an_answer_without_rates_is_no_fee_of_nothing(store, venue):
    exchange, wire = recorded(venue)
    wire.answers = {"": {"code": "0", "retCode": 0, "result": {}, "data": {}}}
    with pytest.raises(CouldNotRead):
        exchange.charges()


def test_a_rate_beyond_reason_is_not_believed(store):
    exchange, _ = recorded("binance", **{"/commissionRate": {"makerCommissionRate": "0.02",
                                                             "takerCommissionRate": "4.5"}})  # fmt: skip
    with pytest.raises(CouldNotRead, match="about its fees"):
        exchange.charges()


def test_a_rebate_is_less_than_nothing(store):
    paid = {"instType": "SWAP", "maker": "-0.0002", "taker": "-0.0005", "makerU": "0.00005", "takerU": "-0.0002"}
    exchange, _ = recorded("okx", **{"/trade-fee": {"code": "0", "data": [paid]}})
    assert exchange.charges() == Costs(maker=D("-0.00005"), taker=D("0.0002"))


@pytest.mark.parametrize("venue", ["binance", "bybit", "bingx", "binance-spot"])
def test_a_stand_in_venue_charges_what_it_says(store, venues, venue):
    desk = desk_at(venues, venue, maker="0.00018", taker="0.00045")
    assert desk.exchange.charges() == PAYS
