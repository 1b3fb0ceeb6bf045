"""The audit log's chain: an event that is changed, added or removed behind our back is found."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from buddy.events import chain
from buddy.events.models import Event, Link
from buddy.events.record import record
from buddy.events.tasks import link_events


@pytest.fixture(autouse=True)
def _short_links(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "MOST", 5)


@pytest.fixture
def log(alice: Any, bob: Any) -> list[Event]:
    """Seventeen events of two traders, settled and linked: 5 + 5 + 5 + 2."""
    events = [told(alice if n % 3 else bob, n) for n in range(17)]
    Event.objects.update(created_at=timezone.now() - timedelta(hours=1))
    link_events()
    return events


def told(owner: Any, number: int) -> Event:
    return record(owner_id=owner.pk, kind="notice", text=f"Grüße {number}", data={"b": "1.10", "a": [number]})


def test_every_settled_event_is_linked_once(log: list[Event]) -> None:
    assert [link.events for link in Link.objects.all()] == [5, 5, 5, 2]
    assert chain.extend() == 0
    assert chain.verify() == chain.Verdict(4, 17, ())


def test_an_event_that_may_still_be_joined_by_another_waits(log: list[Event], alice: Any) -> None:
    told(alice, 18)
    assert chain.extend() == 0
    Event.objects.filter(pk__gt=log[-1].pk).update(created_at=timezone.now() - timedelta(minutes=3))
    assert chain.extend() == 1
    assert chain.verify().broken == ()


def test_events_behind_one_that_is_too_young_wait_for_it(log: list[Event], alice: Any) -> None:
    """Its transaction began later and its number is smaller: nothing may be linked past it."""
    young, old = told(alice, 18), told(alice, 19)
    Event.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(minutes=3))
    assert chain.extend() == 0
    Event.objects.filter(pk=young.pk).update(created_at=timezone.now() - timedelta(minutes=3))
    assert chain.extend() == 2


def test_of_two_that_link_at_a_time_one_does(log: list[Event], alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other read before it, saw fewer events, and writes after it."""
    told(alice, 18)
    Event.objects.update(created_at=timezone.now() - timedelta(minutes=3))
    Link.objects.all().delete()
    settled = chain._settled

    def overtaken(through: int) -> list[Event]:
        found = list(settled(through))[:3]
        monkeypatch.setattr(chain, "_settled", settled)
        assert chain.extend() == 18
        return found

    monkeypatch.setattr(chain, "_settled", overtaken)
    assert chain.extend() == 0
    assert chain.verify() == chain.Verdict(4, 18, ())


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Nothing happened."},
        {"kind": "other"},
        {"data": {"b": "1.1", "a": [7]}},
        {"trade_id": 1},
        {"account_id": 1},
        {"time": timezone.now() - timedelta(days=3)},
        {"created_at": timezone.now() - timedelta(days=3)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_event_is_found_in_its_link_alone(log: list[Event], change: dict[str, Any]) -> None:
    Event.objects.filter(pk=log[7].pk).update(**change)
    (broken,) = chain.verify().broken
    assert (broken.first_id, broken.last_id) == (log[5].pk, log[9].pk)


def test_another_owner_is_found(log: list[Event], bob: Any) -> None:
    Event.objects.filter(pk=log[7].pk).update(owner=bob)
    assert len(chain.verify().broken) == 1


def test_a_removed_and_an_added_event_are_found_and_counted(log: list[Event], alice: Any) -> None:
    Event.objects.filter(pk=log[0].pk).delete()
    (gone,) = chain.verify().broken
    assert str(gone).endswith("are 4 instead of 5")
    Event.objects.filter(pk=log[1].pk).update(id=log[0].pk)
    assert len(chain.verify().broken) == 1


def test_a_link_mended_to_fit_a_changed_event_breaks_the_next(log: list[Event]) -> None:
    Event.objects.filter(pk=log[7].pk).update(text="Nothing happened.")
    first, second, *_ = Link.objects.all()
    forged = chain._digest(first.digest, Event.objects.filter(id__gt=first.through_id, id__lte=second.through_id))[1]
    Link.objects.filter(pk=second.pk).update(digest=forged)
    (broken,) = chain.verify().broken
    assert (broken.first_id, broken.last_id) == (log[10].pk, log[14].pk)


def test_a_removed_link_is_found(log: list[Event]) -> None:
    Link.objects.filter(through_id=log[9].pk).delete()
    assert len(chain.verify().broken) == 1


def test_the_command_says_which_events(log: list[Event]) -> None:
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert "17 events in 4 links" in out.getvalue()
    Event.objects.filter(pk=log[16].pk).update(text="Nothing happened.")
    with pytest.raises(CommandError, match=f"events {log[15].pk} to {log[16].pk} are not as they were"):
        call_command("verify_audit")
