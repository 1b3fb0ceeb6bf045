"""Whatever is repeated, raced or killed: one key, one effect, one answer."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from buddy.core.errors import CouldNotRead
from buddy.exchanges.models import Account
from buddy.trading import executor, views
from buddy.trading.claims import ABANDONED_AFTER, KEPT_FOR, ClaimLost, claim, forget_old
from buddy.trading.models import IdempotentCall, Order, Trade
from tests.apps.test_trades import account, around, post, price
from tests.conftest import client_of

__all__ = ["account", "price"]

pytestmark = pytest.mark.django_db(transaction=True)


def body(account: Account, price: Decimal) -> dict[str, Any]:
    return {"account": account.pk, "plan": around(price)}


def grow_old(by: timedelta) -> None:
    IdempotentCall.objects.update(created_at=timezone.now() - by)


def test_a_key_is_required(api: Any, account: Account, price: Decimal) -> None:
    answer = api.post("/api/v1/trades", body(account, price), format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")


@pytest.mark.parametrize("key", ["x" * 101, "a\x7fb"])
def test_a_key_is_short_and_printable(api: Any, account: Account, price: Decimal, key: str) -> None:
    assert post(api, "trades", body(account, price), key).status_code == 400


def test_the_same_key_gets_the_first_answer(api: Any, account: Account, price: Decimal) -> None:
    first, second = (post(api, "trades", body(account, price), "k") for _ in range(2))
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert Trade.objects.count() == 1


def test_the_same_key_with_another_body_is_refused(api: Any, account: Account, price: Decimal) -> None:
    post(api, "trades", body(account, price), "k")
    answer = post(api, "trades", {"account": account.pk, "plan": around(price, risk={"percent": "2"})}, "k")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Trade.objects.count() == 1


def test_a_refusal_is_repeated_as_a_problem(api: Any, account: Account, price: Decimal) -> None:
    wrong = {"account": account.pk, "plan": around(price, risk={"percent": "-1"})}
    first, second = (post(api, "trades", wrong, "k") for _ in range(2))
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert second.headers["Content-Type"] == "application/problem+json"


def test_two_users_may_use_the_same_key(api: Any, bobs_api: Any, account: Account, price: Decimal) -> None:
    assert post(api, "trades", body(account, price), "k").status_code == 201
    assert post(bobs_api, "trades", body(account, price), "k").status_code == 404


def test_the_key_of_one_user_is_nothing_to_another(api: Any, bobs_api: Any, account: Account, price: Decimal) -> None:
    """The same key with the same plan, each on an account of their own: two trades, each told to its owner."""
    bobs = bobs_api.post("/api/v1/accounts", {"name": "Bobs", "price_source": "simulated"}, format="json").json()
    first = post(api, "trades", body(account, price), "k").json()
    second = post(bobs_api, "trades", {"account": bobs["id"], "plan": around(price)}, "k").json()
    assert Trade.objects.count() == 2
    assert (first["account"], second["account"]) == (account.pk, bobs["id"])
    assert post(api, "trades", body(account, price), "k").json() == first


def test_a_key_may_be_used_again_after_nothing_came_of_it(
    api: Any, account: Account, price: Decimal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error, status in ((CouldNotRead("away"), 503), (RuntimeError("a defect"), 500)):
        with monkeypatch.context() as broken:
            broken.setattr(executor, "open_trade", fails_with(error))
            api.raise_request_exception = False
            assert post(api, "trades", body(account, price), "k").status_code == status
    assert not Trade.objects.exists()
    assert post(api, "trades", body(account, price), "k").status_code == 201
    assert Trade.objects.count() == 1


def test_a_key_whose_answer_was_lost_behind_the_effect_does_nothing_again(
    api: Any, account: Account, price: Decimal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(views, "tell_trade", fails_with(RuntimeError("a defect")))
        api.raise_request_exception = False
        assert post(api, "trades", body(account, price), "k").status_code == 500
    assert post(api, "trades", body(account, price), "k").status_code == 409
    grow_old(ABANDONED_AFTER)
    answer = post(api, "trades", body(account, price), "k")
    assert (answer.status_code, answer.json()["id"]) == (201, Trade.objects.get().pk)
    assert Order.objects.filter(role="entry").count() == 1


def fails_with(error: Exception) -> Any:
    def fails(*_: Any, **__: Any) -> Any:
        raise error

    return fails


def test_a_hundred_equal_posts_at_once_open_one_trade(alice: Any, account: Account, price: Decimal) -> None:
    answers: Counter[int] = Counter()

    def work() -> None:
        try:
            for _ in range(10):
                answers[post(client_of(alice), "trades", body(account, price), "k").status_code] += 1
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(answers.values()) == 100
    assert set(answers) <= {201, 409}
    assert Trade.objects.count() == 1
    assert Order.objects.filter(role="entry").count() == 1


def test_a_repeat_while_the_first_is_at_work_is_told_to_wait(
    alice: Any, api: Any, account: Any, price: Decimal
) -> None:
    post(api, "trades", body(account, price), "k")
    IdempotentCall.objects.update(status=None, answer=None)
    answer = post(api, "trades", body(account, price), "k")
    assert (answer.status_code, answer.headers["Retry-After"]) == (409, "1")


def test_a_repeat_after_a_crash_before_the_effect_does_it(api: Any, account: Account, price: Decimal) -> None:
    post(api, "trades", body(account, price), "k")
    Trade.objects.all().delete()
    IdempotentCall.objects.update(status=None, answer=None)
    grow_old(ABANDONED_AFTER)
    assert post(api, "trades", body(account, price), "k").status_code == 201
    assert Trade.objects.count() == 1


def test_a_repeat_after_a_crash_behind_the_effect_only_tells(api: Any, account: Account, price: Decimal) -> None:
    trade = post(api, "trades", body(account, price), "k").json()["id"]
    IdempotentCall.objects.update(status=None, answer={"trade": trade})
    grow_old(ABANDONED_AFTER)
    answer = post(api, "trades", body(account, price), "k")
    assert (answer.status_code, answer.json()["id"]) == (201, trade)
    assert Trade.objects.count() == 1


def test_closing_half_twice_with_one_key_closes_half(api: Any, account: Account, price: Decimal) -> None:
    trade = post(api, "trades", body(account, price)).json()
    first, second = (post(api, f"trades/{trade['id']}/close", {"share": "0.5"}, "half").json() for _ in range(2))
    assert first == second
    assert Trade.objects.get().status == "open"


def test_a_stalled_request_cannot_act_after_its_repeat_has_taken_over(
    alice: Any, account: Account, price: Decimal
) -> None:
    stalled = claim(alice.pk, "k", "print")
    grow_old(ABANDONED_AFTER)
    claim(alice.pk, "k", "print")
    with pytest.raises(ClaimLost):
        executor.open_trade(account, around(price), claim=stalled)  # type: ignore[arg-type]
    assert not Trade.objects.exists()


def test_old_calls_are_forgotten(alice: Any) -> None:
    claim(alice.pk, "old", "print")
    grow_old(KEPT_FOR + timedelta(minutes=1))
    claim(alice.pk, "new", "print")
    assert forget_old() == 1
    assert list(IdempotentCall.objects.values_list("key", flat=True)) == ["new"]
