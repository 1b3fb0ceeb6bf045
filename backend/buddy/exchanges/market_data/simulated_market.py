"""A market that never was: a pure function of (seed, symbol, time) with a tick every two seconds.

Days are anchored by noise of many wavelengths, which makes trends and ranges; between two anchors runs a bridge of
random steps whose size swells and calms on scales from minutes to weeks, so that volatility clusters as it does in
real markets. Prices are whole ticks and volumes whole lots (integers), and every candle is added up from the ticks, so
all of them agree.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import noise
from .perpetuals import PERPETUALS

DAY = 86_400_000
HOUR = 3_600_000
MINUTE = 60_000
TICK = 2_000
"""Milliseconds."""
TICKS = DAY // TICK
HISTORY = 400 * DAY
"""How far back from now there are candles."""

Whole = NDArray[np.int64]


class Bars(NamedTuple):
    """Candles of one length as whole ticks and lots."""

    open: Whole
    high: Whole
    low: Whole
    close: Whole
    volume: Whole


class Day(NamedTuple):
    price: Whole
    volume: Whole


ANCHOR_WAVES = tuple(2**power for power in range(9))
"""Days."""
FUNDING = 100
"""Millionths: where the funding rate of eight hours comes back to, the common base rate of 0.01 %."""
FUNDING_WAVES = (21 * 8, 3 * 8)
"""Hours."""
CALM_WAVES = (64 * 24, 16 * 24, 4 * 24, 24, 8, 2, 0.5, 0.125)
"""Hours."""


def anchors(stream: int, days: noise.Floats) -> noise.Floats:
    """Where a day begins, in units of one day's typical move: longer waves are higher, as in a random walk."""
    waves = [float(wave) ** 0.5 * noise.smooth(stream + wave, days, float(wave)) for wave in ANCHOR_WAVES]
    return np.asarray(np.sum(waves, axis=0))


def agitation(stream: int, day: int) -> noise.Floats:
    """How far each step of the day goes compared with an ordinary one, about 0.2 … 3."""
    hours = day * 24.0 + np.arange(TICKS, dtype=np.float64) * (24.0 / TICKS)
    coarse = hours[::15]
    waves = [0.42 * noise.smooth(stream + index, coarse, float(wave)) for index, wave in enumerate(CALM_WAVES)]
    american_session = 0.25 * np.sin((coarse % 24.0 - 9.0) * (np.pi / 12.0))
    return np.asarray(np.repeat(0.6 * np.exp(np.sum(waves, axis=0) + american_session), 15))


@lru_cache(maxsize=8)
def whole_market(seed: int, day: int) -> noise.Floats:
    return noise.bell(noise.key(seed, "market"), day * TICKS, TICKS)


def log_anchors(seed: int, symbol: str, day: int) -> tuple[float, float]:
    """Logarithm of the price at the beginning of the day and of the next."""
    character = PERPETUALS[symbol].character
    days = np.array([day, day + 1], dtype=np.float64)
    everyone = anchors(noise.key(seed, "market days"), days)
    own = anchors(noise.key(seed, symbol + " days"), days)
    moved = 0.8 * character.volatility * (character.follow * everyone + (1 - character.follow) * own)
    first, second = np.log(character.price) + moved
    return float(first), float(second)


def impulses(seed: int, symbol: str, day: int) -> noise.Floats:
    """One impulse per tick, partly everyone's: markets move together."""
    follow = PERPETUALS[symbol].character.follow
    own = noise.bell(noise.key(seed, symbol), day * TICKS, TICKS)
    return np.asarray(follow * whole_market(seed, day) + (1 - follow**2) ** 0.5 * own)


@lru_cache(maxsize=24)
def day_of(seed: int, symbol: str, day: int) -> Day:
    """All ticks of a day (UTC day number)."""
    instrument, character = PERPETUALS[symbol].instrument, PERPETUALS[symbol].character
    size = agitation(noise.key(seed, symbol + " calm"), day)
    impulse = impulses(seed, symbol, day)
    moves = character.volatility / TICKS**0.5 * size * impulse
    first, second = log_anchors(seed, symbol, day)
    walked = np.cumsum(moves)
    share = np.cumsum(size * size)
    bridge = walked + (second - first - walked[-1]) * (share / share[-1])
    path = first + np.concatenate(([0.0], bridge[:-1]))
    price = np.rint(np.exp(path) / float(instrument.tick_size)).astype(np.int64)
    units = character.volume * size * (0.3 + np.abs(impulse))
    return Day(np.maximum(price, 1), np.rint(units / float(instrument.lot_size)).astype(np.int64))


def gather(bars: Bars, each: int) -> Bars:
    """Every `each` bars made one."""
    shape = (-1, each)
    return Bars(
        bars.open[::each],
        bars.high.reshape(shape).max(axis=1),
        bars.low.reshape(shape).min(axis=1),
        bars.close[each - 1 :: each],
        bars.volume.reshape(shape).sum(axis=1),
    )


def ticks_as_bars(day: Day) -> Bars:
    return Bars(day.price, day.price, day.price, day.price, day.volume)


@lru_cache(maxsize=320)
def minutes_of(seed: int, symbol: str, day: int) -> Bars:
    return gather(ticks_as_bars(day_of(seed, symbol, day)), MINUTE // TICK)


@lru_cache(maxsize=4096)
def hours_of(seed: int, symbol: str, day: int) -> Bars:
    return gather(minutes_of(seed, symbol, day), HOUR // MINUTE)


def bars_of(seed: int, symbol: str, day: int, length: int) -> Bars:
    """The day's candles of `length` milliseconds, which divides a day."""
    if length % HOUR == 0:
        return gather(hours_of(seed, symbol, day), length // HOUR)
    return gather(minutes_of(seed, symbol, day), length // MINUTE)


def price_at(seed: int, symbol: str, time: int) -> int:
    """Whole ticks, as of the last tick at or before `time` (milliseconds)."""
    day, within = divmod(time, DAY)
    return int(day_of(seed, symbol, day).price[within // TICK])


def funding_at(seed: int, symbol: str, time: int) -> int:
    """The funding rate due at `time` (milliseconds) in millionths of the position's value, between -100 and 300."""
    stream, hours = noise.key(seed, symbol + " funding"), np.array([time / HOUR], dtype=np.float64)
    waves = [noise.smooth(stream + index, hours, float(wave)) for index, wave in enumerate(FUNDING_WAVES)]
    return FUNDING + int(np.rint(FUNDING * np.sum(waves)))
