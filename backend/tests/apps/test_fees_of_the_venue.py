"""What an account is charged: the venue's word, unless the trader has typed his own, and whose word it is is shown."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from buddy.core.costs import Costs
from buddy.core.errors import CouldNotRead
from buddy.exchanges import probing
from buddy.exchanges.models import Account
from buddy.trading.books import costs_of
from tests.exchanges.scripted_venue import ScriptedVenue, at_hand

from .test_accounts import ACCOUNTS, refused
from .test_venue_accounts import in_use, opened

D = Decimal
LOW = Costs(maker=D("0.00015"), taker=D("0.0004"))
LOWER = Costs(maker=D("-0.00005"), taker=D("0.00025"))


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch, store: str) -> Iterator[ScriptedVenue]:
    with at_hand(monkeypatch) as found:
        found.costs = LOW
        yield found


def fees(told: dict[str, Any]) -> tuple[str, str, str]:
    return told["fee_source"], told["maker_fee"], told["taker_fee"]


def asked_again(api: Any, account: dict[str, Any]) -> dict[str, Any]:
    probing.probe(in_use(account).pk)
    return dict(api.get(f"{ACCOUNTS}/{account['id']}").json())


def changed(api: Any, account: dict[str, Any], **fields: Any) -> Any:
    return api.patch(f"{ACCOUNTS}/{account['id']}", fields)


def test_a_new_account_is_sized_by_what_its_venue_charges(api, venue):
    told = opened(api)
    assert fees(told) == ("venue", "0.00015", "0.0004")
    facts = told["venue_facts"]
    assert (facts["maker_fee"], facts["taker_fee"], bool(facts["fees_at"])) == ("0.00015", "0.0004", True)
    costs = costs_of(Account.objects.get(pk=told["id"]))
    assert (costs.maker, costs.taker) == (LOW.maker, LOW.taker)


def test_what_it_charges_later_is_taken_over(api, venue):
    account = opened(api)
    venue.costs = LOWER
    assert fees(asked_again(api, account)) == ("venue", "-0.00005", "0.00025")


def test_fees_typed_when_it_is_opened_stay(api, venue):
    account = opened(api, maker_fee="0.0003", taker_fee="0.0006")
    assert fees(account) == ("typed", "0.0003", "0.0006")
    told = asked_again(api, account)
    assert fees(told) == ("typed", "0.0003", "0.0006")
    assert told["venue_facts"]["taker_fee"] == "0.0004"


def test_fees_typed_later_stay_until_the_venue_is_believed_again(api, venue):
    account = opened(api)
    assert fees(changed(api, account, taker_fee="0.001").json()) == ("typed", "0.00015", "0.001")
    assert fees(asked_again(api, account)) == ("typed", "0.00015", "0.001")
    assert fees(changed(api, account, fee_source="venue", taker_fee="0.002").json()) == ("venue", "0.00015", "0.0004")


def test_a_form_that_sends_the_same_fees_again_types_nothing(api, venue):
    account = opened(api)
    assert fees(changed(api, account, maker_fee="0.00015", taker_fee="0.00040", name="Other").json())[0] == "venue"


@pytest.mark.parametrize("costs", [None, CouldNotRead("Binance cannot be reached.")])
def test_a_venue_that_does_not_say_keeps_what_was_assumed_and_no_key_is_refused_for_it(api, venue, costs):
    venue.costs = costs
    account = opened(api)
    assert fees(account) == ("assumed", "0.0002", "0.0005")
    assert account["venue_facts"]["fees_at"] is None
    assert refused(changed(api, account, fee_source="venue"), "fee_source") == "not_told"


def test_what_was_told_once_stays_while_it_cannot_be_read(api, venue):
    account = opened(api)
    venue.costs = CouldNotRead("Binance cannot be reached.")
    assert fees(asked_again(api, account)) == ("venue", "0.00015", "0.0004")


def test_paper_has_no_venue_to_ask(api, venue):
    account = api.post(ACCOUNTS, {"name": "Paper", "price_source": "simulated"}).json()
    assert fees(account)[0] == "assumed"
    assert refused(changed(api, account, fee_source="venue"), "fee_source") == "not_told"
