"""The settings that money and safety depend on, and the readers that refuse bad ones."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as real
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client

from buddy import checks, env, redact, spa
from tests.conftest import PASSWORD

BACKEND = Path(real.BACKEND)
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SITE_URL": "https://desk.example.org",
    "SECRET_KEY": "s" * 48,
    "VAULT_KEY": "v" * 48,
    "DATABASE_URL": "postgres://buddy:word@postgres:5432/buddy",
    "REDIS_URL": "redis://:word@valkey:6379/0",
    "TRUSTED_PROXIES": "1",
}


def python(code: str, folder: Path, **words: str) -> subprocess.CompletedProcess[str]:
    """`code` in a process of its own, with nothing in its environment but `words`."""
    known = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "DATA_DIR": str(folder)}
    known |= {"DJANGO_SETTINGS_MODULE": "buddy.settings", **words}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=BACKEND, env=known, capture_output=True, text=True, check=False)


def setting(name: str, folder: Path, **words: str) -> str:
    done = python(f"from django.conf import settings; print(settings.{name})", folder, **words)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def checked(folder: Path, **words: str) -> str:
    code = "import django; django.setup(); from django.core.management import call_command as c; c('check')"
    return python(code, folder, **words).stderr


def test_sqlite_takes_the_write_lock_at_once_and_logs_ahead(db: None) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("about SQLite")
    assert connection.transaction_mode == "IMMEDIATE"
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert cursor.execute("PRAGMA synchronous").fetchone() == (1,)


def test_secrets_are_made_once_kept_privately_and_differ(tmp_path: Path) -> None:
    first = setting("SECRET_KEY", tmp_path)
    assert setting("SECRET_KEY", tmp_path) == first != setting("VAULT_KEY", tmp_path)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()} == {0o600}


@pytest.mark.parametrize("missing", ["SECRET_KEY", "VAULT_KEY"])
def test_production_makes_no_secrets_of_its_own(tmp_path: Path, missing: str) -> None:
    words = {name: value for name, value in PRODUCTION.items() if name != missing}
    done = python("from django.conf import settings; settings.DEBUG", tmp_path, **words)
    assert f"{missing} is not set" in done.stderr


def test_production_as_it_should_be_is_accepted(tmp_path: Path) -> None:
    assert checked(tmp_path, **PRODUCTION) == ""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"SECRET_KEY": "short"}, "E001"),
        ({"VAULT_KEY": "short"}, "E002"),
        ({"VAULT_KEY": "s" * 48, "SECRET_KEY": "s" * 48}, "E003"),
        ({"VAULT_KEY": "v" * 48 + ",short"}, "E002"),
        ({"VAULT_KEY": "v" * 48 + "," + "s" * 48, "SECRET_KEY": "s" * 48}, "E003"),
        ({"LIVE_TRADING": True, "EXCHANGE_TRANSPORT_BASE": "http://10.0.0.7:9"}, "E006"),
        ({"SITE_URL": "desk.example.org"}, "E004"),
        ({"ALLOWED_HOSTS": ["*"]}, "E005"),
        ({"PRODUCTION": True, "DEBUG": True}, "E010"),
        ({"PRODUCTION": True, "HTTPS": False}, "E011"),
        ({"PRODUCTION": True, "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3"}}}, "E012"),
        ({"PRODUCTION": True, "EXCHANGE_TRANSPORT_BASE": "http://127.0.0.1:9"}, "E013"),
    ],
)
def test_bad_settings_are_refused_with_a_cure(settings: Any, words: dict[str, Any], code: str) -> None:
    for name, value in words.items():
        setattr(settings, name, value)
    found = {fault.id: fault.hint for fault in checks.settings_are_safe(None)}
    assert found[f"buddy.{code}"]


def test_over_https_cookies_are_bound_to_the_host(tmp_path: Path) -> None:
    assert setting("SESSION_COOKIE_NAME", tmp_path, **PRODUCTION) == "__Host-sessionid"
    assert setting("CSRF_COOKIE_NAME", tmp_path, **PRODUCTION) == "__Host-csrftoken"


def test_the_web_process_carries_no_exchange_library(tmp_path: Path) -> None:
    code = "import sys, buddy.asgi, buddy.urls; print('ccxt' in sys.modules)"
    assert python(code, tmp_path).stdout.strip() == "False"


def test_tasks_travel_as_json_and_nothing_else() -> None:
    assert real.CELERY_ACCEPT_CONTENT == ["json"]


@pytest.mark.parametrize(
    ("read", "value", "cure"),
    [
        (lambda: env.boolean("THE_WORD", False), "maybe", "Write true or false"),
        (lambda: env.integer("THE_WORD", 1), "1.5", "Write a whole number"),
        (lambda: env.integer("THE_WORD", 1, at_least=1), "0", "at least 1"),
        (lambda: env.choice("THE_WORD", ("a", "b"), "a"), "c", "Choose one of: a, b"),
        (lambda: env.database(os.environ["THE_WORD"]), "mysql://x/y", "Write sqlite:///"),
        (lambda: env.database(os.environ["THE_WORD"]), "postgres://host", "names no database"),
    ],
)
def test_a_bad_word_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, read: Any, value: str, cure: str) -> None:
    monkeypatch.setenv("THE_WORD", value)
    with pytest.raises(ImproperlyConfigured, match=cure):
        read()


def test_an_env_file_never_overrules_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text('# comment\nTB_ONE="from file"\n\nTB_TWO=from file\n')
    monkeypatch.setenv("TB_TWO", "from outside")
    monkeypatch.delenv("TB_ONE", raising=False)
    env.read_file(file)
    assert (os.environ.pop("TB_ONE"), os.environ["TB_TWO"]) == ("from file", "from outside")


def test_a_line_that_says_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nnonsense\n")
    with pytest.raises(ImproperlyConfigured, match="line 2"):
        env.read_file(tmp_path / ".env")


def test_the_example_names_every_variable_that_is_read() -> None:
    example = (BACKEND.parent / ".env.example").read_text()
    source = (BACKEND / "buddy" / "settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source))
    assert read <= set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))


@pytest.mark.parametrize(
    "line",
    [
        "connecting to redis://:canary@valkey:6379/0",
        "postgres://buddy:canary@postgres/buddy refused",
        "POST {'email': 'a@example.org', 'password': 'canary'}",
        "headers Authorization: Bearer canary",
        "GET /order?symbol=X&signature=canary&timestamp=1",
        'apiKey="canary", other=1',
    ],
)
def test_no_secret_reaches_the_log(line: str) -> None:
    assert "canary" not in redact.redact(line)


def test_our_own_keys_are_struck_even_out_of_a_traceback() -> None:
    formatter = redact.Formatter("{message}", style="{")
    try:
        raise ValueError(real.SECRET_KEY)
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 1, "failed with %s", (real.VAULT_KEY,), sys.exc_info())
    line = formatter.format(record)
    assert real.SECRET_KEY not in line
    assert real.VAULT_KEY not in line


def test_only_the_apps_own_boot_script_may_stand_in_the_page() -> None:
    page = b'<script src="/x.js"></script><script>alert(1)</script>'
    assert spa.inline_script_hashes(page) == ["'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"]


def built(folder: Path, words: str, at: int) -> str:
    """A build with one script file, named after `words`, and a boot script; the hash of the latter."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "_app").mkdir(parents=True)
    (folder / "_app" / f"{words}.js").write_text(words)
    page = f"<script>boot({words!r})</script>"
    (folder / "index.html").write_text(page)
    os.utime(folder / "index.html", (at, at))
    return spa.inline_script_hashes(page.encode())[0]


