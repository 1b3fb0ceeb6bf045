"""One working trade during one look: its rows and its position, held against what the venue says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from buddy.core.exchange import Exits, OrderKind, OrderStatus, PositionState, Role
from buddy.core.manage import Working
from buddy.core.market import ONE, ZERO
from buddy.core.position import Cause, Market, Position
from buddy.core.spot import left_to_sell
from buddy.core.stops import entry_is_open
from buddy.prepared import Select, Update

from . import books
from .lease import Lease
from .models import Order, Trade
from .moments import wall_ms
from .states import ABSENT, ASKED_TO_GO, LIVE, RESTING
from .telling import WITHDRAWALS, tell, text

_REFUSED_CLOSES = Select(
    lambda trade: Order.objects.filter(trade_id=trade, role=Role.CLOSE, status=OrderStatus.REJECTED).values_list("pk")[
        :1
    ]
)
_TRADE = Update(lambda trade: Trade.objects.filter(pk=trade))

MAY_REST = (OrderStatus.UNKNOWN, *RESTING)


@dataclass(slots=True)
class Case:
    """A trade in hand. `held`: contracts the venue says are held for it."""

    lease: Lease
    trade: Trade
    orders: list[Order]
    position: Position
    market: Market
    held: Decimal = ZERO
    booked: Mapping[int, Decimal] = field(default_factory=dict)
    """By order: contracts of it whose executions have been read."""
    there: PositionState | None = None
    """The venue's whole position of this symbol and side; on spot all coins in the wallet."""
    exits: Exits = Exits.REDUCE_ONLY
    lag_ms: int = 0
    """So long a list may still show what has been cancelled."""
    unseen: Collection[int] = ()
    """Orders not listed in the last reading that could not be asked for either."""
    missing: Decimal = ZERO
    """Coins that our fills say are there, and that the venue does not list."""
    awaited: Decimal = ZERO
    """Of coins held those under a stop that came with their entry and that the venue does not list yet."""
    is_over: bool = False
    """It has ended in this look."""
    shields: bool = False
    """Another trade holds of the same position without a stop of its own: until it has one, ours stay."""

    @property
    def working(self) -> list[Working]:
        """Our orders that rest, or may, or whose executions are not all read yet.

        What is proven never to have been sent does not count, nor what the venue attached by itself, except on spot,
        where it locks coins as our own does once an entry is told of. A pair is one order, its stop, for as long as
        that rests.
        """
        counts = [order for order in self.orders if order.status in MAY_REST or self._enters_unread(order)]
        if not self.exits.is_spot:
            ours = [order for order in counts if not order.is_attached]
            return [_as_seen(order, self._booked(order), self.lag_ms, unseen=order.pk in self.unseen) for order in ours]
        stops = {order.pk for order in counts}
        beside = {order.paired_with_id: order.price for order in counts if order.paired_with_id}
        alone = [order for order in counts if order.paired_with_id not in stops]
        if self._may_have_entered_untold:
            alone = [order for order in alone if not order.is_attached]
        return [_working(order, self._booked(order), beside.get(order.pk)) for order in alone]

    @property
    def live_stop(self) -> Order | None:
        """The stop of ours that is known to rest; the tightest when one is just being moved."""
        return self._stops[-1] if self._stops else None

    @property
    def stopped(self) -> Decimal:
        """Under live stops of ours; what is being sold at a target that the price has reached needs none."""
        return sum((order.quantity - order.filled for order in (*self._stops, *self.leaving)), ZERO)

    @property
    def is_covered(self) -> bool:
        """Whether that is all that is held (invariant I1); what is no lot can have none."""
        return self.stopped >= self.protectable

    @property
    def protectable(self) -> Decimal:
        """Contracts of what is held that a stop can cover; of coins, dust does not count as held."""
        return self.held if self.exits.is_spot else min(self.held, self.position.to_leave_with(self.held))

    @property
    def within_reach(self) -> Decimal:
        """What of it our orders may be for; another sale beside an unlisted one could sell coins that are not ours."""
        return self.held - self.awaited

    @property
    def is_safe(self) -> bool:
        """Covered by our stops, or until they rest by the one that the venue attached."""
        return self.is_covered or any(order.role == Role.STOP for order in self.attached)

    @property
    def locked(self) -> Decimal:
        """Coins that our sales lock, which rest by the last word of the venue: so those are there."""
        if not self.exits.is_spot:
            return ZERO
        sales = (each for each in self.working if each.role is not Role.ENTRY and each.status.is_resting)
        return sum((each.remaining for each in sales), ZERO)

    @property
    def attached(self) -> list[Order]:
        """What the venue made of the protection that travelled with an entry, and that still rests.

        Empty on spot: there it is a stop like any other.
        """
        if self.exits.is_spot:
            return []
        return [order for order in self.orders if order.is_attached and order.status in RESTING]

    @property
    def net(self) -> list[Working]:
        """The same as the core sees orders."""
        return [_working(order, ZERO) for order in self.attached]

    @property
    def unread(self) -> list[Order]:
        """Orders of which the venue says more executed than it has told executions."""
        return [order for order in self.orders if self._unread(order)]

    @property
    def has_unread_exits(self) -> bool:
        return any(self._unread(order) for order in self.orders if order.role != Role.ENTRY)

    @property
    def _stops(self) -> list[Order]:
        ours = [order for order in self.orders if order.role == Role.STOP]
        return [o for o in ours if o.status in RESTING and (self.exits.is_spot or not o.is_attached)]

    @property
    def leaving(self) -> list[Order]:
        """On spot, targets that rest without a stop because the price is there."""
        if not self.exits.is_spot:
            return []
        stops = {order.pk for order in self._stops}
        loose = [o for o in self.orders if o.role == Role.TAKE_PROFIT and o.paired_with_id not in stops]
        return [o for o in loose if o.status in RESTING and o.price is not None and o.price <= self.market.last]

    @property
    def _may_have_entered_untold(self) -> bool:
        """No execution is told of yet, and one may have been: what the venue attached then says that one was."""
        live = (order for order in self.orders if order.role == Role.ENTRY and order.status in LIVE)
        return not self.position.entered and any(live)

    def _booked(self, order: Order) -> Decimal:
        return self.booked.get(order.pk, ZERO)

    def _enters_unread(self, order: Order) -> bool:
        return order.role == Role.ENTRY and self._unread(order) > 0

    def _unread(self, order: Order) -> Decimal:
        """What the venue says executed of an order without having told the executions yet."""
        filled: Decimal = order.filled
        return max(filled - self._booked(order), ZERO)

    @property
    def possible(self) -> Decimal:
        """Contracts held by our fills and by what may have executed of our orders beyond them."""
        return max(self._balance + self._unread_entries + self._entries_in_doubt - self.unread_exits, ZERO)

    @property
    def sure(self) -> Decimal:
        """The same without entries of which nobody knows whether they arrived."""
        return max(self._balance + self._unread_entries - self.unread_exits, ZERO)

    @property
    def _balance(self) -> Decimal:
        """What has entered by our fills less what has left: below nothing while an entry is told after its exit."""
        return self.position.entered - self.position.exited

    @property
    def claim(self) -> Decimal:
        """What of all that is there may be this trade's; of coins only what is sure, for others lie beside them."""
        return self.sure if self.exits.is_spot else self.possible

    @property
    def _unread_entries(self) -> Decimal:
        """Of coins as many as there are when the venue keeps the highest fee of them."""
        unread = sum((self._unread(order) for order in self.orders if order.role == Role.ENTRY), ZERO)
        return unread * (ONE - self.position.costs.taker) if self.exits.is_spot else unread

    @property
    def unread_exits(self) -> Decimal:
        return sum((self._unread(order) for order in self.orders if order.role != Role.ENTRY), ZERO)

    @property
    def _entries_in_doubt(self) -> Decimal:
        """What may have executed of them beyond what is told."""
        doubtful = [o for o in self.orders if o.role == Role.ENTRY and o.status == OrderStatus.UNKNOWN]
        return sum((max(o.quantity - max(o.filled, self._booked(o)), ZERO) for o in doubtful), ZERO)

    @property
    def entering(self) -> Decimal:
        """What of our entries rests by the last word of the venue, and may have executed since."""
        live = [order for order in self.orders if order.role == Role.ENTRY and order.status in RESTING]
        return sum((max(o.quantity - max(o.filled, self._booked(o)), ZERO) for o in live), ZERO)

    @property
    def owed(self) -> Decimal:
        """What our fills say is held; of coins what of that can be sold."""
        return self.without_dust(self.position.held)

    def without_dust(self, quantity: Decimal) -> Decimal:
        """Of coins what can be sold, or is being sold; of contracts all."""
        if not self.exits.is_spot:
            return quantity
        resting = sum((each.remaining for each in self.working if each.role is not Role.ENTRY), ZERO)
        return left_to_sell(self.position.instrument, quantity, resting, self.market.last)

    @property
    def gives_up_its_stop(self) -> bool:
        """Whether it is closed because no stop could be placed: then none is tried on the way.

        But where the venue refuses to close it, too, or nobody knows whether it did, a stop is tried again: it can
        only reduce. On spot it could sell coins that are not ours.
        """
        directives = self.position.directives
        closes = directives.reduce_to == ZERO and directives.close_cause is Cause.UNPROTECTED
        return closes and (self.exits.is_spot or not self._fails_to_close)

    @property
    def _fails_to_close(self) -> bool:
        """What was refused is not among the orders in hand."""
        if any(order.role == Role.CLOSE and order.status == OrderStatus.UNKNOWN for order in self.orders):
            return True
        return bool(_REFUSED_CLOSES.rows(trade=self.trade.pk))

    @property
    def doubts(self) -> str:
        """Why what is held cannot be taken as certain; empty when orders, position and executions agree."""
        if self.unread:
            return "The exchange has not told all executions of this trade yet."
        if self.held < self.owed:
            return f"The exchange says {text(self.held)} is held, our fills say {text(self.owed)}."
        return ""

    @property
    def entry_is_open(self) -> bool:
        """Whether anything of the entry may still fill."""
        return entry_is_open(self.position)

    def save(self, *fields: str) -> None:
        """Write these fields of the trade."""
        _TRADE({name: getattr(self.trade, name) for name in fields}, trade=self.trade.pk)

    def refresh(self) -> None:
        """Take in what became of the orders since."""
        instrument = self.position.instrument
        declined, unpaired = books.declined(self.orders, instrument), books.unpaired(self.orders)
        self.position = replace(self.position, declined=declined, unpaired=unpaired)

    def remember(self) -> None:
        """Keep what the core must know of the market next time."""
        document, before = self.position.memory.document(), self.trade.memory
        if document == before:
            return
        self.trade.memory = document
        with self.lease.writing():
            _TRADE({"memory": document}, trade=self.trade.pk)
            if self.held and document.get("withdrawn") != before.get("withdrawn"):
                why = WITHDRAWALS[document["withdrawn"]]
                tell(
                    self.trade,
                    "entry_withdrawn",
                    f"What was unfilled of the entry was withdrawn: {why}.",
                    self.market.time,
                )


def _as_seen(order: Order, booked: Decimal, lag_ms: int, *, unseen: bool) -> Working:
    """A stop not found or told of (`unseen`), or just asked to go, may be gone: another never makes way for it."""
    asked = wall_ms() - int(order.raw.get(ASKED_TO_GO, 0)) < lag_ms
    may_be_gone = order.role == Role.STOP and (ABSENT in order.raw or asked or unseen)
    working = _working(order, booked)
    return working._replace(status=OrderStatus.UNKNOWN) if may_be_gone else working


def _working(order: Order, booked: Decimal, beside: Decimal | None = None) -> Working:
    """What enters is compared with what our fills say, what leaves with what the venue says is held."""
    return Working(
        client_id=order.client_id,
        role=Role(order.role),
        leg=order.leg,
        kind=OrderKind(order.kind),
        quantity=order.quantity,
        filled=booked if order.role == Role.ENTRY else order.filled,
        price=order.price,
        trigger=order.trigger,
        status=OrderStatus(order.status),
        beside=beside,
    )
