"""One writer per account."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction

from buddy.events.models import Event
from buddy.exchanges.ccxt_exchange import SEND_WITHIN
from buddy.exchanges.models import Account
from buddy.trading import lease
from buddy.trading.executor import open_trade
from buddy.trading.lease import LEASE_MS, Lease, LeaseHeld, LeaseLost, leased
from buddy.trading.lease_renewal import Renewal
from buddy.trading.models import Trade
from buddy.trading.moments import wall_ms
from buddy.trading.watcher import look_under
from tests.apps.trading_rig import flat, long_plan, replay_account, write_candles

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account(alice: Any) -> Account:
    return Account.objects.create(owner=alice, name="Practice")


def test_a_second_look_is_kept_out(account: Account) -> None:
    with leased(account.pk), pytest.raises(LeaseHeld), leased(account.pk):
        pass


def test_the_lease_is_free_again_afterwards(account: Account) -> None:
    with leased(account.pk) as first:
        pass
    with leased(account.pk) as second:
        assert second.epoch == first.epoch + 1


def test_one_account_does_not_keep_another_out(account: Account, alice: Any) -> None:
    other = Account.objects.create(owner=alice, name="Other")
    with leased(account.pk), leased(other.pk):
        pass


def test_a_dead_holders_lease_runs_out(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(lease_owner="dead", lease_epoch=7, lease_until=wall_ms() - 1)
    with leased(account.pk) as lease:
        assert lease.epoch == 8


def test_a_stalled_holder_finds_its_lease_lost_and_stops(account: Account) -> None:
    with leased(account.pk) as stalled:
        Account.objects.filter(pk=account.pk).update(lease_until=0)
        with leased(account.pk), pytest.raises(LeaseLost), transaction.atomic():
            stalled.keep()


def test_who_could_not_give_a_lease_back_takes_it_again_at_once(account: Account) -> None:
    """The database went away during the look; nobody else may, for as long as a lease lasts."""

    def away(*_: Any) -> None:
        raise OperationalError("the connection is closed")

    with ExitStack() as cut, pytest.raises(OperationalError), leased(account.pk) as first:
        cut.enter_context(connection.execute_wrapper(away))
    account.refresh_from_db()
    assert account.lease_until > wall_ms()
    with leased(account.pk) as second:
        assert second.epoch == first.epoch + 1
    with leased(account.pk), pytest.raises(LeaseHeld), leased(account.pk):
        pass


def test_keeping_a_lease_renews_it(account: Account) -> None:
    with leased(account.pk) as lease:
        Account.objects.filter(pk=account.pk).update(lease_until=1)
        lease.keep()
        account.refresh_from_db()
        assert account.lease_until > wall_ms() + LEASE_MS - 5_000


def test_a_lease_outlasts_any_order_on_its_way() -> None:
    """Whoever takes over an account may be sure that nothing of the one before is sent any more."""
    assert LEASE_MS > SEND_WITHIN * 1000


def test_a_slow_look_keeps_its_lease_without_writing_anything(account: Account) -> None:
    with leased(account.pk) as slow, renewed(slow, Renewal(every=0.02)):
        Account.objects.filter(pk=account.pk).update(lease_until=1)
        for _ in range(500):
            if ends(account) > wall_ms():
                break
            time.sleep(0.02)
        assert ends(account) > wall_ms()


def test_a_lease_that_was_lost_is_not_renewed(account: Account) -> None:
    with leased(account.pk) as frozen:
        Account.objects.filter(pk=account.pk).update(lease_until=0)
        with leased(account.pk) as new:
            assert not frozen.renew()
            assert new.renew()


def test_a_lease_that_was_let_go_is_not_renewed(account: Account) -> None:
    with leased(account.pk) as lease:
        pass
    assert not lease.renew()
    assert ends(account) == 0


def test_a_look_that_hangs_is_not_renewed_for_ever(account: Account) -> None:
    with leased(account.pk) as hanging, renewed(hanging, Renewal(every=0.02, at_most=0.1)):
        time.sleep(0.3)
        Account.objects.filter(pk=account.pk).update(lease_until=1)
        time.sleep(0.2)
        assert ends(account) == 1


@contextmanager
def renewed(lease: Lease, renewal: Renewal) -> Iterator[None]:
    renewal.hold(lease)
    try:
        yield
    finally:
        renewal.let_go(lease)


def ends(account: Account) -> int:
    account.refresh_from_db()
    return account.lease_until


def test_a_look_that_lost_its_account_on_the_way_has_checked_nothing(alice: Any) -> None:
    account = replay_account(alice, write_candles("lost_BTCUSDT_1m.csv", flat("100500", 3)))
    trade = open_trade(account, long_plan())
    Trade.objects.filter(pk=trade.pk).update(checked_at=None)
    with leased(account.pk) as lease:
        stands_still = lease.account()
        Account.objects.filter(pk=account.pk).update(trouble="It was not read.", lease_epoch=lease.epoch + 1)
        stands_still.trouble = "It was not read."
        with pytest.raises(LeaseLost):
            look_under(lease, stands_still)
    trade.refresh_from_db()
    assert trade.checked_at is None
    assert not Event.objects.filter(account_id=account.pk, data__trouble="").exists()


def test_a_lease_that_was_taken_without_an_answer_is_nobodys(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    take = lease._FREE

    def unanswered(*fields: Any, **values: Any) -> int:
        take(*fields, **values)
        raise OperationalError("The connection was cut.")

    monkeypatch.setattr(lease, "_FREE", unanswered)
    with pytest.raises(OperationalError), leased(account.pk):
        pass
    monkeypatch.undo()
    account.refresh_from_db()
    assert account.lease_until > wall_ms()
    with leased(account.pk) as ours:
        assert ours.epoch == account.lease_epoch + 1


def test_a_late_release_leaves_the_new_holder_alone(account: Account) -> None:
    with leased(account.pk) as new:
        Lease(account.pk, "somebody", new.epoch - 1).release()
        new.keep()


def test_of_many_at_once_only_one_holds_the_lease(account: Account) -> None:
    inside, most, guard = [0], [0], threading.Lock()

    def work() -> None:
        try:
            with leased(account.pk, wait=20):
                with guard:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                with guard:
                    inside[0] -= 1
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    account.refresh_from_db()
    assert account.lease_epoch == 8
