"""The books of one account at a stand-in venue: its money, what is held, and what the simulated exchange did."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from decimal import Decimal

from buddy.core.costs import Costs
from buddy.core.exchange import Balance
from buddy.core.margin import maintenance
from buddy.core.market import ZERO, Instrument
from buddy.core.simulated_books import Books, Setup
from buddy.core.simulated_market import SymbolMarket

from .events import AccountChanged, Event, LeverageChanged, OrderChanged
from .exchange import VenueExchange
from .ledger import Ids, Ledger, View
from .orders import Funds, HeldPosition, Protection, VenueIncome, VenueOrder, VenueTrade, Wish
from .prices import SymbolPrices
from .refusals import Reason, Refused
from .slots import slot_of, slots, symbol_of, with_shorts

FIRST_LEVERAGE = Decimal(20)


@dataclass(frozen=True, slots=True)
class Habits:
    """What a venue does with conditional orders."""

    own_book: bool = True
    """They have a book and numbers of their own, and what they become when they trigger is another order."""
    children_keep_client_id: bool = True
    spot: bool = False
    """Coins are traded, not contracts."""
    protects_position: bool = False
    """Protection sent with an entry is for the whole position; elsewhere for what the entry filled."""
    has_budget: bool = True
    """Reduce-only orders may not add up to more than is held."""


@dataclass(frozen=True, slots=True)
class FeeCoin:
    """Another coin that fees are paid with, from a wallet of its own, at this price in settle currency."""

    asset: str
    price: Decimal


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
        fee_coin: FeeCoin | None = None,
        slices: int | None = None,
    ) -> None:
        self.instruments = instruments
        self.prices = prices
        self.clock = clock
        self.ids = ids
        self.costs = costs
        self.fee_coin = fee_coin
        taken = costs if fee_coin is None else Costs()
        self.sim = VenueExchange(with_shorts(instruments), wallet=ZERO, costs=taken, slices=slices)
        self.shadow = Books(ZERO)
        """Every fill and payment again, one by one: what each of them realised, and what was held after it."""
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

    def relist(self, instrument: Instrument) -> None:
        """It is listed, or under other conditions than before."""
        self.sim.instruments |= with_shorts({instrument.symbol: instrument})

    # Money

    def credit(self, amount: Decimal, kind: str) -> None:
        """Money from outside (or to it)."""
        self.sim.books.wallet += amount
        self.shadow.wallet += amount
        self._pay(kind, "", amount, self.clock())
        self._tell_account("DEPOSIT" if amount >= 0 else "WITHDRAW", amount, None)

    def balance(self) -> Balance:
        for slot in self.sim.books.holdings:
            self._bring_up(slot)
        return self.sim.balance()

    def funds(self) -> Mapping[str, Funds]:
        """On spot: what is owned of each coin."""
        return {}

    def held(self, symbol: str) -> Decimal:
        """What can be left with now, signed."""
        held = self.position(symbol)
        return ZERO if held is None else held.quantity

    def position(self, symbol: str, position_side: str = "") -> HeldPosition | None:
        """Of that side; without one whichever is held, the long first."""
        wanted = [slot_of(symbol, position_side)] if position_side else slots(symbol)
        return next((held for slot in wanted if (held := self._position(slot))), None)

    def _position(self, slot: str) -> HeldPosition | None:
        held, symbol = self.shadow.holdings.get(slot), symbol_of(slot)
        if held is None:
            return None
        setup, mark = self.setup(symbol), self.prices[symbol].mark_price
        return HeldPosition(
            symbol=symbol,
            quantity=held.quantity * held.side.sign,
            entry=held.average,
            mark=mark,
            unrealised=held.unrealised(mark),
            liquidation=self.sim.liquidation(slot),
            leverage=setup.leverage,
            margin_mode=setup.margin_mode,
            margin=held.weight * held.instrument.contract_size / setup.leverage,
            maintenance=maintenance(held.instrument, held.value(held.quantity, mark)),
            position_side=self.held_sides.get(slot, "BOTH"),
            updated=self.touched.get(slot, 0),
        )

    def positions(self) -> list[HeldPosition]:
        return [held for slot in self.shadow.holdings if (held := self._position(slot))]

    # Settings

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Raises Refused beyond what the symbol allows."""
        if not 1 <= leverage <= self.instruments[symbol].max_leverage:
            raise Refused(Reason.LEVERAGE)
        self._set_up(symbol, Setup(leverage, self.setup(symbol).margin_mode))
        self._publish(LeverageChanged(symbol, leverage, self.clock()))

    def set_margin_mode(self, symbol: str, mode: str) -> None:
        """Raises Refused when it is so already, or while orders or a position of the symbol are open."""
        if self.setup(symbol).margin_mode == mode:
            raise Refused(Reason.MARGIN_MODE_SAME)
        if any(order.wish.symbol == symbol for order in self.open_orders()):
            raise Refused(Reason.MARGIN_MODE_ORDERS)
        if self.position(symbol):
            raise Refused(Reason.MARGIN_MODE_POSITION)
        self._set_up(symbol, Setup(self.setup(symbol).leverage, mode))

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
        if symbol not in self.sim.books.setups:
            self._set_up(symbol, Setup(FIRST_LEVERAGE, self.first_margin_mode))
        return self.sim.books.setups[symbol]

    def _set_up(self, symbol: str, setup: Setup) -> None:
        self.sim.books.setups |= dict.fromkeys(slots(symbol), setup)

    # What is there

    def open_orders(self) -> Iterator[VenueOrder]:
        return iter([*self.working.values(), *self.armed.values()])

    def view(self, lag_ms: int) -> View:
        """What is, or with a lag what was."""
        now = self.clock()
        if not lag_ms:
            return View(now, tuple(self.open_orders()), tuple(self.positions()), self.funds())
        return self.ledger.view(now - lag_ms)

    def is_idle(self, slot: str) -> bool:
        return slot not in self.sim.books.holdings and not any(o.wish.slot == slot for o in self.open_orders())

    def _bring_up(self, slot: str) -> None:
        """The simulated market stands where the venue's price is, at the venue's time."""
        prices, now = self.prices[symbol_of(slot)], self.clock()
        if slot not in self.sim.markets or (self.is_idle(slot) and not self.is_walking):
            self.sim.markets[slot] = SymbolMarket(prices.last, now, prices.mark)
        market = self.sim.markets[slot]
        market.time = max(market.time, now)

    def _order(self, wish: Wish, number: int, client_id: str = "") -> VenueOrder:
        now = self.clock()
        return VenueOrder(number, wish, client_id or wish.client_id, now, now)

    # Telling

    def _pay(
        self, kind: str, symbol: str, amount: Decimal, time: int, trade_id: int | None = None, asset: str = "USDT"
    ) -> None:
        if amount:
            row = VenueIncome(next(self.ids.payments), kind, symbol, asset, amount, time, trade_id)
            self.ledger.income.append(row)

    def _tell(self, order: VenueOrder, execution: str, trade: VenueTrade | None = None) -> None:
        self._publish(OrderChanged(copy(order), execution, self.clock(), trade))

    def _tell_account(self, reason: str, change: Decimal, symbol: str | None) -> None:
        position = (self.position(symbol) or self._flat(symbol)) if symbol else None
        self._publish(AccountChanged(reason, self.shadow.wallet, change, position, self.clock()))

    def _publish(self, event: Event) -> None:
        for listener in list(self.listeners):
            listener(event)

    def _flat(self, symbol: str) -> HeldPosition:
        setup, mark = self.setup(symbol), self.prices[symbol].mark_price
        return HeldPosition(
            symbol, ZERO, ZERO, mark, ZERO, None, setup.leverage, setup.margin_mode, ZERO, ZERO, "BOTH", self.clock()
        )
