"""What differs by venue, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Venue:
    """`client`: the class of the exchange library that reads its perpetuals. `kinds`: the markets to ask it for, where
    it can be told. `lacks`: timeframes it has no candles of."""

    name: str
    client: str
    kinds: tuple[str, ...] = ()
    lacks: frozenset[str] = frozenset()


VENUES: dict[str, Venue] = {
    "binance": Venue("Binance", "binanceusdm", ("linear",)),
    "bybit": Venue("Bybit", "bybit", ("linear",)),
    "okx": Venue("OKX", "okx", ("swap",)),
    "bingx": Venue("BingX", "bingx"),
    "bitget": Venue("Bitget", "bitget", ("swap",)),
    "kucoin": Venue("KuCoin", "kucoinfutures"),
    "gate": Venue("Gate", "gate", ("swap",), frozenset({"3m"})),
    "mexc": Venue("MEXC", "mexc", (), frozenset({"2h", "3m"})),
}
