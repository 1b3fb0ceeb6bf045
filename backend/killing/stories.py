"""Thirteen trades, and orders that prove placing: lists of things that happen, after each of which the desk looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol


class Scene(Protocol):
    """What a step of a story may do."""

    def open(self, **plan: Any) -> None:
        """The trader opens a trade; `symbol` and a risk of 100 unless the plan says otherwise."""

    def close(self, share: str, trade: int = 0) -> None:
        """The trader closes a share of the trade with this number, counted from 0."""

    def withdraw(self, trade: int = 0) -> None:
        """The trader takes the entry back."""

    def go(self, *prices: str) -> None:
        """The market trades at every price on the way to each."""

    def fill(self, quantity: str) -> None:
        """Somebody takes part of the resting entry."""

    def close_by_hand(self, share: str) -> None:
        """The trader closes a share on the venue's own site."""

    def cancel_all_by_hand(self) -> None:
        """Of what rests, on the venue's own site: stop and targets."""

    def fund(self, rate: str) -> None:
        """Funding is paid now."""

    def refuse_stops(self) -> None:
        """The venue takes no stop any more."""


Step = Callable[[Scene], None]


@dataclass(frozen=True)
class Story:
    """`ends`: status, and why it closed or was withdrawn, of each trade in the order they were opened."""

    name: str
    venue: str
    steps: tuple[Step, ...]
    ends: tuple[tuple[str, str], ...]
    stash: Decimal = Decimal(0)
    """Coins of the trader's own that lie in the wallet."""
    proves: bool = False
    """Whether an order proves that placing works, beside all else or alone."""


def opens(**plan: Any) -> Step:
    return lambda scene: scene.open(**plan)


def goes(*prices: str) -> Step:
    return lambda scene: scene.go(*prices)


def fills(quantity: str) -> Step:
    return lambda scene: scene.fill(quantity)


def closes(share: str, trade: int = 0) -> Step:
    return lambda scene: scene.close(share, trade)


def closed_by_hand(share: str) -> Step:
    return lambda scene: scene.close_by_hand(share)


def idles(scene: Scene) -> None:
    """Nothing but what the desk does by itself."""


def limit(price: str) -> list[dict[str, str]]:
    return [{"kind": "limit", "price": price}]


def at(*prices: str) -> list[dict[str, str]]:
    """Targets of equal shares."""
    return [{"price": price, "share": str(Decimal(1) / len(prices))} for price in prices]


MARKET = [{"kind": "market"}]
BREAK_EVEN = {"break_even": {"after": {"take_profit": 1}, "cover": "costs"}}
LONG: dict[str, Any] = {"entries": limit("99800"), "stop": {"price": "99000"}, "take_profits": at("100400", "100900")}
SHORT: dict[str, Any] = {"entries": limit("100200"), "stop": {"price": "101000"}, "take_profits": at("99600", "99100")}
LONG_NOW, SHORT_NOW = LONG | {"entries": MARKET}, SHORT | {"entries": MARKET}
CLOSED, WITHDRAWN = "closed", "cancelled"

STORIES = (
    Story(
        "a long that fills in parts, reaches its first target and leaves at break-even",
        "binance",
        (opens(**LONG, rules=BREAK_EVEN), fills("0.040"), goes("99700"), goes("100450"), goes("99700")),
        ((CLOSED, "break_even"),),
    ),
    Story(
        "a short at market whose targets are all reached",
        "binance",
        (opens(**SHORT_NOW), goes("99550"), goes("99000")),
        ((CLOSED, "take_profit"),),
    ),
    Story(
        "an entry that is withdrawn because the price ran away",
        "binance",
        (opens(**LONG, cancel={"above": "100300"}), goes("100350"), goes("99700")),
        ((WITHDRAWN, "missed"),),
    ),
    Story(
        "a long that a hand closes on the venue's site, half and then whole, all its orders deleted before",
        "binance",
        (opens(**LONG_NOW), lambda scene: scene.cancel_all_by_hand(), closed_by_hand("0.5"), closed_by_hand("1")),
        ((CLOSED, "external"),),
    ),
    Story(
        "a short whose stop is hit",
        "binance",
        (opens(**SHORT), goes("100250"), goes("101100")),
        ((CLOSED, "stop_loss"),),
    ),
    Story(
        "a long that the trader closes, half and then whole, after funding was paid",
        "binance",
        (opens(**LONG_NOW), lambda scene: scene.fund("0.0001"), closes("0.5"), closes("1")),
        ((CLOSED, "manual"),),
    ),
    Story(
        "a long that gets no stop",
        "binance",
        (opens(**LONG), lambda scene: scene.refuse_stops(), goes("99750")),
        ((CLOSED, "unprotected"),),
    ),
    Story(
        "two longs on one symbol, one closed by the trader and one stopped out",
        "binance",
        (opens(**LONG_NOW), opens(**LONG | {"stop": {"price": "98800"}}), goes("99700"), closes("1"), goes("98700")),
        ((CLOSED, "manual"), (CLOSED, "stop_loss")),
    ),
    Story(
        "a long with names on no stop, to its first target and back",
        "bingx",
        (opens(**LONG, rules=BREAK_EVEN), goes("99700"), goes("100450"), goes("99700")),
        ((CLOSED, "break_even"),),
    ),
    Story(
        "a short that the trader withdraws and closes",
        "bingx",
        (opens(**SHORT), fills("0.030"), lambda scene: scene.withdraw(), goes("99550"), closes("1")),
        ((CLOSED, "manual"),),
    ),
    Story(
        "a short whose stop came with its entry, to its first target and back",
        "bybit",
        (opens(**SHORT, rules=BREAK_EVEN), fills("0.040"), goes("100300"), goes("99550"), goes("100300")),
        ((CLOSED, "break_even"),),
    ),
    Story(
        "a long at market whose stop came with it, and is hit",
        "bybit",
        (opens(**LONG_NOW), goes("98900")),
        ((CLOSED, "stop_loss"),),
    ),
    Story(
        "coins in two pairs, the first target reached and the rest at break-even",
        "binance-spot",
        (
            opens(
                entries=limit("99900"),
                stop={"price": "99000"},
                take_profits=at("101000", "102000"),
                risk={"money": "20"},
                rules=BREAK_EVEN,
            ),
            goes("99850"),
            goes("101100"),
            goes("99500"),
        ),
        ((CLOSED, "break_even"),),
        stash=Decimal("0.5"),
    ),
    Story(
        "a long at market beside which an order proves placing",
        "binance",
        (opens(**LONG_NOW), goes("98900")),
        ((CLOSED, "stop_loss"),),
        proves=True,
    ),
    Story("an order that proves placing at Binance", "binance", (idles,), (), proves=True),
    Story("an order that proves placing at Bybit", "bybit", (idles,), (), proves=True),
    Story("an order that proves placing at BingX", "bingx", (idles,), (), proves=True),
    Story("an order that proves placing at Binance spot", "binance-spot", (idles,), (), proves=True),
)
