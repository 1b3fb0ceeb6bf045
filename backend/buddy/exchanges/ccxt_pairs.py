"""A stop and the limit order beside it, placed at once where a venue ends one with the other."""

from __future__ import annotations

from typing import Any

from buddy.core.errors import CouldNotRead, Rejected
from buddy.core.exchange import Beside, OrderIntent, Refusal

from .ccxt_calls import Calls
from .ccxt_orders import exact_text, filled_in
from .ccxt_words import Row, client_id_of, understood
from .client_names import to_venue
from .recipe import at


def send_pair(calls: Calls, intent: OrderIntent, beside: Beside, until: float) -> Any:
    """The venue's own answer. Raises as `Calls.write`, and Rejected where there are no pairs or off the grid."""
    pairing, trigger = calls.client.recipe.pairing, intent.trigger
    if pairing is None or trigger is None:
        raise Rejected(f"{calls.client.name} has no such pairs of orders.", Refusal.OTHER)
    api, names, symbol = calls.client.api, calls.client.recipe.names, intent.symbol
    said = {
        "market": api.market(symbol)["id"],
        "side": intent.order_side.value.upper(),
        "quantity": exact_text(intent.quantity, api.amount_to_precision, symbol, "quantity"),
        "price": exact_text(beside.price, api.price_to_precision, symbol, "price"),
        "trigger": exact_text(trigger, api.price_to_precision, symbol, "trigger"),
        "client_id": to_venue(intent.client_id, names),
        "beside_id": to_venue(beside.client_id, names),
    }
    return calls.write(pairing.call.method, filled_in(pairing.call.params, said), protective=True, until=until)


def halves(calls: Calls, answer: Any, intent: OrderIntent, beside: Beside) -> tuple[Row, Row]:
    """The library's rows of the stop and of the limit order. Raises CouldNotRead where one of them is not told."""
    client = calls.client
    reports = at(answer, client.recipe.pairing.reports) if client.recipe.pairing else None
    market = client.api.market(intent.symbol)
    rows = understood(lambda: [client.api.parse_order(each, market) for each in reports or ()])
    told = {client_id_of(row, client.recipe): row for row in rows}
    if not {intent.client_id, beside.client_id} <= told.keys():
        raise CouldNotRead(f"{client.name} did not tell both orders of a pair.")
    return told[intent.client_id], told[beside.client_id]
