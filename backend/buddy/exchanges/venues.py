"""What differs by venue, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from buddy.core.exchange import Exits

PAPER_ONLY = ("paper",)
ALL_MODES = ("paper", "testnet", "live")
OF_COINS = ("watch_orders", "watch_my_trades")
"""Nobody tells of coins as of positions."""


@dataclass(frozen=True, slots=True)
class Events:
    """What a venue tells over its websockets. `feeds`: methods of the exchange library, one task each. `ping`: our own
    pings are so far apart, in milliseconds; None leaves it to the library, where the venue asks or has its own way.
    `over`: events after which an account's socket is open and says nothing more. `options`: of the library.
    `has_triggers`: orders that wait for a trigger are told on a channel of their own, besides the others."""

    feeds: tuple[str, ...] = ("watch_orders", "watch_my_trades", "watch_positions")
    ping: int | None = None
    over: frozenset[str] = frozenset({"listenKeyExpired"})
    has_triggers: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Venue:
    """`client`: the class of the exchange library that reads its markets. `kinds`: the markets to ask it for, where
    it can be told. `lacks`: timeframes it has no candles of. `modes`: of the accounts it can have here. `settle`: the
    currency accounts are kept in. `needs_passphrase`: its keys have one. `events`: what it tells unasked. `exits`: how
    what is held leaves, which also says whether perpetuals are traded or coins. `tick`: field of a raw market with its
    price step, where the library overlooks it. `fees`: maker's and taker's of a new account, as fractions; None where
    the usual ones of perpetuals do. `fee_in_coins`: on spot that of a purchase is taken out of what was bought.
    `most_stops`: so many of a market may rest at a time there; 0 where that is no limit that matters.
    `insists`: fields of a raw market, and what has to be among the values of each where it is told, for without it
    nothing could be protected there."""

    name: str
    client: str
    kinds: tuple[str, ...] = ()
    lacks: frozenset[str] = frozenset()
    modes: tuple[str, ...] = PAPER_ONLY
    settle: str = "USDT"
    needs_passphrase: bool = False
    events: Events = field(default_factory=Events)
    exits: Exits = Exits.REDUCE_ONLY
    tick: str = ""
    fees: tuple[Decimal, Decimal] | None = None
    fee_in_coins: bool = False
    most_stops: int = 0
    insists: Mapping[str, frozenset[str]] = field(default_factory=dict)


VENUES: dict[str, Venue] = {
    "binance": Venue("Binance", "binanceusdm", ("linear",), modes=ALL_MODES, events=Events(ping=15_000)),
    "bybit": Venue("Bybit", "bybit", ("linear",), modes=ALL_MODES),
    "okx": Venue("OKX", "okx", ("swap",), modes=ALL_MODES, needs_passphrase=True, events=Events(has_triggers=True)),
    "bingx": Venue("BingX", "bingx", modes=ALL_MODES, events=Events(options={"listenKeyRefreshRate": 1_800_000})),
    "bitget": Venue(
        "Bitget", "bitget", ("swap",), modes=ALL_MODES, needs_passphrase=True, events=Events(has_triggers=True)
    ),
    "kraken": Venue("Kraken", "krakenfutures", (), frozenset({"2h", "3m"}), modes=ALL_MODES, settle="USD"),
    "kucoin": Venue("KuCoin", "kucoinfutures"),
    "gate": Venue("Gate", "gate", ("swap",), frozenset({"3m"})),
    "mexc": Venue("MEXC", "mexc", (), frozenset({"2h", "3m"})),
    "binance-spot": Venue(
        "Binance spot",
        "binance",
        ("spot",),
        modes=ALL_MODES,
        exits=Exits.PAIRED,
        insists={"orderTypes": frozenset({"STOP_LOSS", "LIMIT_MAKER"}), "ocoAllowed": frozenset({"True"})},
        events=Events(feeds=OF_COINS, ping=15_000, over=frozenset({"eventStreamTerminated", "serverShutdown"})),
        fees=(Decimal("0.001"), Decimal("0.001")),
        fee_in_coins=True,
        most_stops=5,
    ),
    "kraken-spot": Venue(
        "Kraken spot",
        "kraken",
        (),
        frozenset({"2h", "3m"}),
        modes=("paper", "live"),
        settle="USD",
        exits=Exits.SINGLE,
        tick="tick_size",
        events=Events(feeds=OF_COINS),
        fees=(Decimal("0.0025"), Decimal("0.004")),
    ),
}

TESTNET = "-testnet"


def exits_of(venue: str) -> Exits:
    """How what is held leaves there; at a place nobody knows as from perpetuals."""
    known = VENUES.get(venue)
    return known.exits if known else Exits.REDUCE_ONLY


def fees_of(venue: str) -> dict[str, Decimal]:
    """What a new account there pays unless it is told otherwise; empty where the usual does."""
    known = VENUES.get(venue)
    return dict(zip(("maker_fee", "taker_fee"), known.fees, strict=True)) if known and known.fees else {}


def market_name(venue: str, *, testnet: bool) -> str:
    """Whose prices: a venue's own, or those of its practice money, which are others."""
    return venue + TESTNET if testnet else venue


def venue_of(market: str) -> str:
    return market.removesuffix(TESTNET)
