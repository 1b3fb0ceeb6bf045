"""Prices that move by themselves: what a source traded since the last beat goes to the venues' markets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from buddy.core.market import Candle, Instrument
from buddy.core.simulated_market import Opening, Tick

from .instruments import coin_of
from .prices import SymbolPrices, funding_after
from .venue import Venue

BEAT = 0.5
"""Seconds."""
Traded = tuple[str, Candle | Tick | Opening]


@dataclass(frozen=True, slots=True)
class Source:
    """`history`: candles of one minute up to now, in the venue's time. `news`: what traded since it was last asked."""

    instruments: Sequence[Instrument]
    history: Mapping[str, Sequence[Candle]]
    news: Callable[[], Iterable[Traded]]


def take_over(venue: Venue, source: Source) -> None:
    """The venue trades what the source knows and nothing else, and stands where the source's history ends."""
    venue.instruments.clear()
    venue.prices.clear()
    for symbol, instrument in goods(venue, source).items():
        candles = list(source.history[symbol])
        prices = SymbolPrices(candles[-1].close, venue.now(), instrument.tick_size, minutes=candles)
        venue.instruments[instrument.symbol], venue.prices[instrument.symbol] = instrument, prices


def goods(venue: Venue, source: Source) -> dict[str, Instrument]:
    """What the venue makes of each symbol of the source: on spot, perpetuals become coins where it has none."""
    coins = {each.symbol: each for each in source.instruments if each.spot}
    contracts = {each.symbol: each for each in source.instruments if not each.spot}
    if not venue.habits.spot:
        return contracts
    return coins or {symbol: coin_of(each) for symbol, each in contracts.items()}


def beat(venues: Sequence[Venue], source: Source) -> None:
    for symbol, traded in source.news():
        for venue in [each for each in venues if not each.is_held]:
            instrument = goods(venue, source).get(symbol)
            if instrument is not None:
                _go(venue, instrument.symbol, traded)


def _go(venue: Venue, symbol: str, traded: Candle | Tick | Opening) -> None:
    match traded:
        case Candle():
            venue.play(symbol, [traded])
        case Tick():
            venue.set_price(symbol, traded.price, traded.mark)
        case Opening():
            venue.set_price(symbol, traded.price, jump=True)


async def run(venues: Sequence[Venue], source: Source) -> None:
    """Until cancelled. Funding is paid when its time comes."""
    due = {venue.name: funding_after(venue.now()) for venue in venues}
    while True:
        await asyncio.sleep(BEAT)
        beat(venues, source)
        for venue in venues:
            if venue.now() >= due[venue.name]:
                due[venue.name] = funding_after(venue.now())
                for symbol in venue.instruments:
                    venue.fund(symbol)
