"""What an error of the client library means, by what left and what the venue answered, as one of `core.errors`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import ccxt

from buddy.core.errors import CouldNotRead, ExchangeError, KeyRefused, OutcomeUnknown, Rejected, Temporary
from buddy.core.exchange import Refusal

from .ccxt_client import Client, Wire
from .recipe import Recipe, at
from .venue_codes import STATUSES, Meaning

PAUSES = {418: 120.0, 403: 60.0}
PAUSE = 5.0
"""Seconds nobody asks after being told to slow down, where the venue does not say."""
LONGEST_PAUSE = 3600.0
BANNED_UNTIL = re.compile(r"banned until (\d{13})")


class Absent(ExchangeError):
    """The venue says there is no such order, or none that rests. Never leaves the adapter."""


class Unchanged(ExchangeError):
    """The venue says that it is so already. Never leaves the adapter."""


class Declined(CouldNotRead):
    """The venue understood a question and would not answer it. `gone`: because it does not trade that (any more)."""

    def __init__(self, message: str, *, gone: bool) -> None:
        self.gone = gone
        super().__init__(message)


class Skew(Temporary):
    """Our clock and the venue's differ: compare them and ask again."""


def code_of(recipe: Recipe, answer: Any) -> str:
    """The venue's own code in its answer; empty when it found nothing wrong or said nothing."""
    for path in recipe.code_at:
        code = at(answer, path)
        if code not in (None, "") and str(code) not in recipe.fine:
            return str(code)
    return ""


def meaning(recipe: Recipe, wire: Wire) -> Refusal | Meaning | None:
    """None: nothing we know."""
    code = code_of(recipe, wire.answer)
    known = recipe.codes.get(code)
    if known is None and code:
        words = str(at(wire.answer, recipe.words_at) or "")
        known = next((meant for beginning, meant in recipe.sayings if words.startswith(beginning)), None)
    return known if known is not None else STATUSES.get(wire.status or 0)


def told(client: Client, error: Exception) -> str:
    """A sentence for the trader: the venue's own words where it has some, never an address or a key."""
    for path in (("msg",), ("retMsg",), ("data", 0, "sMsg"), ("sendStatus", "status"), ("error",), ("error", 0)):
        words = at(client.wire.answer, path)
        if words and isinstance(words, str):
            return f"{client.name}: {words[:200]}"
    return f"{client.name} gave no answer we can use ({type(error).__name__})."


def reading_failed(client: Client, error: Exception) -> ExchangeError:
    known = meaning(client.recipe, client.wire)
    if known is Meaning.ABSENT:
        return Absent(told(client, error))
    if known is Meaning.KEY:
        return KeyRefused(told(client, error))
    if known is Meaning.SKEW:
        return Skew(f"{client.name} and this machine disagree about the time.")
    if known is Meaning.SLOW_DOWN:
        return CouldNotRead(f"{client.name} asks us to slow down.")
    if isinstance(known, Refusal):
        return Declined(told(client, error), gone=known is Refusal.INACTIVE)
    if isinstance(error, ccxt.NetworkError) and client.wire.status is None:
        return CouldNotRead(f"{client.name} cannot be reached.")
    return CouldNotRead(told(client, error))


NOT_DONE: dict[Meaning, Callable[[str], ExchangeError]] = {
    Meaning.TEMPORARY: Temporary,
    Meaning.SLOW_DOWN: Temporary,
    Meaning.SKEW: Skew,
    Meaning.KEY: KeyRefused,
    Meaning.ABSENT: Absent,
    Meaning.UNCHANGED: Unchanged,
}


def writing_failed(client: Client, error: Exception) -> ExchangeError:
    """Refused for sure, not carried out, or unknown: whatever is not listed, and every cut line, is unknown."""
    if not client.wire.writes:
        return _never_left(client, error)
    known = meaning(client.recipe, client.wire)
    if isinstance(known, Refusal):
        return Rejected(told(client, error), known)
    if known is not None:
        return NOT_DONE[known](told(client, error))
    return OutcomeUnknown(f"{told(client, error)} Whether it was carried out is not known.")


def _never_left(client: Client, error: Exception) -> ExchangeError:
    """Nothing but questions went out. What the library itself finds wrong will be wrong again."""
    if isinstance(error, ccxt.InvalidOrder | ccxt.BadSymbol | ccxt.ArgumentsRequired | ccxt.NotSupported):
        return Rejected(f"{client.name} would not take it: {str(error)[:200]}", Refusal.OTHER)
    trouble = reading_failed(client, error)
    return trouble if isinstance(trouble, KeyRefused | Skew) else Temporary(str(trouble))


def pause_asked(client: Client) -> float:
    """For how many seconds nobody may ask this venue; 0 when it did not complain."""
    wire = client.wire
    if meaning(client.recipe, wire) is not Meaning.SLOW_DOWN and wire.status not in STATUSES:
        return 0.0
    banned = BANNED_UNTIL.search(str(at(wire.answer, ("msg",)) or ""))
    if banned:
        return min(LONGEST_PAUSE, max(1.0, (int(banned[1]) - client.now()) / 1000))
    after = wire.response_headers.get("Retry-After", "")
    if after.isdigit():
        return min(LONGEST_PAUSE, float(after))
    return PAUSES.get(wire.status or 0, PAUSE)
