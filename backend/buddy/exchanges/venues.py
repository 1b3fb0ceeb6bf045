"""What differs by venue, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Venue:
    """`client`: the class of the exchange library that reads its perpetuals."""

    name: str
    client: str


VENUES: dict[str, Venue] = {
    "binance": Venue("Binance", "binanceusdm"),
    "bybit": Venue("Bybit", "bybit"),
    "okx": Venue("OKX", "okx"),
    "bingx": Venue("BingX", "bingx"),
    "bitget": Venue("Bitget", "bitget"),
    "kucoin": Venue("KuCoin", "kucoinfutures"),
    "gate": Venue("Gate", "gate"),
    "mexc": Venue("MEXC", "mexc"),
}
