"""No secret reaches the log: the settings' own, and whatever looks like one, is struck out of every record."""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from functools import cache
from typing import Any

from buddy import env

STRUCK = "[redacted]"
SHORTEST = 8
"""A secret shorter than this is no secret, and striking it out would only garble the log."""
MOST_LEARNED = 4096
_LEARNED: dict[str, None] = {}
"""In the order they were learned."""
_NAMED = re.compile(
    r"""(?ix)
    ( ["']?\b(?:password\w*|secret\w*|api_?key|signature|token|authorization|cookie
      |sessionid|csrftoken|x-csrftoken)["']?
      \s*[:=]\s*["']? (?:bearer\s+|basic\s+)? )
    [^\s"',;&}]+ """
)
_IN_URL = re.compile(r"(\b[a-z][a-z+]*://[^\s:/@]*:)[^\s@/]+(@)", re.IGNORECASE)


def redact(text: str) -> str:
    """`text` without the values of our secrets, of fields named like secrets, and of passwords in addresses."""
    for value in (*_own_secrets(), *list(_LEARNED)):
        text = text.replace(value, STRUCK)
    return _NAMED.sub(rf"\1{STRUCK}", _IN_URL.sub(rf"\1{STRUCK}\2", text))


def learn(value: str) -> None:
    """From now on strike out `value` too: a secret that this process has just seen."""
    if len(value) < SHORTEST or value in _LEARNED:
        return
    while len(_LEARNED) >= MOST_LEARNED:
        _LEARNED.pop(next(iter(_LEARNED)), None)
    _LEARNED[value] = None


class Formatter(logging.Formatter):
    """Redacts the finished line, so that arguments and tracebacks are covered too."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def guard_last_words() -> None:
    """What nobody caught is told redacted too: of a process, of a thread, of an object that goes."""
    for place, name, told in (
        (sys, "excepthook", lambda _kind, error, _trace: _tell(error)),
        (sys, "unraisablehook", lambda given: _tell(given.exc_value)),
        (threading, "excepthook", lambda given: _tell(given.exc_value)),
    ):
        if getattr(place, name) is getattr(place, f"__{name}__"):  # somebody else's, as a test runner's, stays
            setattr(place, name, told)


def _tell(error: Any) -> None:
    if error is not None and not isinstance(error, SystemExit):  # a thread may leave that way
        print(redact("".join(traceback.format_exception(error))), end="", file=sys.stderr, flush=True)


@cache
def _own_secrets() -> tuple[str, ...]:
    from django.conf import settings

    values = (settings.SECRET_KEY, *env.parts(settings.VAULT_KEY), *settings.SECRET_KEY_FALLBACKS)
    return tuple(value for value in values if len(value) >= SHORTEST)
