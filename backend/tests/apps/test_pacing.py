"""Who is looked at first, who waits where limits run short, and whom a dead venue keeps waiting: nobody elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from threading import Event, Lock
from typing import Any

import pytest
from django.utils import timezone

from buddy.exchanges import rates
from buddy.exchanges.models import Account
from buddy.exchanges.venue_rows import RECIPES
from buddy.store import store as the_store
from buddy.trading import pacing
from buddy.trading.pacing import Turns, affordable, due, look_at_all

from .records import still_open

LONG_AGO = timezone.now() - timedelta(hours=1)


def account(owner: Any, name: str, venue: str = "binance", **values: Any) -> Account:
    made = {"mode": "live", "price_source": "live", "looked_at": timezone.now(), "good_look_at": timezone.now()}
    return Account.objects.create(owner=owner, name=name, venue=venue, **made | values)


def ids(found: Any) -> list[int]:
    return [each.account_id for each in found]


class Looks:
    """Looks that hang at some accounts, as they do at a venue that does not answer."""

    def __init__(self, *hang: Account) -> None:
        self.hang, self.go_on, self.lock = {each.pk for each in hang}, Event(), Lock()
        self.begun: list[int] = []

    def __call__(self, account_id: int) -> None:
        with self.lock:
            self.begun.append(account_id)
        if account_id in self.hang:
            assert self.go_on.wait(30)


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Turns:
    monkeypatch.setattr(pacing, "TURNS", Turns())
    return pacing.TURNS


def test_what_holds_something_comes_first_then_who_was_not_seen_for_longest(alice: Any) -> None:
    new, old, never = account(alice, "new"), account(alice, "old", good_look_at=LONG_AGO), account(alice, "never")
    Account.objects.filter(pk=never.pk).update(good_look_at=None)
    holding = account(alice, "holding")
    still_open(holding)
    assert ids(due([new.pk, old.pk, never.pk, holding.pk])) == [holding.pk, never.pk, old.pk, new.pk]


def test_many_accounts_at_a_dead_venue_delay_no_other(alice: Any, turns: Turns) -> None:
    dead = [account(alice, f"dead {number}", "okx") for number in range(10)]
    healthy = [account(alice, f"healthy {number}", "bybit") for number in range(6)]
    looks, asked = Looks(*dead), [each.pk for each in (*dead, *healthy)]
    for rounds in (1, 2):
        look_at_all(due(asked), looks, seconds=0.5)
        assert sum(each in looks.begun for each in (one.pk for one in dead)) == pacing.AT_ONCE
        assert [looks.begun.count(one.pk) for one in healthy] == [rounds] * 6
    looks.go_on.set()


def test_accounts_in_trouble_delay_none_of_their_own_venue(alice: Any, turns: Turns) -> None:
    dead = [account(alice, f"dead {number}", trouble="Binance cannot be reached.") for number in range(5)]
    healthy = [account(alice, f"healthy {number}") for number in range(5)]
    looks = Looks(*dead)
    look_at_all(due(each.pk for each in (*dead, *healthy)), looks, seconds=0.5)
    assert {each.pk for each in healthy} <= set(looks.begun)
    assert len(looks.begun) == 5 + pacing.IN_TROUBLE
    looks.go_on.set()


def test_turns_come_back_after_a_look_that_failed(alice: Any, turns: Turns) -> None:
    one = account(alice, "one")

    def fails(_: int) -> None:
        raise RuntimeError

    for _ in range(pacing.AT_ONCE + 1):
        look_at_all(due([one.pk]), fails, None)
    looks = Looks()
    look_at_all(due([one.pk]), looks, None)
    assert looks.begun == [one.pk]


@pytest.fixture
def budgets(store: str) -> Iterator[dict[str, rates.Bucket]]:
    """What may be asked of Binance, by side; full again afterwards."""
    rate = RECIPES["binance"].per_address
    found = {mode: rates.of_address("binance", mode, rate) for mode in ("live", "testnet")}
    the_store().delete(*(bucket.name for bucket in found.values()))
    yield found
    the_store().delete(*(bucket.name for bucket in found.values()))


def test_what_holds_nothing_waits_where_the_budget_runs_short(alice: Any, budgets: dict[str, rates.Bucket]) -> None:
    flat, holding, elsewhere = account(alice, "flat"), account(alice, "holding"), account(alice, "elsewhere", "bybit")
    starved = account(alice, "starved", looked_at=LONG_AGO)
    still_open(holding)
    every = [flat.pk, holding.pk, elsewhere.pk, starved.pk]
    assert len(affordable(due(every))) == 4
    rates.Limiter("Binance", "binance:live").spend(budgets["live"], 0.7)
    assert set(ids(affordable(due(every)))) == {holding.pk, elsewhere.pk, starved.pk}
    assert 0.3 <= rates.part_left(budgets["live"]) < pacing.SHORT


def test_a_budget_is_that_of_the_venues_live_or_practice_side(alice: Any, budgets: dict[str, rates.Bucket]) -> None:
    live, practice = account(alice, "live"), account(alice, "practice", mode="testnet")
    rates.Limiter("Binance", "binance:testnet").spend(budgets["testnet"], 0.9)
    assert ids(affordable(due([live.pk, practice.pk]))) == [live.pk]
