"""Whole trades on a month of recorded minutes: every figure equals the one worked out from the candles alone."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars
import pytest
from django.conf import settings

from buddy.core.exchange import OrderStatus
from buddy.exchanges.connect import source_for
from buddy.exchanges.models import Account
from buddy.trading.models import Order, Trade
from buddy.trading.moments import to_ms
from tests.apps.trading_rig import look_all, replay_account
from tests.flow.oracle import Bar, Told, Wanted, walk

pytestmark = pytest.mark.django_db(transaction=True)

FILE = "binance_BTCUSDT_1m_202506_202507.parquet"
SHARES = (Decimal("0.4"), Decimal("0.3"), Decimal("0.3"))


@pytest.fixture(scope="module")
def recording(shared_dir: Path) -> list[Bar]:
    """The bars, exact."""
    folder = Path(settings.REPLAY_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(shared_dir / "market-data" / FILE, folder / FILE)
    table = polars.read_parquet(folder / FILE)
    rows = zip(table["ts"].dt.epoch("ms"), table.select("open", "high", "low", "close").iter_rows(), strict=True)
    return [Bar(time, *(Decimal(repr(price)) for price in prices)) for time, prices in rows]


def wanted_at(bar: Bar, sign: int, account: Account, cancel: str | None = None) -> Wanted:
    """Levels at fixed distances from a bar's close."""
    instrument = source_for(account).instrument("BTC/USDT:USDT")
    entry, stop, *targets = (
        (bar.close * (1 + sign * Decimal(part))).quantize(Decimal(1))
        for part in ("-0.002", "-0.008", "0.004", "0.009", "0.014")
    )
    away = None if cancel is None else (bar.close * (1 + sign * Decimal(cancel))).quantize(Decimal(1))
    first, second, third = targets
    risk = Decimal(100)
    lot, tick = instrument.lot_size, instrument.tick_size
    return Wanted(sign, entry, stop, (first, second, third), SHARES, risk, lot, tick, away)


def document(wanted: Wanted) -> dict[str, Any]:
    targets = zip(wanted.targets, wanted.shares, strict=True)
    plan: dict[str, Any] = {
        "symbol": "BTC/USDT:USDT",
        "entries": [{"kind": "limit", "price": str(wanted.entry)}],
        "stop": {"price": str(wanted.stop)},
        "take_profits": [{"price": str(price), "share": str(share)} for price, share in targets],
        "risk": {"money": str(wanted.money)},
        "rules": {"break_even": {"after": {"take_profit": 1}, "cover": "costs"}},
    }
    if wanted.cancel_at is not None:
        plan["cancel"] = {"above" if wanted.sign > 0 else "below": str(wanted.cancel_at)}
    return plan


def play(
    api: Any,
    owner: Any,
    bars: Sequence[Bar],
    start: int,
    sign: int,
    cancel: str | None = None,
) -> tuple[Trade, Told]:
    """Open over HTTP with the clock at the close of bar `start`, look until it is over."""
    account = replay_account(owner, FILE, clock_time=bars[start].time + 60_000)
    wanted = wanted_at(bars[start], sign, account, cancel)
    body = {"account": account.pk, "plan": document(wanted)}
    answer = api.post("/api/v1/trades", body, format="json", headers={"Idempotency-Key": uuid.uuid4().hex})
    assert answer.status_code == 201, answer.json()
    trade = Trade.objects.get(pk=answer.json()["id"])
    look_all(trade)
    return trade, walk(wanted, bars[start + 1 :])


def assert_equal_to_the_oracle(api: Any, trade: Trade, told: Told) -> None:
    assert (trade.status, trade.exit_reason) == (Trade.Status.CLOSED, told.outcome)
    assert trade.entered_quantity == told.quantity
    exits = list(trade.fills.exclude(order__role="entry").order_by("time", "id"))
    assert [(fill.price, fill.quantity, fill.fee) for fill in exits] == told.exits
    funding = [(to_ms(row.time), row.amount) for row in trade.income.order_by("time")]
    assert funding == told.funding
    assert (trade.gross, trade.fees, trade.funding, trade.net) == (told.gross, told.fees, told.funded, told.net)
    assert trade.initial_risk == told.risk
    assert trade.r == told.r.quantize(Decimal("1e-18"))
    assert not Order.objects.filter(trade=trade, status__in=[OrderStatus.OPEN, OrderStatus.UNKNOWN]).exists()
    row = api.get(f"/api/v1/journal/{trade.pk}").json()["trade"]
    assert (Decimal(row["net"]), Decimal(row["fees"])) == (told.net, told.fees)
    assert abs(Decimal(row["r"]) - told.r) < Decimal("1e-9")
    figures = api.get(f"/api/v1/stats/summary?account={trade.account_id}").json()["figures"]
    assert Decimal(figures["net_pnl"]["value"]) == told.net
    assert Decimal(figures["fees"]["value"]) == told.fees
    assert Decimal(figures["funding"]["value"]) == told.funded
    assert abs(Decimal(figures["total_r"]["value"]) - told.r) < Decimal("1e-9")


def test_a_long_whose_stop_moves_to_break_even_after_the_first_target(api: Any, alice: Any, recording: Any) -> None:
    trade, told = play(api, alice, recording, 500, 1)
    assert (told.outcome, len(told.exits)) == ("break_even", 2)
    assert_equal_to_the_oracle(api, trade, told)
    assert Order.objects.get(trade=trade, role="stop", status="filled").trigger == told.stop


def test_a_long_that_reaches_all_three_targets(api: Any, alice: Any, recording: Any) -> None:
    trade, told = play(api, alice, recording, 1128, 1)
    assert (told.outcome, len(told.exits)) == ("take_profit", 3)
    assert_equal_to_the_oracle(api, trade, told)


def test_a_long_that_is_stopped_at_once(api: Any, alice: Any, recording: Any) -> None:
    trade, told = play(api, alice, recording, 971, 1)
    assert told.outcome == "stop_loss"
    assert_equal_to_the_oracle(api, trade, told)
    assert trade.r is not None
    assert Decimal(-1) <= trade.r < Decimal("-0.99")


def test_a_short_whose_stop_moves_to_break_even_after_the_first_target(api: Any, alice: Any, recording: Any) -> None:
    trade, told = play(api, alice, recording, 3169, -1)
    assert (told.outcome, len(told.exits)) == ("break_even", 2)
    assert_equal_to_the_oracle(api, trade, told)


def test_a_short_that_reaches_all_three_targets(api: Any, alice: Any, recording: Any) -> None:
    trade, told = play(api, alice, recording, 814, -1)
    assert (told.outcome, len(told.exits)) == ("take_profit", 3)
    assert_equal_to_the_oracle(api, trade, told)


@pytest.mark.parametrize(("start", "sign"), [(1128, 1), (3483, -1)])
def test_an_entry_that_runs_away_is_withdrawn(api: Any, alice: Any, recording: Any, start: int, sign: int) -> None:
    trade, told = play(api, alice, recording, start, sign, cancel="0.0005")
    assert told.outcome == "missed"
    assert (trade.status, trade.withdrawal) == (Trade.Status.CANCELLED, "missed")
    assert not trade.fills.exists()
    assert [order.status for order in trade.orders.all()] == ["cancelled"]
