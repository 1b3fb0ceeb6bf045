"""Exchange keys sealed at rest: AES-256-GCM under VAULT_KEY, which lives outside the database and its backups.

A sealed text is bound to its place, for example "account:7:secret"; copied elsewhere it does not open. VAULT_KEY may
hold several keys, newest first: the newest seals, each of them opens, and `manage.py rotate_vault` seals all anew.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from buddy import env, redact

FORM = "1"
NONCE = 12
"""Bytes: what AES-GCM is made for. Random, as a key seals thousands of texts and not billions."""


class CannotOpen(Exception):
    """Sealed under a key that VAULT_KEY does not hold, moved from its place, or damaged. Never says what it holds."""


@dataclass(frozen=True, slots=True)
class _Key:
    name: str
    cipher: AESGCM = field(repr=False)


def seal(text: str, place: str) -> str:
    """`text` under the newest key, to be opened at `place` only; from now on struck out of this process's log."""
    redact.learn(text)
    key, nonce = _keys(settings.VAULT_KEY)[0], os.urandom(NONCE)
    head = f"{FORM}.{key.name}"
    sealed = key.cipher.encrypt(nonce, text.encode(), _bound(head, place))
    return f"{head}.{urlsafe_b64encode(nonce + sealed).decode()}"


def open_sealed(sealed: str, place: str) -> str:
    """What was sealed for `place`, struck out of the log as well. Raises CannotOpen."""
    form, _, rest = sealed.partition(".")
    name, _, body = rest.partition(".")
    key = next((key for key in _keys(settings.VAULT_KEY) if key.name == name), None)
    if form != FORM or key is None:
        raise CannotOpen("It was sealed under a key that VAULT_KEY does not hold.")
    try:
        raw = urlsafe_b64decode(body)
        text = key.cipher.decrypt(raw[:NONCE], raw[NONCE:], _bound(f"{form}.{name}", place)).decode()
    except (InvalidTag, ValueError):
        raise CannotOpen("It was sealed for another place, or it is damaged.") from None
    redact.learn(text)
    return text


def is_current(sealed: str) -> bool:
    """Whether the newest key sealed it."""
    return sealed.startswith(f"{FORM}.{_keys(settings.VAULT_KEY)[0].name}.")


def _bound(head: str, place: str) -> bytes:
    return f"{head}.{place}".encode()


@lru_cache(maxsize=4)
def _keys(texts: str) -> tuple[_Key, ...]:
    """VAULT_KEY is text of any length; what encrypts is derived from it. The names tell keys apart and tell nothing."""
    return tuple(_derived(text) for text in env.parts(texts))


def _derived(text: str) -> _Key:
    bits = HKDF(SHA256(), 32, salt=None, info=b"trading buddy vault").derive(text.encode())
    return _Key(sha256(b"name" + bits).hexdigest()[:12], AESGCM(bits))
