"""One trade from wish to journal row, on a few candles written by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from buddy.events.models import Event
from buddy.exchanges.connect import source_for
from buddy.exchanges.models import Account
from buddy.trading import watcher
from buddy.trading.executor import close, open_trade
from buddy.trading.models import ExitReason, Trade
from tests.apps.trading_rig import MINUTE, START, flat, freeze, long_plan, look_all, replay_account, write_candles

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_long_takes_both_its_targets(alice: Any) -> None:
    rows = [*flat("100500", 2), ("100500", "100500", "99900", "100200"), ("100200", "101100", "100200", "101050")]
    rows += [("101050", "102100", "101000", "102050"), *flat("102050", 3)]
    account = replay_account(alice, write_candles("flow_BTCUSDT_1m.csv", rows))
    trade = open_trade(account, long_plan())
    look_all(trade)
    assert trade.status == Trade.Status.CLOSED
    assert trade.exit_reason == ExitReason.TAKE_PROFIT
    assert trade.average_entry == Decimal(100000)


def test_the_first_stop_of_an_entry_is_no_return_of_protection(alice: Any) -> None:
    rows = [("100000", "100100", "99900", "100050"), ("100050", "102100", "100000", "102050"), *flat("102050", 2)]
    account = replay_account(alice, write_candles("first_BTCUSDT_1m.csv", rows))
    trade = open_trade(account, long_plan(entries=[{"kind": "market"}]))
    look_all(trade)
    kinds = Event.objects.filter(trade_id=trade.pk).values_list("kind", flat=True)
    assert "stop_placed" in kinds
    assert "protection_restored" not in kinds


def test_a_long_held_for_two_months_pays_every_eight_hours(alice: Any) -> None:
    day, begin = 24 * 60 * MINUTE, 1_748_736_000_000
    rows = [*flat("100000", 66), ("100000", "102500", "100000", "102500"), *flat("102500", 2)]
    account = replay_account(alice, write_candles("held_BTCUSDT_1d.csv", rows, begin, day), clock_time=begin + day)
    trade = open_trade(account, long_plan(entries=[{"kind": "market"}]))
    look_all(trade)
    assert (trade.status, trade.exit_reason) == (Trade.Status.CLOSED, ExitReason.TAKE_PROFIT)
    assert trade.entered_quantity is not None
    paid = -trade.entered_quantity * 100_000 / 10_000
    assert [row.amount for row in trade.income.all()] == [paid] * 65 * 3
    assert trade.funding == paid * 65 * 3
    assert trade.net == trade.gross - trade.fees + trade.funding


def test_what_was_seen_of_several_trades_is_kept_whatever_becomes_of_them(
    alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [("100000", "100100", "99900", "100050"), ("100050", "100700", "99600", "100500"), *flat("100500", 2)]
    account = replay_account(alice, write_candles("seen_BTCUSDT_1m.csv", rows))
    freeze(account)
    plan = long_plan(entries=[{"kind": "market"}], take_profits=[{"price": "103000"}])
    trades = [open_trade(account, plan), open_trade(account, plan)]

    def fails(*_: Any) -> bool:
        raise RuntimeError

    monkeypatch.setattr(watcher, "_tend", fails)
    Account.objects.filter(pk=account.pk).update(clock_time=START + 3 * MINUTE)
    watcher.look(account.pk)
    for trade in trades:
        trade.refresh_from_db()
        assert Decimal(trade.memory["best"]) == 100_700


def test_on_simulated_prices_nothing_executes_before_it_was_asked_for(alice: Any) -> None:
    account = Account.objects.create(owner=alice, name="Simulated", seed=7)
    trade = open_trade(account, market_plan(account))
    close(trade, Decimal(1))
    times = list(Event.objects.filter(trade_id=trade.pk).order_by("id").values_list("time", flat=True))
    assert len(times) > 3
    assert times == sorted(times)


def market_plan(account: Account) -> dict[str, Any]:
    last = source_for(account).quote("BTC/USDT:USDT").last
    stop, target = last.quantize(Decimal(1)) - 1000, last.quantize(Decimal(1)) + 3000
    return long_plan(entries=[{"kind": "market"}], stop={"price": str(stop)}, take_profits=[{"price": str(target)}])
