"""Bad settings are refused before anything starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DEFAULT_DB_ALIAS, connection

from buddy import env
from buddy.backups.refusals import Refused
from buddy.backups.sealing import check_recipients
from buddy.exchanges import resealing
from buddy.exchanges.models import Credentials

SETTINGS = "settings"
"""Tag of the checks that cost nothing: the rest loads every address, and all that stands behind it."""


@register(SETTINGS)
def settings_are_safe(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    return [Error(message, hint=cure, id=f"buddy.{code}") for code, message, cure in _faults()]


def _faults() -> Iterator[tuple[str, str, str]]:
    if len(settings.SECRET_KEY) < 32:
        yield "E001", "SECRET_KEY is shorter than 32 characters.", "Use a long random text."
    if any(len(key) < 32 for key in env.parts(settings.VAULT_KEY)):
        yield "E002", "VAULT_KEY holds a key shorter than 32 characters.", "Use long random texts, newest first."
    if settings.SECRET_KEY in env.parts(settings.VAULT_KEY):
        yield "E003", "VAULT_KEY and SECRET_KEY are the same.", "Give each its own random text."
    if urlsplit(settings.SITE_URL).scheme not in ("http", "https") or not settings.SITE_HOST:
        yield (
            "E004",
            f"SITE_URL is {settings.SITE_URL!r}.",
            "Write the address people open, like https://desk.example.org.",
        )
    if "*" in settings.ALLOWED_HOSTS:
        yield "E005", "ALLOWED_HOSTS allows every host.", "Name the hosts, or leave it empty to use SITE_URL's."
    if settings.LIVE_TRADING and not _stays_here(settings.EXCHANGE_TRANSPORT_BASE):
        yield (
            "E006",
            "LIVE_TRADING is on, and EXCHANGE_TRANSPORT_BASE sends signed requests to another machine.",
            "Remove EXCHANGE_TRANSPORT_BASE, or let it name this machine (127.0.0.1).",
        )
    if settings.BACKUP_RECIPIENT:
        yield from _backup_faults()
    if settings.PRODUCTION:
        yield from _production_faults()


def _backup_faults() -> Iterator[tuple[str, str, str]]:
    try:
        check_recipients(settings.BACKUP_RECIPIENT)
    except Refused as refused:
        yield "E007", refused.args[0], refused.cure


def _production_faults() -> Iterator[tuple[str, str, str]]:
    if settings.DEBUG:
        yield "E010", "DEBUG is on in production.", "Remove DEBUG from the environment."
    if not settings.HTTPS:
        yield "E011", "SITE_URL is not https in production.", "Set SITE_URL=https://… and put TLS in front."
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        yield "E012", "Production runs on SQLite.", "Set DATABASE_URL=postgres://…."
    if settings.EXCHANGE_TRANSPORT_BASE:
        yield "E013", "EXCHANGE_TRANSPORT_BASE is set in production.", "Remove it: venues are reached directly."


def _stays_here(base: str) -> bool:
    return not base or urlsplit(base).hostname in ("localhost", "127.0.0.1", "::1")


@register(Tags.database)
def sealed_keys_open(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Before anything starts (`migrate` asks): exchange keys open only under the VAULT_KEY that sealed them."""
    if DEFAULT_DB_ALIAS not in (databases or ()) or not _has_sealed_rows():
        return []
    rows, closed = resealing.counted()
    if not closed:
        return []
    message = f"VAULT_KEY does not open {closed} of {rows} exchange keys."
    cure = "Put the key they were sealed under back; it may stand behind the new one, after a comma."
    if closed < rows:  # the others' stops must be looked after
        return [checks.Warning(message, hint=cure, id="buddy.W020")]
    return [Error(message, hint=cure, id="buddy.E020")]


def _has_sealed_rows() -> bool:
    """False too before the first migration."""
    return Credentials._meta.db_table in connection.introspection.table_names() and Credentials.objects.exists()
