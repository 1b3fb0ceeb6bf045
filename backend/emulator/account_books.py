"""The books of one account at a stand-in venue: its money, what is held, and what the simulated exchange did."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from decimal import Decimal

from buddy.core.costs import Costs
from buddy.core.exchange import Balance, Fill, Income, Liquidity, OrderStatus
from buddy.core.margin import maintenance
from buddy.core.market import ZERO, Instrument
from buddy.core.simulated_books import Books, Setup
from buddy.core.simulated_market import SymbolMarket
from buddy.core.simulator import SimulatedExchange
from buddy.core.watching import Watch

from .events import AccountChanged, Event, LeverageChanged, OrderChanged
from .ledger import Ids, Ledger, View
from .orders import HeldPosition, Kind, Protection, Status, VenueIncome, VenueOrder, VenueTrade, Wish
from .prices import SymbolPrices
from .refusals import Reason, Refused

FIRST_LEVERAGE = Decimal(20)


@dataclass(frozen=True, slots=True)
class Habits:
    """What a venue does with conditional orders."""

    own_book: bool = True
    """They have a book and numbers of their own, and what they become when they trigger is another order."""
    children_keep_client_id: bool = True
    protects_position: bool = False
    """Protection sent with an entry is for the whole position; elsewhere for what the entry filled."""
    has_budget: bool = True
    """Reduce-only orders may not add up to more than is held."""


class AccountBooks:
    """`clock` is the venue's time in ms. `prices` and `instruments` are the venue's, shared and live."""

    def __init__(
        self,
        *,
        instruments: Mapping[str, Instrument],
        prices: Mapping[str, SymbolPrices],
        clock: Callable[[], int],
        ids: Ids,
        wallet: Decimal,
        costs: Costs,
        habits: Habits,
        slices: int | None = None,
    ) -> None:
        self.instruments = instruments
        self.prices = prices
        self.clock = clock
        self.ids = ids
        self.sim = SimulatedExchange(instruments, wallet=ZERO, costs=costs, slices=slices)
        self.shadow = Books(ZERO)
        """Replays every fill, to know what each of them realised."""
        self.ledger = Ledger()
        self.working: dict[str, VenueOrder] = {}
        self.protecting: dict[tuple[int, Protection], VenueOrder] = {}
        self.armed: dict[int, VenueOrder] = {}
        """Conditional orders that wait for their trigger."""
        self.listeners: list[Callable[[Event], None]] = []
        self.is_walking = False
        self.dual = False
        self.held_sides: dict[str, str] = {}
        self.touched: dict[str, int] = {}
        self.habits = habits
        self.first_margin_mode = "cross"
        self.stuck_triggers = 0
        """So many conditional orders will trigger and never reach the book."""
        self.credit(wallet, "TRANSFER")

    # Money

    def credit(self, amount: Decimal, kind: str) -> None:
        """Money from outside (or to it)."""
        self.sim.books.wallet += amount
        self.shadow.wallet += amount
        self._pay(kind, "", amount, self.clock())
        self._tell_account("DEPOSIT" if amount >= 0 else "WITHDRAW", amount, None)

    def balance(self) -> Balance:
        for symbol in self.sim.books.holdings:
            self._bring_up(symbol)
        return self.sim.balance()

    def position(self, symbol: str) -> HeldPosition | None:
        held = self.sim.books.holdings.get(symbol)
        if held is None:
            return None
        setup, mark = self.setup(symbol), self.prices[symbol].mark_price
        return HeldPosition(
            symbol=symbol,
            quantity=held.quantity * held.side.sign,
            entry=held.average,
            mark=mark,
            unrealised=held.unrealised(mark),
            liquidation=self.sim.liquidation(symbol),
            leverage=setup.leverage,
            margin_mode=setup.margin_mode,
            margin=self.sim.books.margin(symbol),
            maintenance=maintenance(held.instrument, held.value(held.quantity, mark)),
            position_side=self.held_sides.get(symbol, "BOTH"),
            updated=self.touched.get(symbol, 0),
        )

    def positions(self) -> list[HeldPosition]:
        return [held for symbol in self.sim.books.holdings if (held := self.position(symbol))]

    # Settings

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Raises Refused beyond what the symbol allows."""
        if not 1 <= leverage <= self.instruments[symbol].max_leverage:
            raise Refused(Reason.LEVERAGE)
        self.sim.books.setups[symbol] = Setup(leverage, self.setup(symbol).margin_mode)
        self._publish(LeverageChanged(symbol, leverage, self.clock()))

    def set_margin_mode(self, symbol: str, mode: str) -> None:
        """Raises Refused when it is so already, or while orders or a position of the symbol are open."""
        if self.setup(symbol).margin_mode == mode:
            raise Refused(Reason.MARGIN_MODE_SAME)
        if any(order.wish.symbol == symbol for order in self.open_orders()):
            raise Refused(Reason.MARGIN_MODE_ORDERS)
        if symbol in self.sim.books.holdings:
            raise Refused(Reason.MARGIN_MODE_POSITION)
        self.sim.books.setups[symbol] = Setup(self.setup(symbol).leverage, mode)

    def set_dual(self, dual: bool) -> None:
        """Hedge mode, or one-way mode again. Raises Refused when it is so already, or while anything is open."""
        if self.dual is dual:
            raise Refused(Reason.POSITION_MODE_SAME)
        if any(self.open_orders()):
            raise Refused(Reason.POSITION_MODE_ORDERS)
        if self.sim.books.holdings:
            raise Refused(Reason.POSITION_MODE_POSITION)
        self.dual = dual

    def setup(self, symbol: str) -> Setup:
        return self.sim.books.setups.setdefault(symbol, Setup(FIRST_LEVERAGE, self.first_margin_mode))

    # What is there

    def open_orders(self) -> Iterator[VenueOrder]:
        return iter([*self.working.values(), *self.armed.values()])

    def view(self, lag_ms: int) -> View:
        """What is, or with a lag what was."""
        now = self.clock()
        if not lag_ms:
            return View(now, tuple(self.open_orders()), tuple(self.positions()))
        return self.ledger.view(now - lag_ms)

    def is_idle(self, symbol: str) -> bool:
        return symbol not in self.sim.books.holdings and not any(o.wish.symbol == symbol for o in self.open_orders())

    def _bring_up(self, symbol: str) -> None:
        """The simulated market stands where the venue's price is, at the venue's time."""
        prices, now = self.prices[symbol], self.clock()
        if symbol not in self.sim.markets or (self.is_idle(symbol) and not self.is_walking):
            self.sim.markets[symbol] = SymbolMarket(prices.last, now, prices.mark)
        market = self.sim.markets[symbol]
        market.time = max(market.time, now)

    def _order(self, wish: Wish, number: int, client_id: str = "") -> VenueOrder:
        now = self.clock()
        return VenueOrder(number, wish, client_id or wish.client_id, now, now)

    # What the simulated exchange did

    def _absorb(self) -> None:
        rows, self.sim.log = [each.row for each in self.sim.log], []
        for row in rows:
            if isinstance(row, Fill):
                self._book_fill(row)
            else:
                self._book_funding(row)
        for key, order in list(self.working.items()):
            if key in self.sim.closed:
                self._end(order, self.sim.closed[key].status)

    def _book_fill(self, fill: Fill) -> None:
        order = self.working.get(fill.client_id) or self._liquidation_order(fill)
        before = self.shadow.wallet
        self.shadow.execute(self.instruments[fill.symbol], fill.order_side, fill.quantity, fill.price, fill.fee)
        change = self.shadow.wallet - before
        order.filled += fill.quantity
        order.value += fill.quantity * fill.price
        order.status = Status.FILLED if order.filled == order.quantity else Status.PARTIALLY_FILLED
        order.updated = self.touched[fill.symbol] = fill.time
        self._keep_side(fill.symbol, order.wish.position_side)
        trade = self._trade(order, fill, change + fill.fee)
        self.ledger.trades.append(trade)
        self._pay("REALIZED_PNL", fill.symbol, trade.realised, fill.time, trade.id)
        self._pay("COMMISSION", fill.symbol, -fill.fee, fill.time, trade.id)
        self._tell_account("ORDER", change, fill.symbol)
        self._tell(order, "TRADE", trade)
        self._protect(order)

    def _protect(self, order: VenueOrder) -> None:
        """What came attached to an entry is placed at its first fill, and grows with the others."""
        for protection in order.wish.attached:
            placed = self.protecting.get((order.id, protection))
            if placed is not None and placed.id in self.armed:
                placed.wish = replace(placed.wish, quantity=self._protected(order))
            elif placed is None:
                self._place_protection(order, protection)

    def _protected(self, order: VenueOrder) -> Decimal | None:
        return None if self.habits.protects_position else order.filled

    def _place_protection(self, order: VenueOrder, protection: Protection) -> None:
        placed = self._arm_protection(order.wish, protection, self._protected(order), str(order.id))
        self.protecting[order.id, protection] = placed

    def _arm_protection(
        self, entry: Wish, protection: Protection, quantity: Decimal | None, attached: str
    ) -> VenueOrder:
        """Against a position entered like `entry`. One for the whole position replaces the one there is."""
        wish = Wish(
            symbol=entry.symbol,
            order_side=entry.order_side.opposite,
            kind=protection.kind,
            quantity=quantity,
            price=protection.price,
            trigger=protection.trigger,
            trigger_by=protection.trigger_by,
            reduce_only=True,
            position_side=entry.position_side,
            note={"attached": attached},
        )
        for other in [each for each in self.armed.values() if quantity is None and alike(each.wish, wish)]:
            self._disarm(other, Status.CANCELED)
        placed = self._order(wish, next(self.ids.algos if self.habits.own_book else self.ids.orders))
        self._arm(placed)
        return placed

    def _arm(self, order: VenueOrder) -> None:
        self._bring_up(order.wish.symbol)
        self.armed[order.id] = order
        self._enter(order)
        self.sim.watch(self._watches())
        self._tell(order, "NEW")

    def _enter(self, order: VenueOrder) -> None:
        algo = self.habits.own_book and order.wish.kind.is_conditional
        (self.ledger.algos if algo else self.ledger.orders)[order.id] = order

    def _watches(self) -> dict[str, Watch]:
        levels: dict[str, set[Decimal]] = {}
        for order in self.armed.values():
            levels.setdefault(order.wish.symbol, set()).add(order.wish.trigger or ZERO)
        return {symbol: Watch(frozenset(prices)) for symbol, prices in levels.items()}

    def _trade(self, order: VenueOrder, fill: Fill, realised: Decimal) -> VenueTrade:
        return VenueTrade(
            id=next(self.ids.trades),
            order_id=order.id,
            client_id=order.client_id,
            symbol=fill.symbol,
            order_side=fill.order_side,
            price=fill.price,
            quantity=fill.quantity,
            fee=fill.fee,
            realised=realised,
            maker=fill.liquidity is Liquidity.MAKER,
            time=fill.time,
            position_side=order.wish.position_side,
            liquidation=fill.liquidation,
        )

    def _liquidation_order(self, fill: Fill) -> VenueOrder:
        """The venue's own order, with a client id that nobody else may use."""
        wish = Wish(fill.symbol, fill.order_side, Kind.LIMIT, fill.quantity, fill.price, time_in_force="IOC")
        order = self._order(wish, next(self.ids.orders), f"autoclose-{fill.time}")
        order.liquidation = True
        self._enter(order)
        return order

    def _book_funding(self, row: Income) -> None:
        self.shadow.wallet += row.amount
        self._pay("FUNDING_FEE", row.symbol, row.amount, row.time)
        self._tell_account("FUNDING_FEE", row.amount, row.symbol)

    def _keep_side(self, symbol: str, position_side: str) -> None:
        if symbol in self.sim.books.holdings:
            self.held_sides[symbol] = position_side
        else:
            self.held_sides.pop(symbol, None)

    def _end(self, order: VenueOrder, status: OrderStatus) -> None:
        del self.working[order.key]
        if status is not OrderStatus.FILLED:
            order.status = Status.CANCELED if status is OrderStatus.CANCELLED else Status.EXPIRED
            order.updated = self.clock()
            self._tell(order, order.status.value)
        parent = self.ledger.algos.get(order.parent or 0)
        if parent is not None and parent.status is Status.TRIGGERED:
            self._disarm(parent, Status.FINISHED)

    def _disarm(self, order: VenueOrder, status: Status) -> None:
        self.armed.pop(order.id, None)
        order.status, order.updated = status, self.clock()
        self._tell(order, status.value)

    # Telling

    def _pay(self, kind: str, symbol: str, amount: Decimal, time: int, trade_id: int | None = None) -> None:
        if amount:
            asset = self.instruments[symbol].settle if symbol else "USDT"
            row = VenueIncome(next(self.ids.payments), kind, symbol, asset, amount, time, trade_id)
            self.ledger.income.append(row)

    def _tell(self, order: VenueOrder, execution: str, trade: VenueTrade | None = None) -> None:
        self._publish(OrderChanged(copy(order), execution, self.clock(), trade))

    def _tell_account(self, reason: str, change: Decimal, symbol: str | None) -> None:
        position = (self.position(symbol) or self._flat(symbol)) if symbol else None
        self._publish(AccountChanged(reason, self.sim.books.wallet, change, position, self.clock()))

    def _publish(self, event: Event) -> None:
        for listener in list(self.listeners):
            listener(event)

    def _flat(self, symbol: str) -> HeldPosition:
        setup, mark = self.setup(symbol), self.prices[symbol].mark_price
        return HeldPosition(
            symbol, ZERO, ZERO, mark, ZERO, None, setup.leverage, setup.margin_mode, ZERO, ZERO, "BOTH", self.clock()
        )


def alike(other: Wish, wish: Wish) -> bool:
    """Whether both close the position of one symbol in the same way."""
    same = (other.symbol, other.order_side, other.kind.takes_profit)
    return other.closes_position and same == (wish.symbol, wish.order_side, wish.kind.takes_profit)
