"""What the stand-in venues trade: perpetuals with the steps, minimums and tiers of a large venue, and coins."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal

from buddy.core.market import ONE, ZERO, Instrument, MarginTier

TIERS = {
    "BTC": ((300_000, "0.004", 125), (800_000, "0.005", 100), (3_000_000, "0.0065", 75), (12_000_000, "0.01", 50),
            (70_000_000, "0.02", 25), (100_000_000, "0.025", 20), (230_000_000, "0.05", 10), (None, "0.1", 5)),
    "ETH": ((300_000, "0.005", 100), (800_000, "0.0065", 75), (3_000_000, "0.01", 50), (12_000_000, "0.02", 25),
            (50_000_000, "0.025", 20), (65_000_000, "0.05", 10), (None, "0.1", 5)),
    "": ((20_000, "0.005", 75), (100_000, "0.01", 50), (600_000, "0.02", 25), (1_200_000, "0.025", 20),
         (3_200_000, "0.05", 10), (None, "0.1", 5)),
}  # fmt: skip
"""Per base, rows of (notional cap, maintenance rate, highest leverage)."""

ROWS = (
    ("BTC", "0.1", "0.001", "100", "1000", "120", "64000"),
    ("ETH", "0.01", "0.001", "20", "10000", "2000", "3400"),
    ("SOL", "0.01", "0.01", "5", "100000", "5000", "150"),
    ("XRP", "0.0001", "0.1", "5", "10000000", "2000000", "0.62"),
    ("DOGE", "0.00001", "1", "5", "50000000", "30000000", "0.13"),
)
"""Base, tick, lot, least notional, most per limit order, most per market order, first price."""


def tiers(base: str) -> tuple[MarginTier, ...]:
    """Each deduction makes the maintenance margin continuous."""
    built: list[MarginTier] = []
    amount, cap_below, rate_below = ZERO, ZERO, ZERO
    for cap, rate_text, leverage in TIERS.get(base, TIERS[""]):
        rate = Decimal(rate_text)
        amount += cap_below * (rate - rate_below) if built else ZERO
        built.append(MarginTier(None if cap is None else Decimal(cap), rate, amount, Decimal(leverage)))
        cap_below, rate_below = Decimal(cap or 0), rate
    return tuple(built)


def perpetual(base: str, tick: str, lot: str, notional: str, most: str, market_most: str) -> Instrument:
    ladder = tiers(base)
    return Instrument(
        symbol=f"{base}/USDT:USDT",
        base=base,
        quote="USDT",
        settle="USDT",
        tick_size=Decimal(tick),
        lot_size=Decimal(lot),
        min_quantity=Decimal(lot),
        min_notional=Decimal(notional),
        max_quantity=Decimal(most),
        market_max_quantity=Decimal(market_most),
        max_leverage=ladder[0].max_leverage,
        tiers=ladder,
    )


COIN_ROWS = (
    ("BTC", "0.01", "0.00001", "5", "9000", "120", "64000"),
    ("ETH", "0.01", "0.0001", "5", "9000", "2600", "3400"),
    ("BNB", "0.01", "0.001", "5", "9000", "2000", "640"),
    ("SOL", "0.01", "0.001", "5", "90000", "20000", "150"),
    ("XRP", "0.0001", "0.1", "5", "9222449", "1500000", "0.62"),
    ("DOGE", "0.00001", "1", "1", "9000000", "7000000", "0.13"),
)
"""The same columns, of coins."""


def owned(perpetual: Instrument) -> Instrument:
    """The coin of a perpetual under the perpetual's conditions, to be owned outright."""
    symbol = f"{perpetual.base}/{perpetual.quote}"
    return replace(perpetual, symbol=symbol, spot=True, max_leverage=ONE, tiers=())


def coin(*conditions: str) -> Instrument:
    return owned(perpetual(*conditions))


def listed(rows: Iterable[tuple[str, ...]], made: Callable[..., Instrument]) -> dict[str, tuple[Instrument, Decimal]]:
    """Symbol → what it is, and the price it stands at first."""
    return {each.symbol: (each, Decimal(row[-1])) for row in rows for each in [made(*row[:-1])]}


PERPETUALS = listed(ROWS, perpetual)
COINS = listed(COIN_ROWS, coin)


def coin_of(perpetual: Instrument) -> Instrument:
    """What is traded on spot where the prices are a perpetual's."""
    made = owned(perpetual)
    known = COINS.get(made.symbol)
    return made if known is None else replace(known[0], tick_size=perpetual.tick_size)
