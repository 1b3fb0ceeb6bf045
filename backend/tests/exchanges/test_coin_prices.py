"""Coins behind a simulated market: the same prices under other names, owned outright."""

from __future__ import annotations

from decimal import Decimal

import pytest

from buddy.core.market import ONE
from buddy.exchanges.connect import source_for
from buddy.exchanges.market_data.as_spot import CoinPrices
from buddy.exchanges.market_data.simulated import SimulatedPrices
from buddy.exchanges.market_data.source import Quiet, UnknownSymbol
from buddy.exchanges.models import Account

NOON = 1_795_262_400_000
HOUR = 3_600_000
PERPETUALS = SimulatedPrices(7, lambda: NOON)
COINS = CoinPrices(PERPETUALS)
BTC, PERPETUAL = "BTC/USDT", "BTC/USDT:USDT"


def test_coins_have_no_leverage_and_smaller_lots():
    coin = COINS.instrument(BTC)
    assert (coin.symbol, coin.spot, coin.settle, coin.contract_size) == (BTC, True, "USDT", ONE)
    assert (coin.max_leverage, coin.tiers, coin.lot_size) == (ONE, (), Decimal("0.00001"))
    assert [one.symbol for one in COINS.instruments()][:2] == [BTC, "ETH/USDT"]


def test_prices_candles_and_ways_are_the_perpetuals_under_their_own_name():
    assert (COINS.quote(BTC).symbol, COINS.quote(BTC).last) == (BTC, PERPETUALS.quote(PERPETUAL).last)
    assert COINS.change(BTC) == PERPETUALS.change(PERPETUAL)
    found, same = (
        source.candles(name, "1m", None, None, 50) for source, name in ((COINS, BTC), (PERPETUALS, PERPETUAL))
    )
    assert (found.symbol, found.rows) == (BTC, same.rows)
    both = [BTC, "ETH/USDT"]
    steps = list(COINS.path(both, NOON - HOUR, NOON))
    assert {step.symbol for step in steps} == set(both)
    assert [step.played for step in steps if step.symbol == BTC] == [
        step.played for step in PERPETUALS.path([PERPETUAL], NOON - HOUR, NOON)
    ]


def test_a_quiet_way_is_leapt_over():
    quiet = Quiet(Decimal(1), Decimal(10**9), NOON)
    (step,) = COINS.path([BTC], NOON - HOUR, NOON - 2_000, quiet=lambda: quiet)
    assert (step.symbol, step.end) == (BTC, NOON - 2_000)


def test_owning_coins_costs_no_funding():
    assert PERPETUALS.funding(PERPETUAL, NOON - 24 * HOUR, NOON)
    assert COINS.funding(BTC, NOON - 24 * HOUR, NOON) == []


@pytest.mark.parametrize("symbol", [PERPETUAL, "BTC", "NONE/USDT"])
def test_what_is_no_coin_is_not_traded(symbol):
    with pytest.raises(UnknownSymbol):
        COINS.quote(symbol)


@pytest.mark.parametrize(("venue", "spot"), [("binance-spot", True), ("kraken-spot", True), ("binance", False)])
def test_a_paper_account_trades_coins_where_its_venue_does(venue, spot):
    account = Account(venue=venue, seed=7)
    assert (account.is_spot, source_for(account).instruments()[0].spot) == (spot, spot)
