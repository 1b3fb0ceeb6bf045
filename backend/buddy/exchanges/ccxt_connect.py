"""From a venue and a key to an exchange: one per account and process, the least used of many let go."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from threading import Lock

from .ccxt_calls import Calls
from .ccxt_client import Client, transport
from .ccxt_exchange import CcxtExchange
from .models import Keys
from .rates import Bucket, Limiter
from .venue_recipes import RECIPES

KEPT = 64
_KNOWN: OrderedDict[tuple[str, ...], CcxtExchange] = OrderedDict()
_LOCK = Lock()


def connect(venue: str, environment: str, keys: Keys, *, account: str, redirect: str = "") -> CcxtExchange:
    """The exchange of one account. `environment`: live or testnet; `account`: its name here, unique and no secret.

    Nothing is asked of the venue yet. A new key, and another `redirect`, is another exchange.
    """
    digest = sha256("\0".join((keys.api_key, keys.secret, keys.passphrase)).encode()).hexdigest()
    name = (venue, environment, account, redirect, digest)
    with _LOCK:
        exchange = _KNOWN.get(name) or _make(venue, environment, keys, account, redirect)
        _KNOWN[name] = exchange
        _KNOWN.move_to_end(name)
        while len(_KNOWN) > KEPT:
            _KNOWN.popitem(last=False)[1].client.close()
    return exchange


def _make(venue: str, environment: str, keys: Keys, account: str, redirect: str) -> CcxtExchange:
    recipe = RECIPES[venue]
    client = Client(venue, environment, keys, transport(redirect))
    place = f"rate:{venue}:{environment}"
    address = Bucket(f"{place}:address", recipe.per_address)
    mine = Bucket(f"{place}:account:{account}", recipe.per_account)
    return CcxtExchange(Calls(client, Limiter(client.name), address, mine))


def forget() -> None:
    """For tests: close all connections."""
    with _LOCK:
        for exchange in _KNOWN.values():
            exchange.client.close()
        _KNOWN.clear()
