"""The exchange behind an account's key. Workers only: what speaks to venues weighs too much for the web process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from buddy.core.costs import Costs
from buddy.core.errors import CouldNotRead
from buddy.core.exchange import Exchange, KeyInfo
from buddy.core.market import Instrument
from buddy.prepared import Select

from . import vault
from .market_data.fetching import Place
from .models import Account, Credentials

CLIENT = "buddy.exchanges.ccxt_connect.open_exchange"
"""Imported at the first need: it brings the exchange library with it."""
KEPT = 256
"""Exchanges a process keeps open, with their connections, and what each has seen: the prices since its last reading,
which trailing stops follow, and what it sent. It is more than the limits of all venues together let be looked at from
one address every few seconds, so that none which is in use is given up; each takes some 300 kB."""


class VenueExchange(Exchange, Protocol):
    """What a venue tells beyond the port of the core."""

    def key_info(self) -> KeyInfo:
        """What the key may do. Raises KeyRefused, CouldNotRead."""
        ...

    def clock_offset(self) -> int:
        """Milliseconds the venue's clock is ahead of ours. Raises CouldNotRead."""
        ...

    def margin_mode(self) -> str:
        """The one margin mode of the whole account; empty where each symbol has its own. Raises CouldNotRead."""
        ...

    def charges(self) -> Costs | None:
        """Maker and taker rates of this account; None where the venue does not tell. Raises CouldNotRead."""
        ...

    def instruments(self) -> Sequence[Instrument]: ...


_OPEN: OrderedDict[tuple[int, str, str], VenueExchange] = OrderedDict()
_LOCK = Lock()
_KEY = Select(lambda account: Credentials.objects.filter(account_id=account, in_use=True).order_by("pk")[:1])


def exchange_of(account: Account) -> VenueExchange:
    """The account's exchange, with the key in use. Raises CouldNotRead."""
    row = _KEY.first(account=account.pk)
    if row is None:
        raise CouldNotRead(f"{account.name} has no key.")
    return exchange_with(account, row)


def exchange_with(account: Account, row: Credentials) -> VenueExchange:
    """The account's exchange with one of its keys; kept open until the key, or how it is sealed, changes."""
    if not Place.is_worker:
        raise RuntimeError("Only workers speak to venues.")
    name = (row.pk, row.secret, settings.EXCHANGE_TRANSPORT_BASE)
    with _LOCK:
        if name not in _OPEN:
            _OPEN[name] = _opened(account, row)
            while len(_OPEN) > KEPT:
                _OPEN.popitem(last=False)
        _OPEN.move_to_end(name)
        return _OPEN[name]


def forget() -> None:
    """Close nothing, keep nothing: for tests, and before a process forks."""
    with _LOCK:
        _OPEN.clear()


def _opened(account: Account, row: Credentials) -> VenueExchange:
    try:
        keys = row.keys()
    except vault.CannotOpen as closed:
        raise CouldNotRead(f"The key of {account.name} cannot be opened. {closed}") from None
    testnet = account.mode == Account.Mode.TESTNET
    found: VenueExchange = import_string(CLIENT)(account.venue, keys, testnet=testnet)
    return found
