"""What an account at a venue has, for a process that must not speak to venues: a worker is asked and waited for."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.core.cache import cache

from buddy.core.exchange import Balance
from buddy.core.market import Instrument
from buddy.prepared import Select

from . import instrument_json, probing
from .market_data import fetching
from .models import Account, Credentials
from .venue_exchange import exchange_of
from .venues import VENUES

HOUR = 3_600_000
NEW_ENOUGH = 2_000
"""Milliseconds: how old a balance may be that a trade is sized by."""
SHOWN = 15_000
"""Milliseconds after which a balance on the screen is read again."""

_ACCOUNT = Select(lambda account: Account.objects.filter(pk=account))
_KEY = Select(
    lambda account: Credentials.objects.filter(account_id=account, in_use=True).order_by("pk").values_list("pk")[:1]
)


class Asked:
    """An account's exchange as far as a worker is asked for it. It reads; trading is the workers'."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def balance(self) -> Balance:
        """Raises CouldNotRead."""
        told = _ask(self.account, "balance", max_age=NEW_ENOUGH)
        return Balance(*(Decimal(told[name]) for name in ("wallet", "equity", "free")))

    def instrument(self, symbol: str) -> Instrument:
        """With the margin tiers of this very account. Raises CouldNotRead."""
        return instrument_json.from_json(_ask(self.account, "instrument", symbol, max_age=HOUR))


def freshen(account: Account) -> None:
    """Have the balance on the screen read again, without waiting for it."""
    name = _name(account, "balance")
    fetching.nudge(name, lambda: _send(account, "balance"))


def outdated(account: Account) -> None:
    """Something was traded: the balance that is kept is that of before, and whoever needs it has it read again."""
    name = _name(account, "balance")
    cache.delete_many([name, fetching.question(name)])


def answer(account_id: int, what: str, *arguments: str) -> Any:
    """In a worker: ask the venue now and leave the answer for everybody. Raises CouldNotRead."""
    account = _ACCOUNT.first(account=account_id)
    if account is None:
        raise Account.DoesNotExist
    questions: dict[str, Callable[..., Any]] = {"balance": _balance, "instrument": _instrument}
    return fetching.keep(_name(account, what, *arguments), lambda: questions[what](account, *arguments))


def _ask(account: Account, what: str, *arguments: str, max_age: int) -> Any:
    return fetching.shared(
        _name(account, what, *arguments),
        max_age,
        find=lambda: answer(account.pk, what, *arguments),
        send=lambda: _send(account, what, *arguments),
        waiting_for=f"{VENUES[account.venue].name} to answer for {account.name}",
    )


def _name(account: Account, what: str, *arguments: str) -> str:
    """With the key's number: what was told to one key is not told to another."""
    key = _KEY.first(account=account.pk)
    return fetching.key("account", str(account.pk), str(key and key[0]), what, *arguments)


def _send(account: Account, what: str, *arguments: str) -> None:
    from .tasks import ask_account

    ask_account.apply_async(args=[account.pk, what, *arguments], expires=10)


def _balance(account: Account) -> dict[str, str]:
    balance = exchange_of(account).balance()
    probing.write_balance(account, balance)
    return {name: str(getattr(balance, name)) for name in ("wallet", "equity", "free")}


def _instrument(account: Account, symbol: str) -> dict[str, Any]:
    return instrument_json.to_json(exchange_of(account).instrument(symbol))
