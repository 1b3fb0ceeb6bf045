"""Sees everything that happens to one account, at the venue and in our rows, and holds it against the invariants."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import Decimal

from buddy.core.exchange import OrderIntent, OrderKind, OrderStatus, Role
from buddy.core.holding import Cause
from buddy.core.market import ZERO, Side
from buddy.core.plan_document import read_plan
from buddy.events.models import Event
from buddy.exchanges.models import VenueFacts
from buddy.prepared import Select
from buddy.trading import adopted
from buddy.trading.books import intent_of, unbounded
from buddy.trading.client_ids import is_ours
from buddy.trading.models import Fill, ForeignPosition, Order, Trade
from buddy.trading.moments import to_ms

from . import at_once, invariants
from .at_once import Asked
from .books import Book, Executed, Key, leaves
from .clock import SECOND
from .failing import Fate
from .invariants import Broken, Rests, Row, Wish
from .line import SETTLES
from .markets import EVERY, costs_at
from .rules import Rules
from .sight import WORKED_ON, Known, Sight, Unchanged, accounts_for, entered_by, is_of_ours, prices

SEEN_WITHIN = 3 * SECOND
"""Who reads after a hand has done something sees it."""
ROUND = 12 * SECOND
"""The next look comes so soon, whatever wakes nobody: what a hand does to an order is told by lists only."""

_BOOKED = Select(
    lambda account: (
        Fill.objects.filter(account_id=account, order__is_attached=False)
        .exclude(fill_id__startswith=adopted.PREFIX)
        .values_list(
            "order__client_id", "order__symbol", "order__exchange_id", "order__child_id", "order__trigger", "quantity"
        )
    )
)
_ORDER_OF = Select(lambda name: Order.objects.filter(client_id=name))
_TRADE_OF = Select(lambda trade: Trade.objects.filter(pk=trade))
_NOBODYS = Select(
    lambda account: ForeignPosition.objects.filter(
        account_id=account, confirmed=True, gone_since__isnull=True
    ).values_list("pk", "symbol", "side")
)


class Witness(Sight):
    """`seen` are the invariants that were broken, in order."""

    def __init__(self, account: int, book: Book, fate: Fate, rules: Rules, writes: Counter[str]) -> None:
        """`writes`: to our database, by table."""
        super().__init__(account, book, rules, writes)
        self.fate = fate
        self._booked = Unchanged(self._read_booked, writes, "trading_order", "trading_fill")
        self._told = Unchanged(self._read_told, writes, "trading_foreignposition")
        self.seen: list[Broken] = []
        self.others: dict[Key, int] = {}
        """When something was held last that our orders had not made."""
        self.nobodys: set[int] = set()
        self.refusals: Counter[Wish] = Counter()
        self.since: dict[tuple[str, str], int] = {}
        self.even: dict[int, Decimal] = {}
        """By trade: what had entered as far as our rows knew when the trader last asked for break-even."""
        self.decided: dict[tuple[int, Decimal], Decimal] = {}
        """By trade and stop, how much had entered when that was decided."""
        self.by_hand: dict[Key, int] = {}
        """When a hand took a stop away last."""
        self.unread: dict[str, int] = {}
        self.missed: dict[str, int] = {}
        """By position: when a hand took a stop away that no reading could miss yet, and when one could first."""
        self.read_at = 0
        self.entered: dict[Key, Decimal] = defaultdict(Decimal)
        """When the account was read last, and what of ours has entered since."""
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
        if is_of_ours(one.name):
            self.seen += at_once.crossed(one.name, left[1], one.before, one.after, self.ours[left])
            self.ours[left] = max(self.ours[left] - leaves, ZERO)
            self.entered[entered] += enters
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

    def asks_for_even(self, trade: Trade) -> None:
        self.even[trade.pk] = _contracts(_entries(trade))

    def sent(self, intent: OrderIntent) -> None:
        row = _with_its_trade(intent.client_id)
        exits = leaves(intent)
        side = self.book.side_of(self.book.place_of(intent), intent) if exits else entered_by(intent)
        tightest = None if row is None else self.tightest.get(row.trade_id)
        plan = None if row is None else _plan_stop(row.trade)
        self.seen += at_once.wrong_with(
            Asked(
                intent.client_id,
                Side(row.trade.side) if row is not None else side,
                intent.order_side,
                OrderKind(intent.kind),
                intent.quantity,
                intent.trigger,
                exits,
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
        told = VenueFacts.objects.get(account_id=self.account).position_mode
        if told != row.account.position_mode:
            self.seen.append(Broken("I8", row.client_id, f"trade {trade.pk} enters in {told} mode"))
        if there.leverage < trade.leverage or there.margin_mode != trade.margin_mode:
            sentence = f"trade {trade.pk} enters under {there}, and wants {trade.leverage:f}x {trade.margin_mode}"
            self.seen.append(Broken("I8", row.client_id, sentence))

    def _earns_its_costs(self, row: Order, trigger: Decimal) -> None:
        """I10: a stop at break-even loses nothing but slippage, as far as our rows know what it cost."""
        rule = row.trade.plan.get("rules", {}).get("break_even") or {}
        entries = _entries(row.trade)
        entered = _contracts(entries)
        if row.trade.directives.get("stop_cause") == Cause.BREAK_EVEN and self.even.get(row.trade_id) != entered:
            return  # the trader's own level, of a position that was smaller as far as anybody knew
        if self.decided.get((row.trade_id, trigger), entered) != entered:
            return  # decided when less had entered, and sent now: it never goes back
        added = any(fill.order_id is None for fill in entries)  # by a hand, maybe after the trader had set the level
        is_kept = row.trade.orders.filter(trigger=trigger).exclude(pk=row.pk).exists()  # only its quantity changes
        if rule.get("cover") == "entry" or not entered or is_kept or added:
            return
        held = entered - sum((fill.withheld for fill in entries), ZERO)
        paid = sum((fill.quantity * fill.price for fill in entries), ZERO) / held
        units, taker = EVERY[row.symbol].contract_size, costs_at(self.book.seat.venue).taker
        paid_fees = sum((ZERO if fill.withheld else fill.fee for fill in entries), ZERO)
        fees = paid_fees / held + trigger * units * taker
        gain = Side(row.trade.side).sign * (trigger - paid) * units - fees
        if gain < 0:
            self.seen.append(Broken("I10", row.client_id, f"a stop at break-even ({trigger}) loses {-gain} a contract"))

    def cancelled(self, name: str) -> None:
        """I6: what is not ours is left alone."""
        if not is_of_ours(name):
            self.seen.append(Broken("I6", name, f"{name} is not ours and was cancelled"))
        found = [(place, intent) for place, intent, _ in self.book.resting() if intent.client_id == name]
        for place, intent in found:
            key = (intent.symbol, self.book.side_of(place, intent))
            is_only = _is_stop(intent) and not self._other_stops(key, name)
            if is_only and self.ours[key] > self.slack(key) and not (self.is_the_hands(key) or self._is_unread(key)):
                self.seen.append(Broken("I1", name, f"the only stop of {self.ours[key]} {key} was cancelled"))

    def was_read(self) -> None:
        self.read_at = self.book.clock.now
        self.missed |= dict.fromkeys(self.unread, self.read_at)
        self.unread.clear()
        self.entered.clear()

    def _is_unread(self, key: Key) -> bool:
        """Whether nobody can know yet of what is held: all of it has entered since the last reading."""
        return self.ours[key] <= self.entered[key]

    def _other_stops(self, key: Key, name: str) -> bool:
        return any(
            _is_stop(intent) and (intent.symbol, self.book.side_of(place, intent)) == key and intent.client_id != name
            for place, intent, _ in self.book.resting()
        )

    def is_the_hands(self, key: Key) -> bool:
        """Whether a hand has just taken the other stop away, or what is held is the hand's to protect."""
        hands = (t for t in WORKED_ON.rows(account=self.account) if t.hands_off and (t.symbol, Side(t.side)) == key)
        unseen_since = min(self.book.clock.now - SEEN_WITHIN, self.read_at)  # a slow line takes longer
        return self.by_hand.get(key, 0) >= unseen_since or any(True for _ in hands)

    def taken_by_hand(self, place: str, intent: OrderIntent) -> None:
        """A hand has cancelled a stop, which may have been the new one that another was to make way for."""
        if _is_stop(intent):
            side = self.book.side_of(place, intent)
            self.by_hand[intent.symbol, side] = self.unread[f"{intent.symbol} {side}"] = self.book.clock.now
        if self.book.hidden.get(intent.client_id, 0) > self.book.clock.now:  # missed only when it would have been told
            self.fate.excuse(SETTLES)

    def lost(self, intent: OrderIntent) -> None:
        """The request of a target or of a close has not arrived: only when that is sure may it be sent again."""
        if leaves(intent) and intent.trigger is None:
            side = self.book.side_of(self.book.place_of(intent), intent)
            what = "leaving" if intent.price is None else "targets of"
            self.leaving[f"{what} {intent.symbol} {side}"] = self.book.clock.now

    def refused(self, intent: OrderIntent) -> None:
        row = _ORDER_OF.first(name=intent.client_id)
        if row is not None:
            wish = (row.trade_id, Role(row.role), row.leg, *prices(intent))
            self.refusals[wish] += 1
            self.seen += at_once.tried_in_vain(f"{row.role} {row.leg} of trade {row.trade_id}", self.refusals[wish])

    def accepted(self, name: str) -> None:
        """I4: one name, one order.

        Only a stop is sent again before the first can arrive no more, with what is paired with it. Where a venue knows
        the names of what rests only, the first is taken, too, when it comes after the second has gone; it only reduces,
        and goes with the next look.
        """
        row = _ORDER_OF.first(name=name)
        stop = row.paired_with or row if row is not None else None
        sent_again = stop is not None and stop.role == Role.STOP and int(stop.raw.get("sends", 1)) > 1
        if is_ours(name) and name in self.names and not sent_again:
            self.seen.append(Broken("I4", name, f"the venue took {name} twice"))
        self.names.add(name)
        if row is not None and row.status == OrderStatus.REJECTED:
            self.given_up.add(name)

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
            key, told = (symbol, Side(side)), self._told_at(number)
            others = told if self.book.held(*key) > self.ours[key] else self.others.get(key)
            self.seen += at_once.told_as_nobodys(f"{symbol} {side}", None if others is None else told - others)

    def _told_at(self, number: int) -> int:
        """A step may be as long as a process stands still, and another one told of it long ago."""
        told = Event.objects.filter(account_id=self.account, kind="foreign_position", data__id=number)
        return to_ms(told.latest("id").created_at)

    def _count_executions(self) -> None:
        """I7: of each order of ours."""
        executed: dict[str, Decimal] = defaultdict(Decimal)
        for one in self.book.executed:
            executed[one.name] += one.fill.quantity
        for name, quantity in self._booked().items():
            self.seen += at_once.booked_twice(name, quantity, executed[name])

    def _beyond_patience(self, found: Iterable[Broken], now: int) -> list[Broken]:
        keyed = {(each.name, each.subject): each for each in found}
        self.since = {key: self.since.get(key, now) for key in keyed}
        late = []
        for key, each in keyed.items():
            began = max(self.since[key], self.fate.excused_until, self.leaving.get(each.subject, 0))
            began = max(began, self.rules.excused_until(each.symbol)) if each.symbol else began
            began = max(began, self._missed_at(each.subject)) if each.name == "I1" else began
            if not each.may_last or now - began > each.may_last:
                late.append(each)
        return late

    def _missed_at(self, position: str) -> int:
        """Since when a stop can be missed that a hand has taken away."""
        return max(self.missed.get(position, 0), min(self.unread.get(position, 0) + ROUND, self.book.clock.now))

    def _read_told(self) -> list[tuple[int, str, str]]:
        return _NOBODYS.rows(account=self.account)

    def _read_booked(self) -> dict[str, Decimal]:
        booked: dict[str, Decimal] = defaultdict(Decimal)
        for name, symbol, number, child, trigger, quantity in _BOOKED.rows(account=self.account):
            booked[accounts_for(self.book, name, symbol, number or child, trigger)] += quantity
        return booked

    def _row(self, trade: Trade, known: dict[str, Known], resting: Iterable[Rests]) -> Row:
        tightest = trade.memory.get("tightest_stop")
        if tightest is not None:
            self.decided.setdefault((trade.pk, Decimal(tightest)), Decimal(trade.memory.get("entered", 0)))
        return super()._row(trade, known, resting)

    def _keep_tightest(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row.stop is not None and (row.tightest is None or row.side.better(row.stop, row.tightest)):
                self.tightest[row.number] = row.stop


def _with_its_trade(name: str) -> Order | None:
    row = _ORDER_OF.first(name=name)
    if row is not None:
        (row.trade,) = _TRADE_OF.rows(trade=row.trade_id)
    return row


def _is_stop(intent: OrderIntent) -> bool:
    return leaves(intent) and intent.trigger is not None


def _entries(trade: Trade) -> list[Fill]:
    side = Side(trade.side).entry_order_side
    return [fill for fill in trade.fills.all() if fill.order_side == side]


def _contracts(fills: Iterable[Fill]) -> Decimal:
    return sum((fill.quantity for fill in fills), ZERO)


def _plan_stop(trade: Trade) -> Decimal:
    return read_plan(trade.plan, unbounded(trade.symbol), entered=True).stop_price
