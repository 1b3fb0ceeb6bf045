"""A simulated life for a process of its own: a trade is closed while the list of positions lags four to eight seconds.

Prints what was broken, and what executed, as one line of JSON.
"""

from __future__ import annotations

import json
import os
from decimal import Decimal

import django

from simulation.clock import SECOND
from simulation.story import Deed, Move, Seat, Story, Trouble

BTC = "BTC/USDT:USDT"
A_LONG_AT_MARKET = 13
"""Of the dice: what the trader opens."""
STORY = Story(
    seed=1,
    seats=(Seat("binance", hedge=False, slices=None, childlike=True),),
    moves=tuple(Move(second * SECOND, BTC, Decimal(1), jump=False) for second in range(2, 40, 2)),
    deeds=(Deed(500, "open", 0, A_LONG_AT_MARKET), Deed(20 * SECOND, "close", 0, 1)),
    troubles=(Trouble(19 * SECOND, "positions_lag", 0, lasts=15 * SECOND),),
    ends=60 * SECOND,
)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "simulation.settings")
    django.setup()
    from simulation import database
    from simulation.life import play

    database.make()
    outcome = play(STORY)
    executed = [line.split(" executed ")[1] for line in outcome.log if " executed " in line]
    felt = sorted({kind for kind, _ in outcome.met})
    print(json.dumps({"broken": [list(each) for each in outcome.broken], "executed": executed, "felt": felt}))


if __name__ == "__main__":
    main()
