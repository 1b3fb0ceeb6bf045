"""A simulated life told by hand, for a process of its own: `python -m tests.simulation.told NAME`.

Prints what was broken, what executed and which faults were met, as one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
from decimal import Decimal

import django

from simulation.clock import SECOND
from simulation.story import Deed, Move, Seat, Story, Trouble

BTC, ETH, SOL = "BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"
BINANCE = Seat("binance", hedge=False, slices=None, childlike=True)
BYBIT = Seat("bybit", hedge=False, slices=9185, childlike=True)
A_TRAILED_SHORT = 888760
A_LONG_AT_MARKET, A_SHORT_ON_TWO_ENTRIES, ALL_AND_AS_MUCH_AGAIN = 13, 280338, 332156
A_LONG_ON_TWO_ENTRIES, A_LONG_BELOW, FURTHER_AWAY = 342030, 566749, 503961
A_LONG_AT_MARKET_AND_ABOVE = 864454
"""Of the dice."""

STORIES = {
    "killed between moving a stop and writing it down": Story(
        seed=2334,
        seats=(
            Seat("bybit", hedge=False, slices=None, childlike=True, free_makers=True),
            Seat("bingx", hedge=False, slices=None, childlike=True),
        ),
        moves=(
            Move(3_674, ETH, Decimal("0.994436"), jump=False),
            Move(12_052, ETH, Decimal("0.999303"), jump=False),
        ),
        deeds=(Deed(1_483, "open", 0, A_TRAILED_SHORT),),
        troubles=(Trouble(4_659, "killed_at_commit", 0, lasts=0),),
        ends=25 * SECOND,
    ),
    "closed while the list of positions lags": Story(
        seed=1,
        seats=(BINANCE,),
        moves=tuple(Move(second * SECOND, BTC, Decimal(1), jump=False) for second in range(2, 40, 2)),
        deeds=(Deed(500, "open", 0, A_LONG_AT_MARKET), Deed(20 * SECOND, "close", 0, 1)),
        troubles=(Trouble(19 * SECOND, "positions_lag", 0, lasts=15 * SECOND),),
        ends=60 * SECOND,
    ),
    "filled and reversed by hand while no order is told": Story(
        seed=1114,
        seats=(BYBIT,),
        moves=(Move(34 * SECOND, ETH, Decimal("1.002618"), jump=False),),
        deeds=(
            Deed(300, "open", 0, A_SHORT_ON_TWO_ENTRIES),
            Deed(34_130, "hand_reverse", 0, ALL_AND_AS_MUCH_AGAIN),
        ),
        troubles=(Trouble(32 * SECOND, "no_orders_told", 0, lasts=30 * SECOND),),
        ends=65 * SECOND,
    ),
    "reduced by hand, and the cancelling of a target that is too large is lost": Story(
        seed=249,
        seats=(Seat("binance", hedge=False, slices=None, childlike=True, free_makers=True),),
        moves=(Move(49_447, SOL, Decimal("0.995565"), jump=False),),
        deeds=(Deed(729, "open", 0, A_LONG_ON_TWO_ENTRIES), Deed(56_032, "hand_reduce", 0, 1)),
        troubles=(Trouble(35_582, "cancel_request_lost", 0), Trouble(55_870, "unreadable", 0, lasts=3 * SECOND)),
        ends=70 * SECOND,
    ),
    "a triggered entry fills while the list of orders lags": Story(
        seed=307,
        seats=(Seat("bingx", hedge=False, slices=None, childlike=True, free_makers=True),),
        moves=(
            Move(393, SOL, Decimal("0.996559"), jump=False),
            Move(109_359, SOL, Decimal("0.982687"), jump=True),
            Move(138_344, SOL, Decimal("0.997884"), jump=False),
        ),
        deeds=(Deed(1_792, "open", 0, A_LONG_AT_MARKET_AND_ABOVE), Deed(36_216, "hands_off", 0, 185145)),
        troubles=(Trouble(101_007, "orders_lag", 0, lasts=40 * SECOND),),
        ends=218 * SECOND,
    ),
    "the trader loosens a stop, and the venue refuses the new one at first": Story(
        seed=264,
        seats=(Seat("binance", hedge=False, slices=7063, childlike=False),),
        moves=(Move(614_618, BTC, Decimal("0.990174"), jump=False),),
        deeds=(Deed(47_401, "open", 0, A_LONG_BELOW), Deed(633_119, "move_stop", 0, FURTHER_AWAY)),
        troubles=(Trouble(620_228, "refused_reduce_only", 0),),
        ends=1_900 * SECOND,
    ),
}


def main(name: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "simulation.settings")
    django.setup()
    from simulation import database
    from simulation.life import play

    database.make()
    outcome = play(STORIES[name])
    executed = [line.split(" executed ")[1] for line in outcome.log if " executed " in line]
    felt = sorted({kind for kind, _ in outcome.met})
    print(json.dumps({"broken": [list(each) for each in outcome.broken], "executed": executed, "felt": felt}))


if __name__ == "__main__":
    main(sys.argv[1])
