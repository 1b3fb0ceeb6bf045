"""What differs by venue, as data."""

from __future__ import annotations

from dataclasses import dataclass

PAPER_ONLY = ("paper",)
ALL_MODES = ("paper", "testnet", "live")


@dataclass(frozen=True, slots=True)
class Venue:
    """`client`: the class of the exchange library that reads its perpetuals. `kinds`: the markets to ask it for, where
    it can be told. `lacks`: timeframes it has no candles of. `modes`: of the accounts it can have here. `settle`: the
    currency accounts are kept in. `needs_passphrase`: its keys have one."""

    name: str
    client: str
    kinds: tuple[str, ...] = ()
    lacks: frozenset[str] = frozenset()
    modes: tuple[str, ...] = PAPER_ONLY
    settle: str = "USDT"
    needs_passphrase: bool = False


VENUES: dict[str, Venue] = {
    "binance": Venue("Binance", "binanceusdm", ("linear",), modes=ALL_MODES),
    "bybit": Venue("Bybit", "bybit", ("linear",), modes=ALL_MODES),
    "okx": Venue("OKX", "okx", ("swap",), modes=ALL_MODES, needs_passphrase=True),
    "bingx": Venue("BingX", "bingx", modes=ALL_MODES),
    "bitget": Venue("Bitget", "bitget", ("swap",), modes=ALL_MODES, needs_passphrase=True),
    "kraken": Venue("Kraken", "krakenfutures", (), frozenset({"2h", "3m"}), modes=ALL_MODES, settle="USD"),
    "kucoin": Venue("KuCoin", "kucoinfutures"),
    "gate": Venue("Gate", "gate", ("swap",), frozenset({"3m"})),
    "mexc": Venue("MEXC", "mexc", (), frozenset({"2h", "3m"})),
}

TESTNET = "-testnet"


def market_name(venue: str, *, testnet: bool) -> str:
    """Whose prices: a venue's own, or those of its practice money, which are others."""
    return venue + TESTNET if testnet else venue


def venue_of(market: str) -> str:
    return market.removesuffix(TESTNET)
