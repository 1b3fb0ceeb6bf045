"""Rows as the core sees them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from buddy.trading.executor import open_trade
from buddy.trading.models import Trade
from tests.apps.trading_rig import flat, freeze, go_on, long_plan, look_all, replay_account, write_candles

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_restored_trade_is_managed_by_its_own_plan_not_by_the_one_its_number_had_before(alice: Any) -> None:
    rows = [*flat("100500", 2), ("100500", "100500", "99900", "100200"), *flat("100200", 2)]
    account = replay_account(alice, write_candles("restored_BTCUSDT_1m.csv", rows))
    trade = open_trade(account, long_plan(entries=[{"kind": "limit", "price": "90000"}], stop={"price": "89000"}))
    trade.refresh_from_db()
    assert trade.status == "pending"
    dump = [*flat("100500", 2), ("100500", "100500", "99900", "100200"), ("100200", "100200", "98500", "98600")]
    other = replay_account(alice, write_candles("dump_BTCUSDT_1m.csv", dump), name="Dump", is_main=False)
    freeze(other)
    other.refresh_from_db()
    told = open_trade(other, long_plan())
    number = trade.pk
    Trade.objects.filter(pk=number).delete()
    Trade.objects.filter(pk=told.pk).delete()
    Trade(**_columns(told) | {"id": number}).save(force_insert=True)
    restored = Trade.objects.get(pk=number)
    assert restored.status == "pending"
    go_on(other)
    look_all(restored)
    assert (restored.status, restored.exit_reason) == ("closed", "stop_loss")
    assert restored.average_entry == Decimal(100000)


def _columns(trade: Trade) -> dict[str, Any]:
    return {field.attname: getattr(trade, field.attname) for field in Trade._meta.concrete_fields}