def test_a_page_built_anew_is_served_with_its_own_files_and_boot_script(tmp_path: Path, settings: Any) -> None:
    settings.FRONTEND_BUILD = tmp_path / "build"
    client = Client()
    assert b"not built yet" in client.get("/trade").content
    for at, words in enumerate(("first", "second"), start=1):
        boot = built(settings.FRONTEND_BUILD, words, at)
        shown = client.get("/trade")
        assert words.encode() in shown.content
        assert re.search(r"script-src ([^;]+)", shown.headers["Content-Security-Policy"])[1] == f"'self' {boot}"  # type: ignore[index]
        assert b"".join(client.get(f"/_app/{words}.js")) == words.encode()
    assert client.get("/_app/first.js").status_code == 404


def test_every_page_is_guarded(db: None) -> None:
    headers = Client().get("/trade").headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";") if " " in part.strip()
    )
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe-inline" not in policy["script-src"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "same-origin"


def test_the_session_cookie_is_out_of_reach_of_scripts(db: None) -> None:
    body = {"email": "new@example.org", "password": PASSWORD}
    answer = Client().post("/_allauth/browser/v1/auth/signup", body, content_type="application/json")
    cookie = answer.cookies[real.SESSION_COOKIE_NAME]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_a_host_that_is_not_ours_is_refused(db: None) -> None:
    assert Client(headers={"Host": "evil.example"}).get("/api/v1/me").status_code == 400
