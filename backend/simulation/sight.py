"""What an account is at one moment: at its venue, and in our rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Generic, NamedTuple, TypeVar

from buddy.core.exchange import OrderIntent, OrderRef, OrderStatus, Role
from buddy.core.market import ZERO, OrderSide, Side
from buddy.exchanges.models import Account
from buddy.prepared import Select
from buddy.trading.client_ids import is_ours
from buddy.trading.models import Order, Trade
from buddy.trading.moments import to_ms
from buddy.trading.states import DECLINED, WORKING

from .books import Book, Key, leaves
from .invariants import Facts, ForSale, Held, Rests, Row
from .markets import EVERY
from .rules import Rules

Made = TypeVar("Made")
ATTACHED = {"sl-": Role.STOP, "tp-": Role.TAKE_PROFIT}
NAMELESS = "bingx"
"""Where conditional orders have no name of ours."""

_READ = Select(lambda account: Account.objects.filter(pk=account).values_list("good_look_at", "trouble", "created_at"))
WORKED_ON = Select(lambda account: Trade.objects.filter(account_id=account, status__in=WORKING).order_by("pk"))
_ORDERS = Select(
    lambda account: Order.objects.filter(account_id=account, is_attached=False).values_list(
        "client_id",
        "symbol",
        "exchange_id",
        "child_id",
        "trigger",
        "role",
        "leg",
        "trade_id",
        "status",
        "cancel_reason",
    )
)


class Known(NamedTuple):
    """What our row says of an order."""

    role: Role
    leg: int
    trade: int
    status: str
    cancel_reason: str

    @property
    def was_declined(self) -> bool:
        return self.status in DECLINED and not self.cancel_reason


def accounts_for(book: Book, name: str, symbol: str, number: str, trigger: Decimal | None) -> str:
    """The order that a row of ours accounts for, by the name it was sent under.

    Where conditional orders keep no name, a row is known by the venue's number: of two alike it may be either.
    """
    if book.seat.venue != NAMELESS or trigger is None or not number:
        return name
    return book.name_of(OrderRef(symbol, "", number)) or name


class Unchanged(Generic[Made]):
    """What is read of some tables: made anew only after a write to one of them."""

    def __init__(self, make: Callable[[], Made], writes: Counter[str], *tables: str) -> None:
        self.make, self.writes, self.tables = make, writes, tables
        self._seen: list[int] = []
        self._made: Made

    def __call__(self) -> Made:
        now = [self.writes[table] for table in self.tables]
        if now != self._seen:
            self._made, self._seen = self.make(), now
        return self._made


class Sight:
    """`names`: of orders that the venue has taken. `ours`: what of its positions our orders have made and not left."""

    def __init__(self, account: int, book: Book, rules: Rules, writes: Counter[str]) -> None:
        """`writes`: to our database, by table."""
        self.account, self.book, self.rules, self.writes = account, book, rules, writes
        self._known = Unchanged(self._read_orders, writes, "trading_order")
        self.ours: dict[Key, Decimal] = defaultdict(Decimal)
        self.names: set[str] = set()
        self.given_up: set[str] = set()
        """Those of them that arrived after our row had been refused under the same name."""
        self.asked: dict[int, list[Decimal]] = {}
        self.tightest: dict[int, Decimal] = {}
        self.versions: dict[int, int] = {}
        """By trade: the version of its plan when last seen."""
        self.sent_under: dict[str, int] = {}
        """By stop: the version of the plan under which it was sent."""
        self.leaving: dict[str, int] = {}
        """Until when it was in doubt whether all of a position has left at market, or when the request of that or of a
        target was lost: no more can be done about it."""
        self.rested = 0
        """Until here nobody had to look: there was nothing to see."""

    def facts(self) -> Facts:
        ((good_look_at, trouble, created_at),) = _READ.rows(account=self.account)
        known = self._known()
        working = {trade.pk: trade for trade in WORKED_ON.rows(account=self.account)}
        resting = tuple(self._resting(known, working))
        by_hand = {(trade.symbol, Side(trade.side)) for trade in working.values() if trade.hands_off}
        held = tuple(self._held(key, is_by_hand=key in by_hand) for key in self.book.holdings())
        rows = tuple(self._row(trade, known, resting) for trade in working.values())
        self._note_leaving(known, working)
        read_at = max(to_ms(good_look_at or created_at), self.rested)
        refused = {name for name, row in known.items() if row.status == OrderStatus.REJECTED and name in self.names}
        unseen = self.given_up | self.book.hidden.keys()
        nameless = self.book.seat.venue == NAMELESS  # a list that tells nothing for a while is all there is to go by
        written_off = {name: nameless or name in unseen for name in refused if self._is_alive(name, resting)}
        for_sale = tuple(self._for_sale(known))
        return Facts(self.book.clock.now, held, resting, rows, read_at, bool(trouble), written_off, for_sale)

    def _held(self, key: Key, *, is_by_hand: bool) -> Held:
        ours = None if is_by_hand else self.ours[key]
        return Held(*key, self.book.held(*key), ours, self.slack(key), self.rules.larger_lot(key[0]))

    def _for_sale(self, known: dict[str, Known]) -> Iterable[ForSale]:
        """Coins; of contracts exits cannot sell more than there is."""
        return ()

    def slack(self, key: Key) -> Decimal:
        """Contracts of a position that no order may be for, since its lot is larger than when they were entered."""
        each = self.rules.slack(key[0])
        if not each:
            return ZERO
        here = sum((trade.symbol, Side(trade.side)) == key for trade in WORKED_ON.rows(account=self.account))
        return each * max(here, 1)

    def _is_alive(self, name: str, resting: Iterable[Rests]) -> bool:
        """Whether it rests or has executed: what a hand took away before anybody could see it does no harm."""
        return any(each.name == name for each in resting) or any(one.name == name for one in self.book.executed)

    def _note_leaving(self, known: dict[str, Known], working: dict[int, Trade]) -> None:
        for row in known.values():
            if row.role is Role.CLOSE and row.status == OrderStatus.UNKNOWN and row.trade in working:
                trade = working[row.trade]
                self.leaving[f"{trade.symbol} {trade.side}"] = self.book.clock.now

    def _read_orders(self) -> dict[str, Known]:
        rows = _ORDERS.rows(account=self.account)
        known = {row[0]: Known(Role(row[5]), *row[6:]) for row in rows}
        if self.book.seat.venue != NAMELESS:
            return known
        by_number = {}
        for name, symbol, number, child, trigger, *_ in rows:
            if number or child:
                by_number[accounts_for(self.book, name, symbol, number or child, trigger)] = known[name]
        return known | by_number

    def _resting(self, known: dict[str, Known], working: dict[int, Trade]) -> Iterable[Rests]:
        for place, intent, left in self.book.resting():
            name, prefix = intent.client_id, intent.client_id[:3]
            if not is_of_ours(name):
                continue
            row = known.get(name[3:] if prefix in ATTACHED else name)
            role = ATTACHED.get(prefix, row.role if row else None)
            exits = leaves(intent)
            side = self.book.side_of(place, intent) if exits else entered_by(intent)
            owner = row is not None and row.trade in working
            wish = None
            may_be_several = prefix in ATTACHED or (exits and self.book.seat.is_spot)
            if row is not None and not may_be_several and not (owner and working[row.trade].hands_off):
                wish = (row.trade, row.role, row.leg, *prices(intent))
            yield Rests(name, intent.symbol, side, role, left, intent.trigger, exits, owner, wish)

    def _row(self, trade: Trade, known: dict[str, Known], resting: Iterable[Rests]) -> Row:
        wanted = [Decimal(quantity) for quantity in trade.quantities]
        before = self.asked.get(trade.pk, [])
        legs = range(max(len(wanted), len(before)))
        asked = [max(_at(wanted, leg), _at(before, leg)) for leg in legs]
        self.asked[trade.pk] = asked
        entered = [ZERO for _ in asked]
        for name, quantity in self._entered(resting):
            row = known.get(name)
            if row is not None and row.trade == trade.pk and row.role is Role.ENTRY and row.leg < len(entered):
                entered[row.leg] += quantity
        side = Side(trade.side)
        effective = (max if side is Side.LONG else min)(self._stops(trade, known, resting), default=None)
        return Row(
            trade.pk,
            trade.symbol,
            side,
            tuple(asked),
            tuple(entered),
            effective,
            self.tightest.get(trade.pk),
            _waits_in_vain(trade, known, resting, self.book.quote(trade.symbol).last),
            _keeps(trade),
            _has_targets(trade, known),
        )

    def _stops(self, trade: Trade, known: dict[str, Known], resting: Iterable[Rests]) -> list[Decimal]:
        """Where its stops rest, but for those of before the trader moved it: until the venue takes the new one they
        stay."""
        here = {
            each.name: each.trigger
            for each in resting
            if each.role is Role.STOP and each.trigger and _trade_of(each.name, known) == trade.pk
        }
        if self.versions.get(trade.pk, trade.plan_version) != trade.plan_version or trade.hands_off:
            self.moved_by_the_trader(trade.pk)
        self.versions[trade.pk] = trade.plan_version
        if trade.hands_off:
            return []
        return [trigger for name, trigger in here.items() if self.sent_under.get(name, 0) >= trade.plan_version]

    def _entered(self, resting: Iterable[Rests]) -> Iterable[tuple[str, Decimal]]:
        yield from ((one.name, one.fill.quantity) for one in self.book.executed)
        yield from ((each.name, each.left) for each in resting)

    def moved_by_the_trader(self, trade: int) -> None:
        self.tightest.pop(trade, None)


def _waits_in_vain(trade: Trade, known: dict[str, Known], resting: Iterable[Rests], last: Decimal) -> bool:
    """Whether its entry rests although the price stands where the plan takes it back."""
    above, below = (trade.plan.get("cancel", {}).get(name) for name in ("above", "below"))
    is_beyond = (above is not None and last >= Decimal(above)) or (below is not None and last <= Decimal(below))
    rests = any(each.role is Role.ENTRY and _trade_of(each.name, known) == trade.pk for each in resting)
    return is_beyond and rests and not trade.hands_off


def _keeps(trade: Trade) -> Decimal | None:
    """In whole lots, as far as it can be."""
    asked = trade.directives.get("reduce_to")
    if asked is None or trade.hands_off:
        return None
    market = EVERY[trade.symbol]
    whole = market.round_quantity(Decimal(asked))
    return whole if whole == Decimal(asked) else whole + market.lot_size


def _has_targets(trade: Trade, known: dict[str, Known]) -> bool:
    if not trade.plan.get("take_profits") or trade.hands_off or trade.directives.get("reduce_to") is not None:
        return False
    targets = (row for row in known.values() if row.trade == trade.pk and row.role is Role.TAKE_PROFIT)
    return not any(row.was_declined for row in targets)


def prices(intent: OrderIntent) -> tuple[Decimal | None, Decimal | None]:
    return intent.price, intent.trigger


def is_of_ours(name: str) -> bool:
    return is_ours(name) or name[:3] in ATTACHED


def _trade_of(name: str, known: dict[str, Known]) -> int | None:
    row = known.get(name)
    return row.trade if row is not None else None


def _at(values: list[Decimal], place: int) -> Decimal:
    return values[place] if place < len(values) else ZERO


def entered_by(intent: OrderIntent) -> Side:
    return Side.LONG if intent.order_side is OrderSide.BUY else Side.SHORT
