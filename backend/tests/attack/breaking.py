"""Defects of the worst kind, at wish: real processes break with secrets in their variables and in what they say.

Nothing happens until there is a file called `break` in the data folder. The desk's own commands run unchanged; only
their settings are `breaking_settings`.
"""

from __future__ import annotations

import threading
import time
from functools import wraps
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings

MARK = "broke with"


def flag(data: Path) -> Path:
    return data / "break"


def is_wished() -> bool:
    return flag(settings.DATA_DIR).exists()


class Breaking(AppConfig):
    name = "tests.attack"
    label = "breaking"

    def ready(self) -> None:
        from buddy.events import viewer
        from buddy.exchanges.ccxt_client import Wire
        from buddy.exchanges.models import Credentials
        from buddy.exchanges.stream import Stream

        for owner, name in ((viewer, "look_up"), (Wire, "request"), (Credentials, "keys"), (Stream, "_wanted")):
            setattr(owner, name, breaking(getattr(owner, name)))
        for falls in (in_a_thread, in_passing):
            threading.Thread(target=falls, daemon=True).start()


def breaking(call: Any) -> Any:
    """`call`, and once it is wished an exception that tells what it was given, what it found and the desk's own."""

    @wraps(call)
    def broken(*args: Any, **kwargs: Any) -> Any:
        if not is_wished():
            return call(*args, **kwargs)
        found = call(*args, **kwargs) if call.__name__ == "keys" else None
        raise RuntimeError(f"{call.__name__} {MARK} {args[1:]} {kwargs} {told(found)} {settings.VAULT_KEY}")

    return broken


def told(found: Any) -> str:
    return " ".join(f"{name}: {getattr(found, name)}" for name in ("api_key", "secret", "passphrase") if found)


def wait() -> None:
    while not is_wished():
        time.sleep(0.2)


def in_a_thread() -> None:
    """Nobody catches it."""
    wait()
    raise RuntimeError(f"a thread {MARK} {settings.SECRET_KEY}")


class Going:
    def __del__(self) -> None:
        raise RuntimeError(f"an object {MARK} {settings.SECRET_KEY}")


def in_passing() -> None:
    wait()
    Going()
