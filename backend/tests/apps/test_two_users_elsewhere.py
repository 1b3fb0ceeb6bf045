"""Beside the matrix: numbers that cross, names smuggled into bodies, odd methods, the doors, files by their address."""

from __future__ import annotations

import json
import uuid
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from buddy.journal.models import Screenshot
from buddy.users.doors import DOORS

from .bobs_desk import VERBS, Desk, fingerprint, furnish, routes, rows
from .test_bad_input import WRITING, address, bodies, undone
from .test_bad_input import send as post
from .test_two_users import NEVER, OF_ASKING
from .test_users import AUTH, PASSWORD

ODD = ("HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "BREW")
ADDRESSES = sorted({route.split(" ")[1] for route in routes()})
CROSSING = sorted(route for route in routes() if route.count("<") == 2)


@pytest.fixture
def desks(alice: Any, bob: Any, tmp_path: Path, settings: Any) -> tuple[Desk, Desk]:
    settings.MEDIA_ROOT = tmp_path
    return furnish(alice, "alices"), furnish(bob, "bobs")


def ask(client: Any, method: str, path: str, body: Any = None) -> Any:
    sent = () if body is None else (json.dumps(body), "application/json")
    return client.generic(method, path, *sent, headers={"Idempotency-Key": uuid.uuid4().hex})


# --- numbers that cross -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", CROSSING)
def test_a_row_of_bobs_is_not_reached_through_one_of_mine(api: Any, desks: Any, route: str) -> None:
    """Of two numbers in an address one is Alice's and the other Bob's, or that of no row."""
    mine, theirs = desks
    body, before = bodies(mine)[route], fingerprint(*OF_ASKING)
    told = [
        post(api, route, crossed(route, account, foreign), body)
        for account in (mine.ids["account"], theirs.ids["account"])
        for foreign in (mine.ids["foreign"], theirs.ids["foreign"], NEVER)
        if (account, foreign) != (mine.ids["account"], mine.ids["foreign"])
    ]
    assert [answer.status_code for answer in told] == [404] * 5
    assert len({answer.content for answer in told}) == 1
    assert fingerprint(*OF_ASKING) == before


def crossed(route: str, account: int, foreign: int) -> str:
    return "/api/v1/" + route.split(" ")[1].replace("<pk>", str(account)).replace("<key>", str(foreign))


def test_every_address_with_two_numbers_is_one_of_those() -> None:
    assert CROSSING
    assert {one.split("/")[0] for one in CROSSING} == {"POST accounts"}
    assert not [address for address in ADDRESSES if address.count("<") > 2]


# --- names smuggled into bodies ---------------------------------------------------------------------------------------


def smuggled(theirs: Desk) -> dict[str, Any]:
    """Fields by which a row could be handed over, or one of Bob's be taken, if anybody read them."""
    account, owner = theirs.ids["account"], theirs.owner.pk
    found = {"owner": owner, "owner_id": owner, "user": owner, "user_id": owner, "email": theirs.owner.email}
    found |= {"account_id": account, "trade_id": theirs.ids["trade"], "setup_id": theirs.ids["setup"]}
    found |= {"entry": theirs.ids["trade"], "tag_ids": [theirs.ids["tag"]], "status": "closed", "net": "1000000"}
    return found | {"id": theirs.ids["open"], "pk": theirs.ids["open"], "archived_at": None, "is_superuser": True}


def laden(body: Any, cargo: dict[str, Any]) -> Any:
    """`body` with `cargo` beside its own fields, at every depth."""
    if isinstance(body, list):
        return [laden(inner, cargo) for inner in body]
    return {**cargo, **{name: laden(inner, cargo) for name, inner in body.items()}} if isinstance(body, dict) else body


@pytest.mark.parametrize("deep", [False, True], ids=["beside", "within"])
def test_names_of_bobs_in_a_body_of_mine_change_hands_with_nothing(api: Any, desks: Any, deep: bool) -> None:
    mine, theirs = desks
    cargo, right, before = smuggled(theirs), bodies(mine), rows(theirs.owner)

    def smuggle(route: str) -> None:
        body = laden(right[route], cargo) if deep else {**cargo, **right[route]}
        answer = post(api, route, address(route, mine), body)
        assert answer.status_code < 500, (route, answer.content)
        assert b"bobs" not in answer.getvalue(), route
        assert rows(theirs.owner) == before, route
        mine.owner.refresh_from_db()
        assert (mine.owner.email, mine.owner.is_superuser) == ("alice@example.org", False)

    for route in WRITING:
        undone(partial(smuggle, route))


# --- odd methods ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ODD)
def test_an_odd_method_tells_and_changes_nothing(api: Any, desks: Any, method: str) -> None:
    """At every address, for a row of Bob's as for one that never was: 405, or for HEAD what GET says."""
    before, readable = fingerprint(), {route.split(" ")[1] for route in routes() if route.startswith("GET")}
    for place in ADDRESSES:
        there, never = (ask(api, method, address(f"X {place}", desks[1], number)) for number in (None, NEVER))
        assert (place, there.status_code, there.getvalue()) == (place, never.status_code, never.getvalue())
        assert b"bobs" not in there.getvalue()
        if method not in ("HEAD", "OPTIONS") or (method == "HEAD" and place not in readable):
            assert (place, there.status_code) == (place, 405)
        assert there.status_code < 500, (place, there.content)
    assert fingerprint() == before


# --- the doors --------------------------------------------------------------------------------------------------------


SAID = {"password": PASSWORD, "current_password": PASSWORD, "new_password": "another long password", "code": "000000"}
CLOSED = ["account/email", "account/phone", "auth/password/request", "auth/password/reset", "auth/email/verify"]
CLOSED += ["auth/phone/verify", "auth/code/confirm"]


@pytest.mark.parametrize("who", ["alice", "a stranger"])
def test_no_door_breaks_or_opens_what_is_bobs(alice: Any, desks: Any, who: str) -> None:
    """Every address of signing in, by every method, with all that could be claimed of Bob in the body."""
    bob, before = desks[1].owner, rows(desks[1].owner)
    claims = {**SAID, "email": bob.email, "primary": True, "phone": "+4915112345678", "key": "1-x", "id": bob.pk}
    claims["password"] = "not his password"
    for door in DOORS:
        for method in (*(verb.upper() for verb in VERBS), *ODD):
            client = Client(raise_request_exception=False)
            if who == "alice":
                alice.refresh_from_db()
                client.force_login(alice)
            answer = ask(client, method, f"{AUTH}/{door}", claims if method in ("POST", "PUT", "PATCH") else None)
            assert answer.status_code < 500, (door, method, answer.content)
            assert b"bobs" not in answer.content
            assert b'"id": %d' % bob.pk not in answer.content
    assert rows(bob) == before
    bob.refresh_from_db()
    assert bob.check_password(PASSWORD)


@pytest.mark.parametrize("door", CLOSED)
def test_what_a_desk_has_no_mail_for_is_not_there(alice: Any, bob: Any, door: str) -> None:
    """Behind these, allauth breaks without a mail server, and somebody else's address can be claimed."""
    for user in (None, alice):
        client = Client(raise_request_exception=False)
        if user:
            client.force_login(user)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            answer = ask(client, method, f"{AUTH}/{door}", {"email": bob.email, "primary": True})
            assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"


# --- files by their address -------------------------------------------------------------------------------------------


def test_no_address_leads_to_a_file_but_the_owners(api: Any, bobs_api: Any, stranger: Any, desks: Any) -> None:
    shot = Screenshot.objects.get(entry__trade=desks[1].closed)
    content = Path(shot.image.path).read_bytes()
    assert bobs_api.get(f"/api/v1/journal/{desks[1].closed.pk}/screenshot").getvalue() == content
    name = str(shot.image.name)
    guesses = [f"/{name}", f"/media/{name}", f"/static/{name}", f"/static/../{name}", f"/_app/%2e%2e/{name}"]
    guesses += [f"/api/v1/{name}", f"/api/v1/journal/{desks[1].closed.pk}/{name}", shot.image.path, f"//{name}"]
    for client in (api, bobs_api, stranger):
        for guess in guesses:
            assert content not in client.get(guess).getvalue(), guess
