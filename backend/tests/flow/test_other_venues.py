"""The same whole trades at venues that attach the stop to the entry and keep other names, or none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flow.at_a_venue import Place, place, stand_in
from tests.flow.test_over_the_wire import Story

__all__ = ["place", "stand_in"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["bingx", "bybit"])
def venue(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_trade_from_wish_to_journal(api: Any, place: Place, sign: int) -> None:
    story = Story(place, api, sign)
    story.tell()
    story.assert_ended_well()


def test_all_targets_are_reached(api: Any, place: Place) -> None:
    story = Story(place, api, 1)
    for name in ("open", "part", "whole"):
        story.step(name)
    place.go(*story.levels["targets"])
    story.calm_down()
    story.assert_ended_well("take_profit")


def test_stopped_out_while_nobody_looked_it_is_our_stop(api: Any, place: Place) -> None:
    """The stop came with the entry."""
    story = Story(place, api, 1)
    story.step("open")
    place.go("99700", "98900")
    story.calm_down()
    story.assert_ended_well("stop_loss")


WHERE = {"bingx": "/openApi/swap/v2/trade/order", "bybit": "/v5/order/create"}


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
def test_our_own_stop_is_lost_on_the_way(api: Any, place: Place, venue: str, kind: str) -> None:
    """At BingX nothing but its figures tells whose it is."""
    story = Story(place, api, -1)
    for name in ("open", "part", "whole", "target", "end"):
        if name in ("part", "target"):
            place.hand.fault(kind, method="POST", path=WHERE[venue])
        story.step(name)
    story.assert_ended_well()
