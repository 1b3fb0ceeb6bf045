"""Sees everything that happens to one account, at the venue and in our rows, and holds it against the invariants."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Generic, NamedTuple, TypeVar

from buddy.core.exchange import OrderIntent, OrderKind, OrderStatus, Role
from buddy.core.holding import Cause
from buddy.core.market import ZERO, OrderSide, Side
from buddy.core.plan_document import read_plan
from buddy.exchanges.models import Account
from buddy.prepared import Select
from buddy.trading.books import intent_of
from buddy.trading.client_ids import is_ours
from buddy.trading.models import Fill, ForeignPosition, Order, Trade
from buddy.trading.moments import to_ms
from buddy.trading.states import DECLINED, WORKING

from . import invariants
from .books import Book, Executed, Key
from .clock import SECOND
from .failing import Fate
from .invariants import Asked, Broken, Facts, Held, Rests, Row, Wish
from .markets import COSTS, MARKETS

SEEN_WITHIN = 3 * SECOND
"""Who reads after a hand has done something sees it."""
Made = TypeVar("Made")
ATTACHED = {"sl-": Role.STOP, "tp-": Role.TAKE_PROFIT}


_READ = Select(lambda account: Account.objects.filter(pk=account).values_list("good_look_at", "trouble", "created_at"))
_WORKING = Select(lambda account: Trade.objects.filter(account_id=account, status__in=WORKING).order_by("pk"))
_ORDERS = Select(
    lambda account: Order.objects.filter(account_id=account, is_attached=False).values_list(
        "client_id", "role", "leg", "trade_id", "status", "cancel_reason"
    )
)
_BOOKED = Select(
    lambda account: (
        Fill.objects.filter(account_id=account, order__is_attached=False)
        .exclude(fill_id__startswith="adopted-")
        .values_list("order__client_id", "quantity")
    )
)
_ORDER_OF = Select(lambda name: Order.objects.filter(client_id=name))
_TRADE_OF = Select(lambda trade: Trade.objects.filter(pk=trade))
_NOBODYS = Select(
    lambda account: ForeignPosition.objects.filter(
        account_id=account, confirmed=True, gone_since__isnull=True
    ).values_list("pk", "symbol", "side")
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


class Witness:
    """`seen` are the invariants that were broken, in order."""

    def __init__(self, account: int, book: Book, fate: Fate, writes: Counter[str]) -> None:
        """`writes`: to our database, by table."""
        self.account, self.book, self.fate, self.writes = account, book, fate, writes
        self._known = Unchanged(self._read_orders, writes, "trading_order")
        self._booked = Unchanged(self._read_booked, writes, "trading_order", "trading_fill")
        self._told = Unchanged(self._read_told, writes, "trading_foreignposition")
        self.seen: list[Broken] = []
        self.ours: dict[Key, Decimal] = defaultdict(Decimal)
        self.others: dict[Key, int] = {}
        """When something was held last that our orders had not made."""
        self.nobodys: set[int] = set()
        self.refusals: Counter[Wish] = Counter()
        self.names: set[str] = set()
        """Of orders that the venue has taken."""
        self.given_up: set[str] = set()
        """Those of them that arrived after our row had been refused under the same name."""
        self.since: dict[tuple[str, str], int] = {}
        self.asked: dict[int, list[Decimal]] = {}
        self.tightest: dict[int, Decimal] = {}
        self.versions: dict[int, int] = {}
        """By trade: the version of its plan when last seen."""
        self.sent_under: dict[str, int] = {}
        """By stop: the version of the plan under which it was sent."""
        self.by_hand: dict[Key, int] = {}
        """When a hand took a stop away last."""
        self.leaving: dict[str, int] = {}
        """Until when it was in doubt whether all of a position has left at market: no more can be done about it."""
        self.rested = 0
        """Until here nobody had to look: there was nothing to see."""
        self._checked = (-1, -1)
        book.on_execution = self.executed
        book.on_acceptance = self.accepted

    # --- at once ---

    def executed(self, one: Executed) -> None:
        fill = one.fill
        opposite = one.before * (1 if fill.order_side.is_buy else -1) < 0
        leaves = min(abs(one.before), fill.quantity) if opposite else ZERO
        enters = fill.quantity - leaves
        left = (fill.symbol, Side.SHORT if fill.order_side.is_buy else Side.LONG)
        entered = (fill.symbol, left[1].opposite)
        self._note_others({key: max(one.before * key[1].sign, ZERO) for key in (left, entered)})
        if _is_of_ours(one.name):
            self.seen += invariants.crossed(one.name, left[1], one.before, one.after, self.ours[left])
            self.ours[left] = max(self.ours[left] - leaves, ZERO)
            self.ours[entered] += enters
        here = {left: max(-one.after if left[1] is Side.SHORT else one.after, ZERO)}
        here[entered] = max(one.after if entered[1] is Side.LONG else -one.after, ZERO)
        for key, quantity in here.items():
            self.ours[key] = min(self.ours[key], quantity)
        self._note_others(here)

    def _note_others(self, held: dict[Key, Decimal]) -> None:
        for key, quantity in held.items():
            if quantity > self.ours[key]:
                self.others[key] = self.book.clock.now

    def takes_over(self, key: Key) -> None:
        """The trader has made what is held a trade."""
        self.ours[key] = self.book.held(*key)

    def sent(self, intent: OrderIntent) -> None:
        row = _with_its_trade(intent.client_id)
        side = self.book.side_of(self.book.place_of(intent), intent) if intent.reduce_only else _entered(intent)
        tightest = None if row is None else self.tightest.get(row.trade_id)
        plan = None if row is None else _plan_stop(row.trade)
        self.seen += invariants.wrong_with(
            Asked(
                intent.client_id,
                Side(row.trade.side) if row is not None else side,
                intent.order_side,
                OrderKind(intent.kind),
                intent.quantity,
                intent.trigger,
                intent.reduce_only,
                None if row is None else Role(row.role),
                tightest,
                plan,
            )
        )

        if row is not None and row.role == Role.STOP:
            self.sent_under[intent.client_id] = row.trade.plan_version
        if row is not None and row.role == Role.ENTRY:
            self._is_set_up(row)
        if row is not None and row.reason == Cause.BREAK_EVEN and intent.trigger is not None:
            self._earns_its_costs(row, intent.trigger)

    def _is_set_up(self, row: Order) -> None:
        """I8: under another leverage or margin mode it would be another trade."""
        sim = self.book.sims[self.book.place_of(intent_of(row))]
        there, trade = sim.books.setup(row.symbol), row.trade
        if there.leverage < trade.leverage or there.margin_mode != trade.margin_mode:
            sentence = f"trade {trade.pk} enters under {there}, and wants {trade.leverage:f}x {trade.margin_mode}"
            self.seen.append(Broken("I8", row.client_id, sentence))

    def _earns_its_costs(self, row: Order, trigger: Decimal) -> None:
        """I10: a stop at break-even loses nothing but slippage, as far as our rows know what it cost."""
        rule = row.trade.plan.get("rules", {}).get("break_even") or {}
        fills = list(row.trade.fills.all())
        entries = [fill for fill in fills if fill.order_side != row.order_side]
        entered = sum((fill.quantity for fill in entries), ZERO)
        is_kept = row.trade.orders.filter(trigger=trigger).exclude(pk=row.pk).exists()  # only its quantity changes
        if rule.get("cover") == "entry" or not entered or is_kept:
            return
        paid = sum((fill.quantity * fill.price for fill in entries), ZERO) / entered
        units = MARKETS[row.symbol].contract_size
        fees = sum((fill.fee for fill in entries), ZERO) / entered + trigger * units * COSTS.taker
        gain = Side(row.trade.side).sign * (trigger - paid) * units - fees
        if gain < 0:
            self.seen.append(Broken("I10", row.client_id, f"a stop at break-even ({trigger}) loses {-gain} a contract"))

    def cancelled(self, name: str) -> None:
        """I6: what is not ours is left alone."""
        if not _is_of_ours(name):
            self.seen.append(Broken("I6", name, f"{name} is not ours and was cancelled"))
        found = [(place, intent) for place, intent, _ in self.book.resting() if intent.client_id == name]
        for place, intent in found:
            key = (intent.symbol, self.book.side_of(place, intent))
            is_only = _is_stop(intent) and not self._other_stops(key, name)
            if is_only and self.ours[key] and not self._is_the_hands(key):
                self.seen.append(Broken("I1", name, f"the only stop of {self.ours[key]} {key} was cancelled"))

    def _other_stops(self, key: Key, name: str) -> bool:
        return any(
            _is_stop(intent) and (intent.symbol, self.book.side_of(place, intent)) == key and intent.client_id != name
            for place, intent, _ in self.book.resting()
        )

    def _is_the_hands(self, key: Key) -> bool:
        """Whether a hand has just taken the other stop away, or what is held is the hand's to protect."""
        hands = (t for t in _WORKING.rows(account=self.account) if t.hands_off and (t.symbol, Side(t.side)) == key)
        return self.book.clock.now - self.by_hand.get(key, 0) <= SEEN_WITHIN or any(True for _ in hands)

    def taken_by_hand(self, place: str, intent: OrderIntent) -> None:
        """A hand has cancelled a stop, which may have been the new one that another was to make way for."""
        if _is_stop(intent):
            self.by_hand[intent.symbol, self.book.side_of(place, intent)] = self.book.clock.now

    def refused(self, intent: OrderIntent) -> None:
        row = _ORDER_OF.first(name=intent.client_id)
        if row is not None:
            wish = (row.trade_id, Role(row.role), row.leg, *_prices(intent))
            self.refusals[wish] += 1
            self.seen += invariants.tried_in_vain(f"{row.role} {row.leg} of trade {row.trade_id}", self.refusals[wish])

    def accepted(self, name: str) -> None:
        """I4: one name, one order."""
        if is_ours(name) and name in self.names:
            self.seen.append(Broken("I4", name, f"the venue took {name} twice"))
        self.names.add(name)
        if (row := _ORDER_OF.first(name=name)) is not None and row.status == OrderStatus.REJECTED:
            self.given_up.add(name)

    def moved_by_the_trader(self, trade: int) -> None:
        self.tightest.pop(trade, None)

    # --- after every step ---

    def look(self) -> None:
        """Hold what is against what must be."""
        now = (len(self.book.executed), self.writes.total())
        if now == self._checked and not self.since:
            return
        self._checked = now
        facts = self.facts()
        found = invariants.broken(facts)
        self._keep_tightest(facts.rows)
        self._hear_of_others()
        self._count_executions()
        self.seen += self._beyond_patience(found, facts.now)

    def _hear_of_others(self) -> None:
        """I6: of positions that are told as nobody's for the first time."""
        for number, symbol, side in self._told():
            if number in self.nobodys:
                continue
            self.nobodys.add(number)
            key, now = (symbol, Side(side)), self.book.clock.now
            others = now if self.book.held(*key) > self.ours[key] else self.others.get(key)
            self.seen += invariants.told_as_nobodys(f"{symbol} {side}", None if others is None else now - others)

    def _count_executions(self) -> None:
        """I7: of each order of ours."""
        executed: dict[str, Decimal] = defaultdict(Decimal)
        for one in self.book.executed:
            executed[one.name] += one.fill.quantity
        for name, quantity in self._booked().items():
            self.seen += invariants.booked_twice(name, quantity, executed[name])

    def _beyond_patience(self, found: Iterable[Broken], now: int) -> list[Broken]:
        keyed = {(each.name, each.subject): each for each in found}
        self.since = {key: self.since.get(key, now) for key in keyed}
        late = []
        for key, each in keyed.items():
            began = max(self.since[key], self.fate.excused_until, self.leaving.get(each.subject, 0))
            if not each.may_last or now - began > each.may_last:
                late.append(each)
        return late

    def facts(self) -> Facts:
        ((good_look_at, trouble, created_at),) = _READ.rows(account=self.account)
        known = self._known()
        working = {trade.pk: trade for trade in _WORKING.rows(account=self.account)}
        resting = tuple(self._resting(known, working))
        by_hand = {(trade.symbol, Side(trade.side)) for trade in working.values() if trade.hands_off}
        held = tuple(
            Held(
                symbol,
                side,
                self.book.held(symbol, side),
                None if (symbol, side) in by_hand else self.ours[symbol, side],
            )
            for symbol, side in self.book.holdings()
        )
        rows = tuple(self._row(trade, known, resting) for trade in working.values())
        self._note_leaving(known, working)
        read_at = max(to_ms(good_look_at or created_at), self.rested)
        refused = {name for name, row in known.items() if row.status == OrderStatus.REJECTED and name in self.names}
        unseen = self.given_up | self.book.hidden.keys()
        written_off = {name: name in unseen for name in refused if self._is_alive(name, resting)}
        return Facts(self.book.clock.now, held, resting, rows, read_at, bool(trouble), written_off)

    def _is_alive(self, name: str, resting: Iterable[Rests]) -> bool:
        """Whether it rests or has executed: what a hand took away before anybody could see it does no harm."""
        return any(each.name == name for each in resting) or any(one.name == name for one in self.book.executed)

    def _note_leaving(self, known: dict[str, Known], working: dict[int, Trade]) -> None:
        for row in known.values():
            if row.role is Role.CLOSE and row.status == OrderStatus.UNKNOWN and row.trade in working:
                trade = working[row.trade]
                self.leaving[f"{trade.symbol} {trade.side}"] = self.book.clock.now

    def _read_told(self) -> list[tuple[int, str, str]]:
        return _NOBODYS.rows(account=self.account)

    def _read_booked(self) -> dict[str, Decimal]:
        booked: dict[str, Decimal] = defaultdict(Decimal)
        for name, quantity in _BOOKED.rows(account=self.account):
            booked[name] += quantity
        return booked

    def _read_orders(self) -> dict[str, Known]:
        rows = _ORDERS.rows(account=self.account)
        return {name: Known(Role(role), leg, trade, *said) for name, role, leg, trade, *said in rows}

    def _resting(self, known: dict[str, Known], working: dict[int, Trade]) -> Iterable[Rests]:
        for place, intent, left in self.book.resting():
            name, prefix = intent.client_id, intent.client_id[:3]
            if not _is_of_ours(name):
                continue
            row = known.get(name[3:] if prefix in ATTACHED else name)
            role = ATTACHED.get(prefix, row.role if row else None)
            side = self.book.side_of(place, intent) if intent.reduce_only else _entered(intent)
            owner = row is not None and row.trade in working
            wish = None
            if row is not None and prefix not in ATTACHED and not (owner and working[row.trade].hands_off):
                wish = (row.trade, row.role, row.leg, *_prices(intent))
            yield Rests(name, intent.symbol, side, role, left, intent.trigger, intent.reduce_only, owner, wish)

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

    def _keep_tightest(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row.stop is not None and (row.tightest is None or row.side.better(row.stop, row.tightest)):
                self.tightest[row.number] = row.stop


def _with_its_trade(name: str) -> Order | None:
    row = _ORDER_OF.first(name=name)
    if row is not None:
        (row.trade,) = _TRADE_OF.rows(trade=row.trade_id)
    return row


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
    market = MARKETS[trade.symbol]
    whole = market.round_quantity(Decimal(asked))
    return whole if whole == Decimal(asked) else whole + market.lot_size


def _has_targets(trade: Trade, known: dict[str, Known]) -> bool:
    if not trade.plan.get("take_profits") or trade.hands_off or trade.directives.get("reduce_to") is not None:
        return False
    targets = (row for row in known.values() if row.trade == trade.pk and row.role is Role.TAKE_PROFIT)
    return not any(row.was_declined for row in targets)


def _prices(intent: OrderIntent) -> tuple[Decimal | None, Decimal | None]:
    return intent.price, intent.trigger


def _is_of_ours(name: str) -> bool:
    return is_ours(name) or name[:3] in ATTACHED


def _is_stop(intent: OrderIntent) -> bool:
    return intent.reduce_only and intent.trigger is not None


def _trade_of(name: str, known: dict[str, Known]) -> int | None:
    row = known.get(name)
    return row.trade if row is not None else None


def _at(values: list[Decimal], place: int) -> Decimal:
    return values[place] if place < len(values) else ZERO


def _entered(intent: OrderIntent) -> Side:
    return Side.LONG if intent.order_side is OrderSide.BUY else Side.SHORT


def _plan_stop(trade: Trade) -> Decimal:
    return read_plan(trade.plan, MARKETS[trade.symbol], entered=True).stop_price
