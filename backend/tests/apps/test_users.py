"""Signing up, in and out over HTTP, as the browser does it."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from buddy.users.models import User
from buddy.users.sessions import row_name
from tests.conftest import PASSWORD

AUTH = "/_allauth/browser/v1"


class Browser:
    """Keeps cookies and sends the CSRF token, as the SPA does."""

    def __init__(self, **defaults: Any) -> None:
        self.client = Client(enforce_csrf_checks=True, **defaults)
        self.client.get(f"{AUTH}/config")

    def send(self, method: str, path: str, body: Any = None, *, token: bool = True) -> Any:
        cookie = self.client.cookies.get(settings.CSRF_COOKIE_NAME)
        headers = {"X-CSRFToken": cookie.value} if token and cookie else {}
        call = getattr(self.client, method)
        sent = {} if body is None else {"data": body, "content_type": "application/json"}
        return call(path, headers=headers, **sent)

    def sign_up(self, email: str, password: str = PASSWORD) -> Any:
        return self.send("post", f"{AUTH}/auth/signup", {"email": email, "password": password})

    def sign_in(self, email: str, password: str = PASSWORD) -> Any:
        return self.send("post", f"{AUTH}/auth/login", {"email": email, "password": password})


@pytest.fixture
def browser(db: None) -> Browser:
    return Browser()


def test_a_newcomer_signs_up_and_is_signed_in(browser: Browser) -> None:
    assert browser.sign_up("New@Example.org").status_code == 200
    me = browser.send("get", "/api/v1/me").json()
    assert (me["email"], me["time_zone"], me["theme"], me["has_account"]) == ("new@example.org", "UTC", "system", False)


def test_signing_out_ends_it_and_signing_in_begins_it_again(browser: Browser) -> None:
    browser.sign_up("new@example.org")
    assert browser.send("delete", f"{AUTH}/auth/session").status_code == 401  # its way of saying "signed out"
    assert browser.send("get", "/api/v1/me").status_code == 401
    assert browser.sign_in("NEW@example.org").status_code == 200
    assert browser.send("get", "/api/v1/me").status_code == 200


def test_a_password_is_changed_and_the_old_one_is_worthless(browser: Browser) -> None:
    browser.sign_up("new@example.org")
    fresh = {"current_password": PASSWORD, "new_password": "another long pass phrase"}
    assert browser.send("post", f"{AUTH}/account/password/change", fresh).status_code == 200
    assert browser.send("get", "/api/v1/me").status_code == 200
    assert Browser().sign_in("new@example.org").status_code == 400
    assert Browser().sign_in("new@example.org", "another long pass phrase").status_code == 200


def test_changing_the_password_signs_out_every_other_browser(browser: Browser) -> None:
    browser.sign_up("new@example.org")
    other = Browser()
    other.sign_in("new@example.org")
    fresh = {"current_password": PASSWORD, "new_password": "another long pass phrase"}
    browser.send("post", f"{AUTH}/account/password/change", fresh)
    assert other.send("get", "/api/v1/me").status_code == 401


@pytest.mark.parametrize("password", ["short1!", "qwerty123456", "11111111111"])
def test_a_weak_password_is_refused(browser: Browser, password: str) -> None:
    answer = browser.sign_up("new@example.org", password)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["param"] == "password"
    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["bittrader99@example.org", "bittrader992026", "BITTRADER99@EXAMPLE"])
def test_a_password_like_the_e_mail_address_is_refused(browser: Browser, password: str) -> None:
    answer = browser.sign_up("Bittrader99@example.org", password)
    assert answer.status_code == 400
    assert [(error["param"], error["code"]) for error in answer.json()["errors"]] == [
        ("password", "password_too_similar")
    ]
    assert not User.objects.exists()


def test_an_unknown_user_and_a_wrong_password_get_the_same_answer(browser: Browser, alice: User) -> None:
    unknown = browser.sign_in("nobody@example.org")
    wrong = browser.sign_in(alice.email, "wrong pass phrase")
    assert (unknown.status_code, unknown.json()) == (wrong.status_code, wrong.json())


def test_guessing_is_throttled_by_account_whatever_address_is_claimed(browser: Browser, alice: User) -> None:
    for guess in range(5):
        claimed = Browser(headers={"X-Forwarded-For": f"10.0.0.{guess}"})
        assert refusal(claimed.sign_in(alice.email, f"wrong pass phrase {guess}")) == "email_password_mismatch"
    assert refusal(browser.sign_in(alice.email)) == "too_many_login_attempts"  # even the right one, for a while


def test_guessing_over_many_accounts_is_throttled_by_the_real_address(db: None) -> None:
    told = []
    for guess in range(11):
        claimed = Browser(headers={"X-Forwarded-For": f"10.0.0.{guess}"})
        told.append(refusal(claimed.sign_in(f"user{guess}@example.org", "wrong pass phrase")))
    assert told == ["email_password_mismatch"] * 10 + ["too_many_login_attempts"]


def refusal(answer: Any) -> str:
    return str(answer.json()["errors"][0]["code"])


def test_nothing_is_written_without_the_csrf_token(browser: Browser) -> None:
    browser.sign_up("new@example.org")
    answer = browser.send("patch", "/api/v1/me", {"theme": "dark"}, token=False)
    assert answer.status_code == 403
    assert answer.json()["errors"] == {}
    assert User.objects.get().theme == "system"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "auth/signup"),
        ("post", "auth/login"),
        ("delete", "auth/session"),
        ("post", "account/password/change"),
    ],
)
def test_the_door_itself_asks_for_the_csrf_token(browser: Browser, method: str, path: str) -> None:
    browser.sign_up("new@example.org")
    body = {"email": "other@example.org", "password": PASSWORD, "current_password": PASSWORD, "new_password": "x" * 20}
    assert browser.send(method, f"{AUTH}/{path}", body, token=False).status_code == 403
    assert browser.send("get", "/api/v1/me").status_code == 200
    assert User.objects.get().check_password(PASSWORD)


def test_sign_up_can_be_closed(browser: Browser, settings: Any) -> None:
    settings.SIGNUP_OPEN = False
    assert browser.sign_up("new@example.org").status_code == 403


def test_theme_and_time_zone_are_kept(api: Any) -> None:
    answer = api.patch("/api/v1/me", {"theme": "dark", "time_zone": "Asia/Tokyo"}, format="json")
    assert answer.status_code == 200
    me = api.get("/api/v1/me").json()
    assert (me["theme"], me["time_zone"]) == ("dark", "Asia/Tokyo")


def test_a_time_zone_that_does_not_exist_is_refused_by_name(api: Any) -> None:
    answer = api.patch("/api/v1/me", {"time_zone": "Mars/Olympus", "theme": "pink"}, format="json")
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"time_zone", "theme"}


def test_what_is_not_the_users_to_set_stays_as_it_is(api: Any, alice: User) -> None:
    api.patch("/api/v1/me", {"email": "evil@example.org", "is_superuser": True, "id": 99}, format="json")
    alice.refresh_from_db()
    assert (alice.email, alice.is_superuser) == ("alice@example.org", False)


def test_passwords_are_kept_as_argon2_in_production() -> None:
    from buddy import settings as real

    assert real.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]


def test_who_reads_the_database_can_be_nobody_with_it(browser: Browser) -> None:
    """A row of a session is kept under a digest of its cookie, and goes with it."""
    browser.sign_up("new@example.org")
    cookie = browser.client.cookies[settings.SESSION_COOKIE_NAME].value
    row = Session.objects.get()
    assert cookie not in f"{row.session_key} {row.session_data} {row.get_decoded()}"
    thief = Browser()
    thief.client.cookies[settings.SESSION_COOKIE_NAME] = row.session_key
    assert thief.send("get", "/api/v1/me").status_code == 401
    browser.send("delete", f"{AUTH}/auth/session")
    assert not Session.objects.filter(session_key=row.session_key).exists()


def test_a_session_is_another_after_signing_in(browser: Browser, alice: User) -> None:
    """Whoever has planted a session in the browser is not signed in with it."""
    session = browser.client.session
    session["planted"] = True
    session.save()
    browser.client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    browser.sign_in(alice.email)
    assert browser.client.cookies[settings.SESSION_COOKIE_NAME].value != session.session_key
    assert not Session.objects.filter(session_key=row_name(session.session_key)).exists()


PAGES = ["/", "/trade", "/api/v1/me", "/api/v1/nothing", "/health", f"{AUTH}/config"]


@pytest.mark.parametrize("address", PAGES)
def test_every_answer_keeps_scripts_frames_and_referrers_out(browser: Browser, address: str) -> None:
    answer = browser.client.get(address)
    policy = answer["Content-Security-Policy"]
    assert "'unsafe-eval'" not in policy
    assert not [part for part in policy.split(";") if "script-src" in part and "'unsafe-inline'" in part]
    for wanted in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'"):
        assert wanted in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_form_of_another_site_is_no_request(browser: Browser, kind: str) -> None:
    """What a page elsewhere can send without asking first is neither read nor, without the token, let in."""
    browser.sign_up("new@example.org")
    token = browser.client.cookies[settings.CSRF_COOKIE_NAME].value
    body = b'{"theme": "dark"}'
    told = browser.client.generic("PATCH", "/api/v1/me", body, kind, headers={"X-CSRFToken": token})
    assert told.status_code in (400, 415)
    assert browser.client.generic("PATCH", "/api/v1/me", body, "application/json").status_code == 403
    assert User.objects.get().theme == "system"
