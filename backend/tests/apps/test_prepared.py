"""A prepared statement gives what its queryset gives; its SQL is made once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from buddy.events.models import Event
from buddy.exchanges.models import Account
from buddy.prepared import Select, Update, insert
from buddy.trading.models import Order, Trade

BY_KIND = Select(lambda owner, kinds: Event.objects.filter(owner_id=owner, kind__in=kinds).order_by("id"))
ACCOUNT = Update(lambda key, name: Account.objects.filter(pk=key, name=name))


@pytest.fixture
def events(alice: Any) -> list[Event]:
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    kinds = ["opened", "closed", "notice"]
    return [Event.objects.create(owner=alice, kind=kind, text=kind, data={"n": "1"}, time=when) for kind in kinds]


@pytest.fixture
def account(alice: Any) -> Account:
    return Account.objects.create(owner=alice, name="Desk")


def told(rows: Any) -> list[dict[str, Any]]:
    return [{field.attname: getattr(row, field.attname) for field in Event._meta.fields} for row in rows]


@pytest.mark.parametrize("kinds", [["opened"], ["closed", "notice"], ["opened", "closed", "notice"], ["nothing"]])
def test_rows_are_those_of_the_queryset_for_any_number_of_members(
    alice: Any, events: list[Event], kinds: list[str]
) -> None:
    for _ in range(2):
        plain = Event.objects.filter(owner_id=alice.pk, kind__in=kinds).order_by("id")
        assert told(BY_KIND.rows(owner=alice.pk, kinds=kinds)) == told(plain)


def test_a_repeat_gets_the_new_values_not_those_of_the_first_time(alice: Any, bob: Any, events: list[Event]) -> None:
    assert len(BY_KIND.rows(owner=alice.pk, kinds=["opened"])) == 1
    assert BY_KIND.rows(owner=bob.pk, kinds=["opened"]) == []
    assert [event.kind for event in BY_KIND.rows(owner=alice.pk, kinds=["closed"])] == ["closed"]


def test_some_fields_of_a_row_leave_the_others_to_be_read_later(alice: Any, events: list[Event]) -> None:
    short = Select(lambda owner: Event.objects.filter(owner_id=owner).only("kind").order_by("id"))
    found = short.first(owner=alice.pk)
    assert found is not None
    assert found.get_deferred_fields() >= {"text", "data"}
    assert (found.kind, found.text) == ("opened", "opened")


def test_rows_of_two_tables_at_once_are_refused(alice: Any) -> None:
    """Their columns have names in common, so that a row would get the key of another."""
    both = Select(lambda owner: Order.objects.filter(trade__owner_id=owner).select_related("trade"))
    with pytest.raises(ValueError, match="Trade"):
        both.rows(owner=alice.pk)


def test_what_was_read_can_be_changed_and_saved_like_any_other_object(events: list[Event]) -> None:
    found, plain = BY_KIND.first(owner=events[0].owner_id, kinds=["opened"]), Event.objects.get(pk=events[0].pk)
    assert found is not None
    assert (found, found.owner) == (plain, plain.owner)
    assert (found._state.adding, found._state.db) == (plain._state.adding, plain._state.db)
    found.text = "Changed"
    found.save(update_fields=["text"])
    plain.refresh_from_db()
    assert plain.text == "Changed"


def test_a_document_that_one_has_changed_is_read_by_the_next_as_it_is_kept(events: list[Event]) -> None:
    for _ in range(2):
        found = BY_KIND.first(owner=events[0].owner_id, kinds=["opened"])
        assert found is not None
        assert found.data == {"n": "1"}
        found.data["n"] = "2"


def test_values_come_converted_as_the_queryset_converts_them(account: Account) -> None:
    values = Select(lambda key: Account.objects.filter(pk=key).values_list("opening_balance", "name"))
    assert values.first(key=account.pk) == (Decimal(10_000), "Desk")
    assert isinstance(values.rows(key=account.pk)[0][0], Decimal)
    assert values.first(key=account.pk + 1) is None


def test_a_change_happens_under_its_condition_only_and_says_whether(account: Account) -> None:
    when, balance = datetime(2026, 1, 2, tzinfo=UTC), Decimal("0.123456789012345678")
    assert ACCOUNT({"looked_at": when, "opening_balance": balance, "name": "New"}, key=account.pk, name="Desk") == 1
    account.refresh_from_db()
    assert (account.looked_at, account.opening_balance, account.name) == (when, balance, "New")
    assert ACCOUNT({"looked_at": None, "opening_balance": 1, "name": "No"}, key=account.pk, name="Desk") == 0
    assert ACCOUNT({"looked_at": None}, key=account.pk, name="New") == 1
    account.refresh_from_db()
    assert (account.looked_at, account.name) == (None, "New")


def test_a_column_of_small_numbers_is_asked_like_any_other(account: Account) -> None:
    legs = Select(lambda leg, side: Order.objects.filter(leg=leg, order_side=side).values_list("client_id"))
    trade = Trade.objects.create(
        owner=account.owner,
        account=account,
        symbol="S",
        side="long",
        first_plan={},
        plan={},
        quantities=[],
        asked_risk=1,
        first_stop=1,
    )
    for leg in (0, 1):
        Order.objects.create(
            account=account,
            trade=trade,
            client_id=f"leg-{leg}",
            symbol="S",
            role="entry",
            leg=leg,
            order_side="buy",
            kind="market",
            quantity=1,
        )
    assert legs.rows(leg=1, side="buy") == [("leg-1",)]
    assert legs.rows(leg=0, side="sell") == []


def test_a_new_row_is_the_one_that_create_writes(alice: Any) -> None:
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    values = {"owner": alice, "kind": "notice", "text": "Here", "data": {"price": "1.5"}, "time": when}
    plain, fast = Event.objects.create(**values), insert(Event(**values))
    assert fast.pk == plain.pk + 1
    (one, other) = told(Event.objects.order_by("id"))
    own = {"id", "created_at"}
    assert {name: one[name] for name in one.keys() - own} == {name: other[name] for name in other.keys() - own}
    fast.text = "Changed"
    fast.save()
    assert Event.objects.get(pk=fast.pk).text == "Changed"


def test_a_new_row_that_may_not_be_is_an_error_of_the_database(alice: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(Event(owner_id=None, kind="notice", text="", data={}, time=datetime(2026, 1, 2, tzinfo=UTC)))
    assert not Event.objects.exists()


def test_a_moment_is_compared_as_the_queryset_compares_it(alice: Any, events: list[Event]) -> None:
    since = Select(lambda moment: Event.objects.filter(created_at__gt=moment).order_by("id").values_list("kind"))
    before, after = events[0].created_at - timedelta(seconds=1), events[-1].created_at
    for moment, expected in ((before, ["opened", "closed", "notice"]), (after, []), (before, None)):
        plain = list(Event.objects.filter(created_at__gt=moment).order_by("id").values_list("kind", flat=True))
        assert [kind for (kind,) in since.rows(moment=moment)] == plain
        assert expected is None or plain == expected


def test_a_value_that_would_not_reach_the_database_is_refused(alice: Any) -> None:
    careless = Select(lambda owner, kind: Event.objects.filter(owner_id=owner))
    with pytest.raises(ValueError, match="kind"):
        careless.rows(owner=alice.pk, kind="opened")


def test_the_statement_is_the_one_that_the_queryset_makes(alice: Any) -> None:
    with CaptureQueriesContext(connection) as seen:
        list(Event.objects.filter(owner_id=alice.pk, kind__in=["opened", "closed"]).order_by("id"))
        BY_KIND.rows(owner=alice.pk, kinds=["opened", "closed"])
    plain, prepared = (query["sql"] for query in seen.captured_queries)
    assert plain == prepared
