"""Settings from the environment: typed readers that fail loudly, naming the variable and the cure."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

SQLITE_OPTIONS: dict[str, Any] = {
    "timeout": 20,
    # A read followed by a write in one transaction is refused at once under DEFERRED, whatever the timeout.
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;",
    "cached_statements": 1_000,  # the driver keeps 128, fewer than one look and one click run
}


def read_file(path: Path) -> None:
    """Take `NAME=value` lines from `path`; what the environment already holds wins. No file, nothing taken."""
    if not path.is_file():
        return
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name.strip()):
            raise ImproperlyConfigured(f"{path.name}, line {number}: write NAME=value.")
        os.environ.setdefault(name.strip(), _unquoted(value.strip()))


def text(name: str, default: str | None = None) -> str:
    value = os.environ.get(name) or default
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set. Set it in .env or in the environment.")
    return value


def boolean(name: str, default: bool) -> bool:
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}. Write true or false.")


def integer(name: str, default: int, *, at_least: int = 0) -> int:
    value = os.environ.get(name)
    if not value:
        return default
    if not re.fullmatch(r"-?\d+", value) or int(value) < at_least:
        raise ImproperlyConfigured(f"{name} is {value!r}. Write a whole number, at least {at_least}.")
    return int(value)


def choice(name: str, allowed: tuple[str, ...], default: str) -> str:
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is {value!r}. Choose one of: {', '.join(allowed)}.")
    return value


def listing(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Comma-separated; blanks are left out."""
    value = os.environ.get(name)
    return list(default) if not value else [part.strip() for part in value.split(",") if part.strip()]


def parts(value: str) -> list[str]:
    """The keys in a secret that may hold several, newest first: separated by commas, blanks or lines."""
    return re.split(r"[,\s]+", value.strip(", \n\t"))


def secret(name: str, *, kept_in: Path | None) -> str:
    """From the variable, from the file that `NAME_FILE` names, or made once and kept in a private file in `kept_in`."""
    if value := os.environ.get(name):
        return value
    if path := os.environ.get(f"{name}_FILE"):
        return _read_secret(name, Path(path))
    if kept_in is None:
        raise ImproperlyConfigured(
            f"{name} is not set. Put a long random text in {name}, or its file's path in {name}_FILE."
        )
    return _kept_secret(name, kept_in / name.lower())


def database(url: str) -> dict[str, Any]:
    """Django's DATABASES entry for `sqlite:///PATH` or `postgres://user:password@host:port/name?option=value`."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": parts.path, "OPTIONS": dict(SQLITE_OPTIONS)}
    if parts.scheme in ("postgres", "postgresql"):
        return _postgres(url)
    raise ImproperlyConfigured(f"DATABASE_URL begins with {parts.scheme!r}. Write sqlite:///… or postgres://….")


def _postgres(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if not parts.path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL names no database. Write postgres://user:password@host:5432/name.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


def _read_secret(name: str, path: Path) -> str:
    try:
        value = path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}: cannot read {path}: {error.strerror}.") from None
    if not value:
        raise ImproperlyConfigured(f"{name}: {path} is empty.")
    return value


def _kept_secret(name: str, path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    if not path.exists():
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(fresh, path)  # the first process wins, and nobody ever reads half a file
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return _read_secret(name, path)
