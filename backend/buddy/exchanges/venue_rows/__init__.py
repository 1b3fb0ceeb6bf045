"""How each venue is spoken to through the client library, as data: what the same wish is called at which venue.

One module per venue, one row in each. What a row says is compared with the client's outgoing requests by the tests. The
program behind it is `ccxt_exchange`; nothing there knows a venue by name.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..recipe import Recipe
from . import binance, binance_spot, bingx, bitget, bybit, kraken, kraken_spot, okx

RECIPES: Mapping[str, Recipe] = {
    "binance": binance.RECIPE,
    "bybit": bybit.RECIPE,
    "okx": okx.RECIPE,
    "bingx": bingx.RECIPE,
    "bitget": bitget.RECIPE,
    "kraken": kraken.RECIPE,
    "binance-spot": binance_spot.RECIPE,
    "kraken-spot": kraken_spot.RECIPE,
}
