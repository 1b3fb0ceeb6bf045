"""The five perpetuals of the simulated market: steps, minimums and margin tiers like a large venue's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from buddy.core.market import ZERO, Instrument, MarginTier


@dataclass(frozen=True, slots=True)
class Character:
    """How a market moves: `volatility` of a day as a fraction, `follow` how much of it is the whole market's."""

    price: float
    volatility: float
    follow: float
    volume: float
    """Units traded in two seconds on an ordinary day."""


@dataclass(frozen=True, slots=True)
class Perpetual:
    instrument: Instrument
    character: Character


def tiers(*rows: tuple[int | None, str, int]) -> tuple[MarginTier, ...]:
    """From (cap, maintenance rate, leverage); each deduction makes the maintenance margin continuous."""
    built: list[MarginTier] = []
    amount, cap_below, rate_below = ZERO, ZERO, ZERO
    for cap, rate_text, leverage in rows:
        rate = Decimal(rate_text)
        amount += cap_below * (rate - rate_below) if built else ZERO
        built.append(MarginTier(None if cap is None else Decimal(cap), rate, amount, Decimal(leverage)))
        cap_below, rate_below = Decimal(cap or 0), rate
    return tuple(built)


BITCOIN_TIERS = tiers(
    (300_000, "0.004", 125), (800_000, "0.005", 100), (3_000_000, "0.0065", 75), (12_000_000, "0.01", 50),
    (70_000_000, "0.02", 25), (100_000_000, "0.025", 20), (230_000_000, "0.05", 10), (None, "0.1", 5),
)  # fmt: skip
ETHER_TIERS = tiers(
    (300_000, "0.005", 100), (800_000, "0.0065", 75), (3_000_000, "0.01", 50), (12_000_000, "0.02", 25),
    (50_000_000, "0.025", 20), (65_000_000, "0.05", 10), (None, "0.1", 5),
)  # fmt: skip
SMALLER_TIERS = tiers(
    (20_000, "0.005", 75), (100_000, "0.01", 50), (600_000, "0.02", 25), (1_200_000, "0.025", 20),
    (3_200_000, "0.05", 10), (None, "0.1", 5),
)  # fmt: skip


def perpetual(
    base: str, tick: str, lot: str, minimum: str, most: str, ladder: Sequence[MarginTier], character: Character
) -> Perpetual:
    return Perpetual(
        Instrument(
            symbol=f"{base}/USDT:USDT",
            base=base,
            quote="USDT",
            settle="USDT",
            tick_size=Decimal(tick),
            lot_size=Decimal(lot),
            min_quantity=Decimal(lot),
            min_notional=Decimal(minimum),
            max_quantity=Decimal(most),
            max_leverage=ladder[0].max_leverage,
            tiers=tuple(ladder),
        ),
        character,
    )


PERPETUALS: dict[str, Perpetual] = {
    each.instrument.symbol: each
    for each in (
        perpetual("BTC", "0.1", "0.001", "50", "1000", BITCOIN_TIERS, Character(64_000, 0.024, 0.85, 2.0)),
        perpetual("ETH", "0.01", "0.001", "20", "10000", ETHER_TIERS, Character(3_400, 0.031, 0.8, 30.0)),
        perpetual("SOL", "0.01", "0.01", "5", "100000", SMALLER_TIERS, Character(150, 0.042, 0.7, 250.0)),
        perpetual("XRP", "0.0001", "0.1", "5", "10000000", SMALLER_TIERS, Character(0.62, 0.038, 0.6, 20_000.0)),
        perpetual("DOGE", "0.00001", "1", "5", "50000000", SMALLER_TIERS, Character(0.13, 0.047, 0.65, 150_000.0)),
    )
}
