"""An order as we want it, as the arguments of the client's `create_order`.

Amount and price go as floats that are proven to be exactly the decimals; everything in `params` is plain text, since
the library drops a Decimal there in silence and the stop would leave as a market order.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import ccxt

from buddy.core.errors import Rejected
from buddy.core.exchange import OrderIntent, OrderKind, Refusal
from buddy.core.market import OrderSide

from .client_names import to_venue
from .recipe import HEDGE, Params, Recipe

Arguments = tuple[str, str, str, float, float | None, dict[str, Any]]
LIMITS = (OrderKind.LIMIT, OrderKind.STOP_LIMIT)


def arguments(intent: OrderIntent, recipe: Recipe, api: Any, *, hedged: bool, margin_mode: str) -> Arguments:
    """For `create_order`. Raises Rejected for figures off the venue's grid."""
    amount = exact_float(intent.quantity, api.amount_to_precision, intent.symbol, "quantity")
    price = None
    if intent.kind in LIMITS:
        price = exact_float(_given(intent.price, "price"), api.price_to_precision, intent.symbol, "price")
    kind = "limit" if intent.kind in LIMITS else "market"
    params = _params(intent, recipe, api, hedged=hedged, margin_mode=margin_mode)
    return (intent.symbol, kind, intent.order_side.value, amount, price, params)


def _params(intent: OrderIntent, recipe: Recipe, api: Any, *, hedged: bool, margin_mode: str) -> dict[str, Any]:
    params: dict[str, Any] = {"clientOrderId": to_venue(intent.client_id, recipe.names), **recipe.says}
    if intent.reduce_only and recipe.wallet is None:  # coins cannot be sold twice
        params["reduceOnly"] = True
    if hedged and recipe.has_hedge:
        params |= HEDGE
    if recipe.order_carries_margin_mode:
        params["marginMode"] = margin_mode
    if intent.trigger is not None:
        params |= _trigger(intent, intent.trigger, recipe, api)
    return params | _attached(intent, recipe, api)


def _trigger(intent: OrderIntent, trigger: Decimal, recipe: Recipe, api: Any) -> dict[str, Any]:
    said = recipe.stop if intent.reduce_only else recipe.entry
    params: dict[str, Any] = {said.name: exact_text(trigger, api.price_to_precision, intent.symbol, "trigger")}
    params |= filled_in(said.extra, {"client_id": intent.client_id})
    if said.by:
        params[said.by] = recipe.words[intent.trigger_by]
    if said.direction:
        params[said.direction] = "ascending" if intent.order_side is OrderSide.BUY else "descending"
    return params


def _attached(intent: OrderIntent, recipe: Recipe, api: Any) -> dict[str, Any]:
    """Protection that travels with an entry; where the venue does not honour it, it must not be sent."""
    wanted = {"stop": intent.attached_stop, "target": intent.attached_target}
    params: dict[str, Any] = {}
    if intent.reduce_only or not recipe.attaches_stop:
        return params
    for name, trigger in wanted.items():
        if trigger is not None and name in recipe.attach:
            text = exact_text(trigger, api.price_to_precision, intent.symbol, f"attached {name}")
            params = merged(params, filled_in(recipe.attach[name], {"trigger": text, "client_id": intent.client_id}))
    return params


def exact_float(value: Decimal, rounded: Any, symbol: str, what: str) -> float:
    """`value` as a float that is exactly it, and that the library will write exactly like this."""
    number = float(value)
    if Decimal(repr(number)) != value:
        raise Rejected(f"The {what} {value:f} has more digits than can be sent.", Refusal.PRECISION)
    exact_text(value, rounded, symbol, what)
    return number


def exact_text(value: Decimal, rounded: Any, symbol: str, what: str) -> str:
    """`value` as plain text, which the library's own rounding leaves as it is."""
    text = f"{value.normalize():f}"
    try:
        written = rounded(symbol, text)
    except ccxt.BaseError:
        written = None
    if written is None or Decimal(written) != value:
        raise Rejected(f"The {what} {text} is not on the grid of {symbol}.", Refusal.PRECISION)
    return text


def _given(value: Decimal | None, what: str) -> Decimal:
    if value is None:
        raise Rejected(f"The order has no {what}.", Refusal.OTHER)
    return value


def filled_in(params: Params, names: dict[str, str]) -> dict[str, Any]:
    """`params` with `{name}` in its texts replaced, however deep."""

    def of(value: Any) -> Any:
        if isinstance(value, str):
            for name, text in names.items():
                value = value.replace("{" + name + "}", text)
            return value
        if isinstance(value, dict):
            return {key: of(each) for key, each in value.items()}
        return [of(each) for each in value] if isinstance(value, list) else value

    return {key: of(value) for key, value in params.items()}


def merged(one: Any, other: Any) -> Any:
    """Two parameters as one: dictionaries key by key, lists place by place."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: merged(one[key], other[key]) if key in one and key in other else one.get(key, other.get(key))
                for key in one | other}  # fmt: skip
    if isinstance(one, list) and isinstance(other, list):
        return [merged(left, right) for left, right in zip(one, other, strict=True)]
    return other
