"""What hands do at a venue where coins are owned: buy and sell, their own and those of our trades."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from buddy.core.market import OrderSide

from .coin_books import CoinBook
from .coin_witness import CoinWitness
from .deeds import HANDS
from .deeds import Doing as Hand
from .sight import is_of_ours
from .world import World


def _book(world: World, number: int) -> CoinBook:
    book = world.books[number]
    assert isinstance(book, CoinBook)
    return book


def _sells(share: str) -> Hand:
    """All coins of the trader's own, and so much of those of our trades; what sells them goes first."""

    def one(world: World, number: int, dice: Random) -> str:
        book, witness = _book(world, number), world.witnesses[number]
        assert isinstance(witness, CoinWitness)
        keys = [key for key in book.holdings() if witness.ours[key]] or book.holdings()
        if not keys:
            return "nothing is owned"
        key = dice.choice(keys)
        for each in [each.intent for each in book.sales() if each.intent.symbol == key[0]]:
            if is_of_ours(each.client_id):
                witness.taken_by_hand("", each)
                book.cancel_by_name(each.client_id)
        own = book.held(*key) - witness.ours[key]
        return _sold(book, key[0], own + witness.ours[key] * Decimal(share))

    return one


def _sells_own(world: World, number: int, dice: Random) -> str:
    """As far as no order of ours sells them, and never those that a trade has bought."""
    book, witness = _book(world, number), world.witnesses[number]
    owned = [(key, book.held(*key) - witness.ours[key]) for key in book.holdings()]
    found = [(key, own) for key, own in owned if own > 0]
    if not found:
        return "the trader owns none"
    key, own = dice.choice(found)
    return _sold(book, key[0], min(own, book.free(key[0])) * Decimal(dice.choice(("0.3", "1"))))


def _sold(book: CoinBook, symbol: str, quantity: Decimal) -> str:
    quantity = book.markets[symbol].round_quantity(quantity)
    if not quantity:
        return "too few to be sold"
    book.by_hand(OrderSide.SELL, quantity, symbol, reduce_only=False)
    return f"{quantity} {symbol} sold"


def _buys(world: World, number: int, dice: Random) -> str:
    return _bought(world, number, dice, at=None)


def _rests(world: World, number: int, dice: Random) -> str:
    return _bought(world, number, dice, at=Decimal("0.8"))


def _bought(world: World, number: int, dice: Random, *, at: Decimal | None) -> str:
    """For a little money; `at`: by an order that waits at so much of the price."""
    book = _book(world, number)
    market = dice.choice(list(book.markets.values()))
    last = world.ways[market.symbol].last
    quantity = max(market.round_quantity(Decimal(dice.choice((40, 200))) / last), market.lot_size)
    price = None if at is None else market.round_price(last * at)
    return book.by_hand(OrderSide.BUY, quantity, market.symbol, reduce_only=False, price=price)


def _nothing(world: World, number: int, dice: Random) -> str:
    return "that cannot happen to coins"


OF_COINS: dict[str, Hand] = HANDS | {
    "hand_close": _sells("1"),
    "hand_reduce": _sells("0.4"),
    "hand_enlarge": _buys,
    "hand_open": _buys,
    "hand_rest": _rests,
    "hand_reverse": _sells_own,
    "deleverage": _nothing,
    "liquidate": _nothing,
}


def hands_at(world: World, number: int) -> dict[str, Hand]:
    """What they do at this account's venue."""
    return OF_COINS if world.story.seats[number].is_spot else HANDS
