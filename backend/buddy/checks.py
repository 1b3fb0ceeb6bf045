"""Bad settings are refused before anything starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def settings_are_safe(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    return [Error(message, hint=cure, id=f"buddy.{code}") for code, message, cure in _faults()]


def _faults() -> Iterator[tuple[str, str, str]]:
    if len(settings.SECRET_KEY) < 32:
        yield "E001", "SECRET_KEY is shorter than 32 characters.", "Use a long random text."
    if len(settings.VAULT_KEY) < 32:
        yield "E002", "VAULT_KEY is shorter than 32 characters.", "Use a long random text."
    if settings.VAULT_KEY == settings.SECRET_KEY:
        yield "E003", "VAULT_KEY and SECRET_KEY are the same.", "Give each its own random text."
    if urlsplit(settings.SITE_URL).scheme not in ("http", "https") or not settings.SITE_HOST:
        yield (
            "E004",
            f"SITE_URL is {settings.SITE_URL!r}.",
            "Write the address people open, like https://desk.example.org.",
        )
    if "*" in settings.ALLOWED_HOSTS:
        yield "E005", "ALLOWED_HOSTS allows every host.", "Name the hosts, or leave it empty to use SITE_URL's."
    if settings.PRODUCTION:
        yield from _production_faults()


def _production_faults() -> Iterator[tuple[str, str, str]]:
    if settings.DEBUG:
        yield "E010", "DEBUG is on in production.", "Remove DEBUG from the environment."
    if not settings.HTTPS:
        yield "E011", "SITE_URL is not https in production.", "Set SITE_URL=https://… and put TLS in front."
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        yield "E012", "Production runs on SQLite.", "Set DATABASE_URL=postgres://…."
    if settings.EXCHANGE_TRANSPORT_BASE:
        yield "E013", "EXCHANGE_TRANSPORT_BASE is set in production.", "Remove it: venues are reached directly."
