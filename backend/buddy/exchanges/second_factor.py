"""The secrets of a second factor in signing in, sealed as exchange keys are and with the same VAULT_KEY."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator

from . import vault

PLACE = "second factor"
"""Whose it is, the sign-in library does not say when it seals."""
SECRETS = ("secret", "seed")
"""Of codes by the clock, and of those for when the telephone is lost."""


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]  # the library has no types
    def encrypt(self, text: str) -> str:
        return vault.seal(text, PLACE)

    def decrypt(self, encrypted_text: str) -> str:
        """Raises vault.CannotOpen."""
        return opened(encrypted_text)


def opened(text: str) -> str:
    """What was written before there was a seal is as it is, until `rotate_vault` seals it. Raises vault.CannotOpen."""
    return vault.open_sealed(text, PLACE) if "." in text else text


def rows() -> Iterator[tuple[Authenticator, Callable[[], dict[str, Any]]]]:
    """Each with what seals it anew."""
    for row in Authenticator.objects.order_by("pk").iterator():
        yield row, partial(_sealed_anew, row.data)


def _sealed_anew(data: dict[str, Any]) -> dict[str, Any]:
    """The changed field; nothing where the newest key sealed it already. Raises vault.CannotOpen."""
    stale = {name: data[name] for name in SECRETS if name in data and not vault.is_current(data[name])}
    fresh = {name: vault.seal(opened(text), PLACE) for name, text in stale.items()}
    return {"data": {**data, **fresh}} if fresh else {}
