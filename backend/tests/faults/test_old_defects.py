"""The defects of the design that this one succeeds, each by name. Those of sizing alone are in tests/core."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command

from buddy.core.exchange import CancelOutcome, OrderIntent, OrderKind, OrderRef
from buddy.core.market import OrderSide
from buddy.exchanges.connect import connect
from buddy.exchanges.models import Account
from buddy.exchanges.paper import PaperExchange
from buddy.trading import rounds, watcher
from buddy.trading.executor import amend_plan, close, open_trade, withdraw_entry
from buddy.trading.models import Order, Trade
from buddy.trading.watcher import look
from tests.apps.trading_rig import (
    flat,
    freeze,
    go_on,
    is_protected,
    long_plan,
    look_until,
    replay_account,
    resting,
    short_plan,
    write_candles,
)
from tests.conftest import PASSWORD
from tests.faults.faulty import Faults, Line, faults

__all__ = ["faults"]

pytestmark = pytest.mark.django_db(transaction=True)

RISE = [
    *flat("100500", 2),
    ("100500", "100500", "99900", "100200"),
    ("100200", "101100", "100200", "101050"),
    ("101050", "101060", "99900", "99950"),
    *flat("99950", 2),
]
FALL = [
    *flat("99500", 2),
    ("99500", "100100", "99500", "99800"),
    ("99800", "99800", "97900", "97950"),
    *flat("97950", 2),
]
EVEN = {"break_even": {"after": {"take_profit": 1}}}


@pytest.fixture(autouse=True)
def _one_reading_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("buddy.trading.executor.LOOK_SECONDS", 0.0)


@pytest.fixture
def account(alice: Any) -> Account:
    return replay_account(alice, write_candles("old_BTCUSDT_1m.csv", RISE))


def is_over(trade: Trade) -> bool:
    return trade.status == Trade.Status.CLOSED


def test_the_stop_is_never_dropped_when_it_is_moved(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cancelled the stop first and placed the new one only when the cancel had failed."""
    live: list[int] = []
    trade = look_until(open_trade(account, long_plan(rules=EVEN)), is_protected)

    def counted(self: Any, ref: OrderRef) -> CancelOutcome:
        """After each cancel: how many stops rest, while something is held."""
        outcome: CancelOutcome = cancel(self, ref)
        reading = self.read([ref.symbol], "")
        if reading.positions:
            live.append(sum(order.kind is OrderKind.STOP_MARKET for order in reading.orders))
        return outcome

    cancel = PaperExchange.cancel
    monkeypatch.setattr(PaperExchange, "cancel", counted)
    look_until(trade, is_over)
    assert live
    assert min(live) >= 1
    assert trade.exit_reason == "break_even"


def test_the_size_is_computed_again_after_an_edit(account: Account) -> None:
    trade = open_trade(account, long_plan())
    freeze(account)
    before = Decimal(trade.quantities[0])
    amended = amend_plan(trade, long_plan(stop={"price": "99500"}))
    (entry,) = resting(amended, "entry")
    assert entry.quantity == Decimal(amended.quantities[0]) > before * Decimal("1.5")


def test_a_cancelled_target_does_not_count_as_hit(account: Account) -> None:
    trade = look_until(open_trade(account, long_plan(rules=EVEN)), is_protected)
    freeze(account)
    connect(account).cancel(OrderRef(trade.symbol, resting(trade, "take_profit")[0].client_id))
    look(account.pk)
    assert [stop.trigger for stop in resting(trade, "stop")] == [Decimal(99000)]
    assert not trade.fills.filter(order__role="take_profit").exists()


def test_the_first_target_does_not_cover_the_full_size_after_the_fill(account: Account) -> None:
    trade = look_until(open_trade(account, long_plan()), is_protected)
    freeze(account)
    look(account.pk)
    whole = trade.fills.get().quantity
    targets = [order.quantity for order in resting(trade, "take_profit")]
    assert sum(targets) == whole
    assert max(targets) < whole


