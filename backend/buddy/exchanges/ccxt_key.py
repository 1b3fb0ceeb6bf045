"""What a key may do, by the venue's word."""

from __future__ import annotations

from buddy.core.errors import CouldNotRead
from buddy.core.exchange import KeyInfo

from .ccxt_calls import Calls
from .ccxt_client import TESTNET
from .ccxt_errors import Absent


def key_info(calls: Calls) -> KeyInfo:
    """Nothing known where the venue does not tell. Raises CouldNotRead, or KeyRefused for a key it does not accept."""
    recipe, client = calls.client.recipe, calls.client
    call, practises = recipe.key, client.environment == TESTNET
    if call is None or (practises and not recipe.tells_demo_keys):
        return KeyInfo()
    calls.ready()
    try:
        answer = calls.read(call.method, dict(call.params))
    except Absent as error:
        raise CouldNotRead(str(error)) from None
    if not isinstance(answer, dict | list):
        raise CouldNotRead(f"{client.name} gave no answer about the key that we can read.")
    told = {name: [fact.of(answer) for fact in facts] for name, facts in recipe.key_facts.items()}
    return KeyInfo(**{name: next((one for one in all_ if one is not None), None) for name, all_ in told.items()})
