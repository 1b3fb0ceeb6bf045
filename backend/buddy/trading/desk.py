"""Where the actions of one trade go: written down, sent, taken back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from buddy.core.errors import Rejected, Temporary
from buddy.core.exchange import CancelOutcome, OrderStatus, Refusal, Role
from buddy.core.manage import Working
from buddy.core.position import Wish, Withdrawal
from buddy.prepared import Select

from . import attached
from .case import Case
from .ledger import Ledger
from .making_way import see_what_stays
from .models import Order, Trade
from .states import WORKING
from .telling import tell

_LEVERAGES = Select(
    lambda account, symbol: Trade.objects.filter(account_id=account, symbol=symbol, status__in=WORKING).values_list(
        "leverage"
    )
)


@dataclass(slots=True)
class Desk:
    """Where the actions of one trade go (`core.manage.Desk`).

    `executed`: something may have filled, read again. `entered`: and what is held may be more, or is not known.
    """

    case: Case
    ledger: Ledger
    executed: bool = False
    entered: bool = False
    placed: set[int] = field(default_factory=set)

    def place(self, wish: Wish) -> Order:
        self._set_up(wish)
        case, profile = self.case, self.ledger.exchange.profile
        alone = not any(_is_beside(other, case.trade) for other in self.ledger.working)
        asked = attached.asked_with(wish, case.position, case.market, profile, alone=alone)
        order = self.ledger.intend(case.trade, wish, asked)
        if order not in self.case.orders:
            self.case.orders.append(order)
        self.ledger.send(self._own(order))
        self._note(order.filled > 0 or OrderStatus(order.status).is_final, of=wish.role)
        self.placed.add(order.pk)
        return order

    def cancel(self, working: Working, reason: str) -> CancelOutcome:
        """Raises Temporary for a stop that may have to stay."""
        order = next(order for order in self.case.orders if order.client_id == working.client_id)
        if working.role is Role.STOP and self.entered:
            raise Temporary("Something has executed: what is held is read before a stop goes.")
        if working.role is Role.STOP and not self.case.exits.is_spot:  # coins are left to the swap of two stops
            see_what_stays(order, self.case.orders, self.case.protectable, self.placed, self.ledger.outcomes)
        outcome = self.ledger.cancel(order, reason)
        self._note(outcome is not CancelOutcome.CANCELLED or order.filled > working.filled, of=working.role)
        return outcome

    def _note(self, executed: bool, of: Role) -> None:
        """A target that has sold leaves no more to be protected: no stop stays for one that is not found."""
        self.executed |= executed
        self.entered |= executed and of is not Role.TAKE_PROFIT

    def withdraw(self, working: Working, reason: str) -> bool:
        """Cancel it for what is to be sold instead; whether its coins are free for sure. If not, all is read again."""
        order = next(order for order in self.case.orders if order.client_id == working.client_id)
        is_sure = self.ledger.withdraw(order, reason)
        self._note(not is_sure, of=working.role)
        return is_sure

    def _own(self, order: Order) -> Order:
        """The row object in hand, so that what becomes of it is seen here too."""
        return next(each for each in self.case.orders if each.pk == order.pk)

    def _set_up(self, wish: Wish) -> None:
        """Leverage and margin mode, before an entry; coins have neither. Trades on one symbol share the highest."""
        if wish.role is Role.ENTRY and not self.case.exits.is_spot:
            trade = self.case.trade
            sharing = _LEVERAGES.rows(account=trade.account_id, symbol=trade.symbol)
            leverage = max([trade.leverage, *(leverage for (leverage,) in sharing)])
            try:
                self.ledger.exchange.set_up(trade.symbol, leverage, trade.margin_mode)
                self._insist_on_the_mode()
            except Rejected as refusal:
                self._call_off(refusal)
                raise

    def _insist_on_the_mode(self) -> None:
        """A hand may have changed it since the gate asked, and what it changed to is accepted by the venue."""
        account, there = self.ledger.account, self.ledger.exchange.position_mode()
        if there is not None and there != account.position_mode:
            wanted, found = account.get_position_mode_display().lower(), there.replace("_", "-")
            raise Rejected(f"It is in {found} mode at the venue, and {wanted} mode is wanted.", Refusal.OTHER)

    def _call_off(self, refusal: Rejected) -> None:
        """Without its leverage and margin mode an entry would be another trade: it is withdrawn, with the reason."""
        trade, position = self.case.trade, self.case.position
        directives = replace(position.directives, withdraw_entry=Withdrawal.REJECTED)
        self.case.position = replace(position, directives=directives)
        trade.directives = directives.document()
        sentence = f"The account could not be set up for the entry: {refusal}"
        with self.case.lease.writing():
            self.case.save("directives")
            tell(trade, "order_rejected", sentence, self.case.market.time, code=refusal.code, role=Role.ENTRY)


def _is_beside(other: Trade, trade: Trade) -> bool:
    """Whether both may hold of the same position."""
    return other.pk != trade.pk and (other.symbol, other.side) == (trade.symbol, trade.side)
