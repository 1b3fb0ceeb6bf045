"""Canaries through signing up, failing to sign in, saving exchange keys and breaking: none of them comes out."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.apps import apps
from django.conf import settings
from django.core.management import call_command

from buddy import redact
from buddy.core.errors import CouldNotRead, KeyRefused
from buddy.exchanges import venue_accounts
from buddy.exchanges.models import Credentials
from buddy.trading.rounds import look_quietly
from buddy.users import views
from buddy.users.models import User
from tests.exchanges.scripted_venue import at_hand

from .test_users import Browser

PASSWORD, WRONG = "canary-password-bhx71", "canary-wrong-password-ksm93"
SECRET_KEY, VAULT_KEY = "canary-secret-key-" + "q" * 40, "canary-vault-key-" + "v" * 40


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged, at the most talkative level, as the settings' own formatter writes it."""
    written, root = io.StringIO(), logging.getLogger()
    out, level = logging.StreamHandler(written), root.level
    out.setFormatter(redact.Formatter("{name}: {message}", style="{"))
    root.addHandler(out)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(out)
    root.setLevel(level)


@pytest.fixture
def canaries(settings: Any) -> Iterator[None]:
    settings.SECRET_KEY, settings.VAULT_KEY = SECRET_KEY, VAULT_KEY
    redact._own_secrets.cache_clear()
    yield
    redact._own_secrets.cache_clear()


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading oneself breaks, with every secret at hand in the message."""

    def breaks(view: Any) -> User:
        cookies = dict(view.request.COOKIES)
        raise RuntimeError(f"broke with {settings.SECRET_KEY} {settings.VAULT_KEY}, password={PASSWORD}, {cookies}")

    monkeypatch.setattr(views.MeView, "get_object", breaks)


def test_no_secret_comes_out(db: None, canaries: None, log: io.StringIO, broken: None) -> None:
    browser = Browser(raise_request_exception=False)
    told = [browser.sign_up("new@example.org", PASSWORD), Browser().sign_in("new@example.org", WRONG)]
    told += [browser.send("post", "/_allauth/browser/v1/auth/signup", f'{{"password": "{WRONG}", ')]
    told += [browser.send("get", "/api/v1/me"), browser.send("patch", "/api/v1/me", {"theme": "dark"}, token=False)]
    assert [answer.status_code for answer in told] == [200, 400, 400, 500, 403]
    session = browser.client.cookies[settings.SESSION_COOKIE_NAME].value
    secrets = {PASSWORD, WRONG, SECRET_KEY, VAULT_KEY, session}
    assert "broke with [redacted]" in log.getvalue()
    assert_silent(secrets, log.getvalue(), "the log")
    for answer in told:
        assert_silent(secrets - {session}, f"{answer.headers} {answer.content!r}", "an answer")
        assert_silent({session}, answer.content.decode(), "an answer")
    assert_silent(secrets - {session}, kept(), "the database")
    assert_silent(secrets, in_store(), "the store")


def assert_silent(secrets: set[str], text: str, where: str) -> None:
    assert not [secret for secret in secrets if secret in text], where


def kept() -> str:
    """Every row of every table."""
    return str([list(table._default_manager.values()) for table in apps.get_models(include_auto_created=True)])


def in_store() -> str:
    """Every value of every kind: the cache, what was counted, and the tasks that wait for a worker."""
    found = redis.Redis.from_url(settings.REDIS_URL)
    reads = {
        b"string": found.get,
        b"list": lambda key: found.lrange(key, 0, -1),
        b"hash": found.hgetall,
        b"set": found.smembers,
        b"zset": lambda key: found.zrange(key, 0, -1),
    }
    return str([(key, reads[found.type(key)](key)) for key in found.scan_iter()])


# --- exchange keys ----------------------------------------------------------------------------------------------------

ACCOUNTS = "/api/v1/accounts"
KEY = {"api_key": "canary-api-key-7Hq2", "secret": "canary-api-secret-Zx81", "passphrase": "canary-passphrase-Lw5"}
FRESH = {name: f"{value}-fresh" for name, value in KEY.items()}
MISPLACED = "canary-misplaced-secret-Gt4"


@pytest.fixture
def trader(db: None, canaries: None, log: io.StringIO) -> Browser:
    browser = Browser(raise_request_exception=False)
    browser.sign_up("new@example.org", PASSWORD)
    return browser


def assert_nowhere(log: io.StringIO, answers: list[Any]) -> None:
    secrets = {*KEY.values(), *FRESH.values(), MISPLACED}
    for answer in answers:
        assert_silent(secrets, f"{answer.headers} {answer.content!r}", "an answer")
    assert_silent(secrets, log.getvalue(), "the log")
    assert_silent(secrets, kept(), "the database")
    assert_silent(secrets, in_store(), "the store")


def asked(**fields: Any) -> dict[str, Any]:
    return {"name": "Demo", "mode": "testnet", "venue": "okx", "key": KEY, **fields}


def test_no_exchange_key_comes_out(trader: Browser, log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    with at_hand(monkeypatch) as venue:
        told = [trader.send("post", ACCOUNTS, asked())]
        address = f"{ACCOUNTS}/{told[0].json()['id']}"
        told += [trader.send("post", f"{address}/check", {}), trader.send("put", f"{address}/key", FRESH)]
        for error in (KeyRefused, CouldNotRead, ValueError):
            venue.fails = error(f"odd {KEY['api_key']} {FRESH['secret']} apiKey={KEY['secret']} {FRESH['passphrase']}")
            told += [trader.send("post", f"{address}/check", {}), trader.send("put", f"{address}/key", KEY)]
            look_quietly(told[0].json()["id"])
        told += [trader.send("get", "/api/v1/events"), trader.send("get", ACCOUNTS)]
    assert [answer.status_code for answer in told] == [201, 200, 200, 200, 400, 200, 503, 200, 503, 200, 200]
    assert "could not be probed" in log.getvalue()
    assert_nowhere(log, told)


def test_no_key_in_the_wrong_place_comes_back(trader: Browser, log: io.StringIO) -> None:
    wrong: list[Any] = [
        asked(key=MISPLACED),
        asked(key={**KEY, "secret": {"x": MISPLACED}}),
        asked(key={**KEY, "api_key": MISPLACED * 100}),
        asked(key=[MISPLACED]),
        asked(venue="mtgox", mode=MISPLACED[:6]),
        f'{{"key": {{"secret": "{MISPLACED}", ',
    ]
    told = [trader.send("post", ACCOUNTS, body) for body in wrong]
    assert {answer.status_code for answer in told} == {400}
    assert_nowhere(log, told)


def test_a_task_carries_no_key(trader: Browser, log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(venue_accounts, "WAIT", 0.1)
    told = [trader.send("post", ACCOUNTS, asked())]
    assert told[0].json()["code"] == "key_unchecked"
    assert "probe_key" in in_store()
    assert_nowhere(log, told)


def test_a_defect_while_a_key_is_saved_tells_nothing(
    trader: Browser, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(self: Any, keys: Any) -> None:
        raise RuntimeError(f"broke with {keys.api_key} {keys.secret} {keys.passphrase} {keys}")

    monkeypatch.setattr(Credentials, "keep", breaks)
    told = [trader.send("post", ACCOUNTS, asked())]
    assert told[0].status_code == 500
    assert "broke with [redacted]" in log.getvalue()
    assert not apps.get_model("exchanges", "Account").objects.exists()
    assert_nowhere(log, told)


# --- a second factor --------------------------------------------------------------------------------------------------

FACTORS = "/_allauth/browser/v1/account/authenticators"


def confirm(trader: Browser) -> None:
    assert trader.send("post", "/_allauth/browser/v1/auth/reauthenticate", {"password": PASSWORD}).status_code == 200


def code_now(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(secret, counter)))


def test_a_second_factor_is_sealed_works_and_is_sealed_anew(trader: Browser, log: io.StringIO, settings: Any) -> None:
    confirm(trader)
    secret = trader.send("get", f"{FACTORS}/totp").json()["meta"]["secret"]
    assert trader.send("post", f"{FACTORS}/totp", {"code": code_now(secret)}).status_code == 200
    codes = trader.send("get", f"{FACTORS}/recovery-codes").json()["data"]["unused_codes"]
    assert_signing_in_takes(codes[0])
    settings.VAULT_KEY = f"{'n' * 40},{VAULT_KEY}"
    call_command("rotate_vault", stdout=io.StringIO())
    settings.VAULT_KEY = "n" * 40
    assert_signing_in_takes(codes[1])
    for place in (log.getvalue(), kept(), in_store()):
        assert_silent({secret, *codes}, place, "anywhere")


def test_a_second_factor_from_before_there_was_a_seal_works_and_is_sealed(trader: Browser) -> None:
    confirm(trader)
    seed, user = "canary-seed-of-codes", User.objects.get()
    for kind, data in (("totp", {"secret": "JBSWY3DPEHPK3PXP"}), ("recovery_codes", {"seed": seed, "used_mask": 0})):
        Authenticator.objects.create(user=user, type=kind, data=data)
    codes = trader.send("get", f"{FACTORS}/recovery-codes").json()["data"]["unused_codes"]
    call_command("rotate_vault", stdout=io.StringIO())
    assert seed not in kept()
    assert_signing_in_takes(codes[0])


def assert_signing_in_takes(code: str) -> None:
    """The password alone does not do, and a code does once."""
    for status in (200, 400):
        browser = Browser()
        assert browser.sign_in("new@example.org", PASSWORD).status_code == 401
        assert browser.send("get", "/api/v1/me").status_code == 401
        answer = browser.send("post", "/_allauth/browser/v1/auth/2fa/authenticate", {"code": code})
        assert answer.status_code == status, answer.content
