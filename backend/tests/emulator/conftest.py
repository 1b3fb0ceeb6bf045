"""One server for each module of tests; every test has an account of its own, and the price stands at 64 000."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from emulator.handle import Hand, StandIn, running

from .clients import connect, connected

BTC = "BTC/USDT:USDT"
numbers = count(1)


@dataclass(frozen=True)
class Spoken:
    """Of whom a module speaks, told by its fixture `spoken`: a stand-in venue and the library's class for it."""

    venue: str
    client: str
    settings: dict[str, Any] = field(default_factory=dict)
    symbol: str = BTC


Play = Callable[[Any, Hand], Awaitable[Any]]
SignIn = Callable[..., Any]
"""From a key, and its secret if that is another, to a client whose markets all clients share."""


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with running() as venues:
        yield venues


@pytest.fixture(scope="module")
def sign_in(stand_in: StandIn, spoken: Spoken) -> SignIn:
    known = connect(spoken.client, stand_in.base, **spoken.settings)
    return lambda key, secret="secret": connect(spoken.client, stand_in.base, key, secret, known, **spoken.settings)


@pytest.fixture
def key() -> str:
    return f"key{next(numbers)}"


@pytest.fixture
def venue(stand_in: StandIn, spoken: Spoken, key: str) -> Iterator[Hand]:
    """The hand on the venue, where `key` opens an account."""
    hand = getattr(stand_in, spoken.venue)
    hand.open_account(key, "secret")
    hand.set_price(spoken.symbol, "64000", jump=True)
    yield hand
    hand.clear_faults()


@pytest.fixture
def client(sign_in: SignIn, venue: Hand, key: str) -> Any:
    return sign_in(key)


@pytest.fixture
def run(venue: Hand, spoken: Spoken, key: str) -> Callable[[Play], Any]:
    """Run a play with a client that has websockets, for ten seconds at most."""

    async def whole(play: Play) -> Any:
        async with connected(spoken.client, venue.base, key, **deepcopy(spoken.settings)) as client:
            await client.load_markets()
            return await asyncio.wait_for(play(client, venue), 10)

    return lambda play: asyncio.run(whole(play))
