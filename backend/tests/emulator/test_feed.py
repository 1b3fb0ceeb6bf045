"""Prices that move by themselves: a source's instruments, history and news become the venue's."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from buddy.core.market import Candle, OrderSide
from buddy.core.simulated_market import Opening, Tick
from emulator import feed
from emulator.account_books import Habits
from emulator.instruments import perpetual
from emulator.orders import Kind, Wish
from emulator.venue import Venue

COIN = "COIN/USDT:USDT"
NOON = 1_795_262_400_000
D = Decimal


class Clock:
    now = NOON

    def __call__(self) -> int:
        return self.now


def source(*news: tuple[str, Candle | Tick | Opening]) -> feed.Source:
    history = [Candle(NOON - 120_000, D(9), D(11), D(8), D(10)), Candle(NOON - 60_000, D(10), D(12), D(10), D(11))]
    left = list(news)

    def told() -> list[tuple[str, Candle | Tick | Opening]]:
        said, left[:] = list(left), []
        return said

    return feed.Source([perpetual("COIN", "0.1", "1", "5", "1000", "1000")], {COIN: history}, told)


def test_a_venue_trades_what_its_source_knows_and_nothing_else():
    venue = Venue("venue", Clock())
    feed.take_over(venue, source())
    assert list(venue.instruments) == [COIN]
    assert venue.prices[COIN].last == D(11)
    assert [row.close for row in venue.prices[COIN].candles(60_000, None, NOON, 5)] == [D(10), D(11)]
    (hour,) = venue.prices[COIN].candles(7_200_000, None, NOON, 5)
    assert hour[1:5] == (D(9), D(12), D(8), D(11))


def test_news_of_every_kind_moves_the_market_and_sets_orders_off():
    venue = Venue("venue", Clock())
    feed.take_over(venue, source())
    account = venue.open_account("key", "secret")
    account.place(Wish(COIN, OrderSide.BUY, Kind.LIMIT, D(10), D(10)))
    account.place(Wish(COIN, OrderSide.BUY, Kind.STOP_MARKET, D(10), trigger=D(14)))
    news = source((COIN, Candle(0, D(11), D(12), D("9.5"), D(12))), (COIN, Opening(0, D(15))), (COIN, Tick(0, D(16))))
    feed.beat([venue], news)
    assert [trade.price for trade in account.ledger.trades] == [D(10), D(15)]
    assert venue.prices[COIN].last == D(16)


def test_where_coins_are_traded_a_perpetual_becomes_its_coin():
    venue = Venue("venue", Clock(), Habits(spot=True, own_book=False))
    feed.take_over(venue, source())
    (listed,) = venue.instruments.values()
    assert (listed.symbol, listed.spot, listed.max_leverage) == ("COIN/USDT", True, 1)
    feed.beat([venue], source((COIN, Tick(0, D(16)))))
    assert venue.prices["COIN/USDT"].last == D(16)


def test_prices_that_are_held_move_by_hand_only():
    venue = Venue("venue", Clock(), is_held=True)
    feed.take_over(venue, source())
    feed.beat([venue], source((COIN, Tick(0, D(16)))))
    assert venue.prices[COIN].last == D(11)


def test_funding_is_paid_when_its_time_comes(monkeypatch):
    monkeypatch.setattr(feed, "BEAT", 0.01)
    clock = Clock()
    venue = Venue("venue", clock)
    feed.take_over(venue, source())
    account = venue.open_account("key", "secret")
    account.place(Wish(COIN, OrderSide.BUY, Kind.MARKET, D(10)))

    async def run() -> None:
        feeding = asyncio.create_task(feed.run([venue], source()))
        await asyncio.sleep(0.05)
        assert not [row for row in account.ledger.income if row.kind == "FUNDING_FEE"]
        clock.now += 8 * 3_600_000
        await asyncio.sleep(0.05)
        feeding.cancel()

    asyncio.run(run())
    (paid,) = [row.amount for row in account.ledger.income if row.kind == "FUNDING_FEE"]
    assert paid == D("-0.011")
