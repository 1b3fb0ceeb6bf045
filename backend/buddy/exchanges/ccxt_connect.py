"""From a venue and a key to an exchange that is ready to be asked."""

from __future__ import annotations

from hashlib import sha256

from django.conf import settings

from .ccxt_calls import Calls
from .ccxt_client import LIVE, TESTNET, Client, transport
from .ccxt_exchange import CcxtExchange
from .models import Keys
from .rates import Bucket, Limiter, of_address
from .venue_rows import RECIPES


def open_exchange(venue: str, keys: Keys, *, testnet: bool) -> CcxtExchange:
    """The exchange that `keys` open. Nothing is asked of the venue yet.

    It is to be kept: it holds a connection, and what has been seen of the account.
    """
    recipe, environment = RECIPES[venue], TESTNET if testnet else LIVE
    client = Client(venue, environment, keys, transport(settings.EXCHANGE_TRANSPORT_BASE))
    name = sha256(keys.api_key.encode()).hexdigest()[:16]  # no secret, and no key either, goes into the store
    place = f"rate:{venue}:{environment}"
    address = of_address(venue, environment, recipe.per_address)
    account = Bucket(f"{place}:account:{name}", recipe.per_account)
    return CcxtExchange(Calls(client, Limiter(client.name, f"{venue}:{environment}", name), address, account))
