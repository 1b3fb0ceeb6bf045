"""What stands against an entry at a venue: an old word of it, and entries that would wait there without a stop."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from buddy.core.exchange import Balance
from buddy.core.market import Instrument
from buddy.core.plan import Plan
from buddy.core.plan_document import read_plan
from buddy.exchanges.models import Account
from buddy.trading import gate
from buddy.trading.examination import WAITS_AT_MOST, bounded, waits_unattended
from buddy.trading.models import ForeignPosition
from tests.apps.records import still_open
from tests.apps.trading_rig import long_plan, short_plan

pytestmark = pytest.mark.django_db
X = Instrument("BTC/USDT:USDT", "BTC", "USDT", "USDT", tick_size=Decimal("0.1"), lot_size=Decimal("0.001"))


@pytest.fixture
def account(alice: Any) -> Account:
    return Account.objects.create(owner=alice, name="Real", mode="testnet", venue="binance")


def plan(**changes: Any) -> Plan:
    return read_plan(long_plan(**changes), X, reference_price=Decimal(100_500))


def codes(account: Account, wanted: Plan | None = None) -> set[str]:

    money = Balance(Decimal(1000), Decimal(1000), Decimal(1000))
    return {denial.code for denial in gate.denials(account, wanted or plan(), None, None, money)}


def test_an_account_that_was_not_read_lately_enters_nothing(account: Account) -> None:
    assert "reading_old" in codes(account)
    account.good_look_at = timezone.now() - timedelta(seconds=91)
    assert "reading_old" in codes(account)
    account.good_look_at = timezone.now() - timedelta(seconds=60)
    assert "reading_old" not in codes(account)


@pytest.mark.parametrize(
    ("seconds", "age"), [(95, "95 s"), (150, "2 min"), (7_000, "116 min"), (7_300, "2 h"), (None, "")]
)
@pytest.mark.parametrize("trouble", ["", "Binance does not answer."])
def test_the_reason_names_the_account_and_how_old_the_reading_is(
    account: Account, seconds: float | None, age: str, trouble: str
) -> None:
    account.trouble = trouble
    account.good_look_at = None if seconds is None else timezone.now() - timedelta(seconds=seconds)
    money = Balance(Decimal(1000), Decimal(1000), Decimal(1000))
    (told,) = [each.message for each in gate.denials(account, plan(), None, None, money) if "been read" in each.message]
    assert "Real " in told
    assert ("has not been read yet" in told) if seconds is None else (f"last been read {age} ago" in told)


def test_an_account_that_cannot_be_read_enters_nothing(account: Account) -> None:
    account.good_look_at, account.trouble = timezone.now(), "Binance does not answer."
    assert "account_unreadable" in codes(account)


def test_paper_is_never_old(account: Account) -> None:
    account.mode = Account.Mode.PAPER
    assert not codes(account) & {"reading_old", "account_unreadable"}


@pytest.mark.parametrize(
    ("venue", "entries", "unattended"),
    [
        ("binance", [{"price": "100000"}], True),
        ("binance", [{"kind": "market"}], False),
        ("binance", [{"kind": "market", "share": "0.5"}, {"price": "100000", "share": "0.5"}], True),
        ("bybit", [{"price": "100000"}], False),
    ],
)
def test_where_no_stop_travels_with_it_a_waiting_entry_is_bounded_in_time(
    account: Account, venue: str, entries: Any, unattended: bool
) -> None:
    account.venue = venue
    wanted = plan(entries=entries)
    assert waits_unattended(wanted, account) is unattended
    assert bounded(wanted, account).cancel.after_minutes == (WAITS_AT_MOST if unattended else None)


def test_a_bound_of_the_traders_own_stays(account: Account) -> None:
    wanted = plan(cancel={"after_minutes": "60"})
    assert bounded(wanted, account) == wanted


def test_on_paper_an_entry_may_wait_for_ever(account: Account) -> None:
    account.mode = Account.Mode.PAPER
    assert bounded(plan(), account) == plan()


def test_a_symbol_held_in_another_margin_mode_at_the_venue_is_not_entered(account: Account) -> None:
    held: dict[str, Any] = {"symbol": "BTC/USDT:USDT", "side": "long", "quantity": 1, "average_entry": 100}
    seen = {"first_seen": timezone.now(), "confirmed": True, "ignored": True, "margin_mode": "cross"}
    ForeignPosition.objects.create(account=account, **held, **seen)
    assert "margin_mode_shared" in codes(account)
    assert "margin_mode_shared" not in codes(
        account, replace(plan(), margin_mode=plan(margin_mode="cross").margin_mode)
    )


@pytest.mark.parametrize(("mode", "refused"), [("one_way", True), ("hedge", False)])
def test_a_short_beside_a_long_is_refused_where_they_would_close_one_another(
    account: Account, mode: str, refused: bool
) -> None:
    still_open(account, symbol=X.symbol, side="long")
    account.position_mode = mode
    short = read_plan(short_plan(), X, reference_price=Decimal(99_500))
    assert ("symbol_busy" in codes(account, short)) is refused


def test_on_paper_they_always_would(account: Account) -> None:
    still_open(account, symbol=X.symbol, side="long")
    account.mode, account.position_mode = Account.Mode.PAPER, "hedge"
    assert "symbol_busy" in codes(account, read_plan(short_plan(), X, reference_price=Decimal(99_500)))
