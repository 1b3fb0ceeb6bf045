"""Canaries through signing up, failing to sign in and breaking: none of them comes out anywhere."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.apps import apps
from django.conf import settings

from buddy import redact
from buddy.users import views
from buddy.users.models import User

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
    found = redis.Redis.from_url(settings.REDIS_URL)
    return str([(key, found.get(key)) for key in found.scan_iter(_type="string")])