def test_a_trade_that_makes_exactly_nothing_closes(alice: Any) -> None:
    """It waited for a profit and a fee that were both not zero."""
    free = {"maker_fee": 0, "taker_fee": 0, "slippage": 0}
    rows = [*flat("100500", 2), ("100500", "100500", "99900", "100000"), *flat("100000", 5)]
    account = replay_account(alice, write_candles("nothing_BTCUSDT_1m.csv", rows), **free)
    trade = look_until(open_trade(account, long_plan(take_profits=[])), is_protected)
    trade = look_until(close(trade, Decimal(1)), is_over)
    assert (trade.net, trade.fees, trade.r) == (0, 0, 0)


def test_one_accounts_exception_does_not_stop_the_others(
    alice: Any, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = replay_account(alice, account.replay_file, name="A broken one", is_main=False)
    ends_well = open_trade(account, long_plan(rules=EVEN))
    open_trade(broken, long_plan())

    def fails_for_one(which: Account) -> Any:
        if which.pk == broken.pk:
            raise RuntimeError("a revoked key")
        return connect(which)

    monkeypatch.setattr(watcher, "connect", fails_for_one)
    for _ in range(12):
        rounds.watch_all()
    assert is_over(Trade.objects.get(pk=ends_well.pk))


def test_a_loss_is_a_loss_whatever_the_side(alice: Any) -> None:
    """It took the absolute value of the profit."""
    falls = replay_account(alice, write_candles("fall_BTCUSDT_1m.csv", FALL), name="Falls")
    won = look_until(open_trade(falls, short_plan()), is_over)
    assert won.gross is not None
    assert won.gross > 0
    rises = [*flat("99500", 2), ("99500", "101500", "99500", "101400"), *flat("101400", 2)]
    rose = replay_account(alice, write_candles("rise_BTCUSDT_1m.csv", rises), name="Rises", is_main=False)
    lost = look_until(open_trade(rose, short_plan()), is_over)
    assert lost.gross is not None
    assert lost.gross < 0
    assert lost.r is not None
    assert Decimal("-1.01") < lost.r < Decimal("-0.9")


def test_orders_are_found_by_their_id_and_not_by_their_symbol(account: Account) -> None:
    """It cancelled the newest limit order of the symbol, whosever it was."""
    first = open_trade(account, long_plan(risk={"percent": "0.3"}, entries=[{"price": "99950"}]))
    freeze(account)
    second = open_trade(account, long_plan(risk={"percent": "0.4"}, entries=[{"price": "99990"}]))
    by_hand = OrderIntent("by-hand", first.symbol, OrderSide.BUY, OrderKind.LIMIT, Decimal("0.001"), Decimal(90000))
    connect(account).place(by_hand)
    assert withdraw_entry(first).status == "cancelled"
    second.refresh_from_db()
    assert (second.status, len(resting(second, "entry"))) == ("pending", 1)
    found = connect(account).find(OrderRef(first.symbol, "by-hand"))
    assert found is not None
    assert found.status == "open"


def test_two_trades_on_one_symbol_end_each_for_itself(account: Account) -> None:
    first = open_trade(account, long_plan(risk={"percent": "0.3"}, rules=EVEN))
    freeze(account)
    second = open_trade(account, long_plan(risk={"percent": "0.3"}, take_profits=[{"price": "101000"}]))
    go_on(account)
    first, second = look_until(first, is_over), look_until(second, is_over)
    assert (first.exit_reason, second.exit_reason) == ("break_even", "take_profit")
    for trade in (first, second):
        bought = sum(fill.quantity for fill in trade.fills.filter(order_side="buy"))
        assert sum(fill.quantity for fill in trade.fills.filter(order_side="sell")) == bought


def test_a_reply_that_says_nothing_does_not_delete_the_trade(account: Account, faults: Faults) -> None:
    """It deleted its row when placing failed, and the order was there."""

    def lost(line: Line, intent: OrderIntent) -> Any:
        line.exchange.place(intent)
        raise TimeoutError

    faults.add(lost)
    trade = open_trade(account, long_plan(rules=EVEN))
    assert Order.objects.get(trade=trade).status == "unknown"
    assert is_over(look_until(trade, is_over))


def test_no_secret_lies_in_the_database_or_the_log_in_plain_text(
    alice: Any, api: Any, stranger: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    stranger.post("/_allauth/browser/v1/auth/login", {"email": alice.email, "password": PASSWORD}, format="json")
    call_command("dumpdata")
    assert PASSWORD not in capsys.readouterr().out
    assert PASSWORD not in caplog.text
