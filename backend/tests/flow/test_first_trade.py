"""One trade from wish to journal row, on a few candles written by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from buddy.trading.executor import open_trade
from buddy.trading.models import ExitReason, Trade
from tests.apps.trading_rig import flat, long_plan, look_all, replay_account, write_candles

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
