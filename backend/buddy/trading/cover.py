"""How much of what is held the stops that rest cover (invariant I1), judged from the rows alone.

On purpose none of the watcher's own judgement is asked: not when it last found a trade protected, not what it thinks
of an order. Executions say what is held, orders say what rests, and a subtraction says the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from buddy.core.exchange import OrderState, PositionState, Role
from buddy.core.market import ZERO, OrderSide, Side

from . import booking
from .models import Order, Trade
from .states import RESTING

DUST_AT_MOST = Decimal("0.2")
"""Of the coins held: more than this is never taken for what is too few to be sold."""


@dataclass(frozen=True, slots=True)
class Cover:
    """What a trade holds, and how much of it a stop that rests would close."""

    trade: Trade
    held: Decimal
    stopped: Decimal

    @property
    def missing(self) -> Decimal:
        return max(self.held - self.stopped, ZERO)


def covers(trades: Sequence[Trade]) -> list[Cover]:
    """Of each trade that holds something; two queries, however many trades."""
    held = booking.held_by(trades)
    holding = [trade for trade in trades if held[trade.pk] > ZERO]
    orders = _orders(holding)
    return [Cover(trade, held[trade.pk], _stopped(trade, orders[trade.pk], held[trade.pk])) for trade in holding]


def _orders(trades: Sequence[Trade]) -> Mapping[int, list[Order]]:
    """Those that rest."""
    rows: dict[int, list[Order]] = defaultdict(list)
    for order in Order.objects.filter(trade__in=trades, status__in=RESTING) if trades else ():
        rows[order.trade_id].append(order)
    return rows


def _stopped(trade: Trade, orders: Iterable[Order], held: Decimal) -> Decimal:
    """Contracts that stops on the closing side are for. A stop the venue attached is there for all."""
    resting = [order for order in orders if order.order_side == leaves(Side(trade.side))]
    stops = [order for order in resting if order.role == Role.STOP and order.trigger is not None]
    is_spot = trade.account.is_spot
    if any(order.is_attached for order in stops) and not is_spot:
        return held
    rest = _open(stops) + (_open(_alone(resting, stops)) if is_spot else ZERO)
    return held if is_spot and held - rest <= _dust(resting, held) else rest


def _alone(resting: Iterable[Order], stops: Iterable[Order]) -> list[Order]:
    """On spot: sales at a target that the price has reached, whose stop has made way for them."""
    paired = {stop.pk for stop in stops}
    return [o for o in resting if o.role == Role.TAKE_PROFIT and o.paired_with_id not in paired]


def _open(orders: Iterable[Order]) -> Decimal:
    return sum((order.quantity - order.filled for order in orders), ZERO)


def _dust(orders: Iterable[Order], held: Decimal) -> Decimal:
    """Coins too few for an order: less than the smallest step that any of its resting orders is written in."""
    exponents = [order.quantity.normalize().as_tuple().exponent for order in orders]
    steps = [exponent for exponent in exponents if isinstance(exponent, int)]
    return min(Decimal(1).scaleb(min(steps)), held * DUST_AT_MOST) if steps else ZERO


def leaves(side: Side) -> OrderSide:
    return OrderSide.SELL if side is Side.LONG else OrderSide.BUY


def at_venue(positions: Iterable[PositionState], orders: Iterable[OrderState]) -> list[tuple[PositionState, Decimal]]:
    """The same by a venue's own word: each position, and contracts that stops resting there would close."""
    resting = list(orders)
    return [(position, min(_stops_there(position, resting), position.quantity)) for position in positions]


def _stops_there(position: PositionState, orders: Iterable[OrderState]) -> Decimal:
    mine = [o for o in orders if o.symbol == position.symbol and o.order_side is leaves(position.side)]
    return sum((o.quantity - o.filled for o in mine if o.trigger is not None and o.status.is_resting), ZERO)
