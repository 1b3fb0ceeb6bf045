"""The engine beneath all stand-in venues: whatever is done to it, its books agree with each other to the last digit."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buddy.core.market import ZERO, OrderSide
from emulator import rules
from emulator.account import VenueAccount
from emulator.account_books import Habits
from emulator.events import AccountChanged, Event
from emulator.orders import Kind, Protection, Status, Wish
from emulator.refusals import Refused
from emulator.venue import Venue

BTC = "BTC/USDT:USDT"
PRICES = st.integers(600_000, 680_000).map(lambda tenths: Decimal(tenths) / 10)
QUANTITIES = st.integers(2, 60).map(lambda lots: Decimal(lots) / 1000)
BINANCE, BYBIT = Habits(), Habits(own_book=False, protects_position=True, has_budget=False)
BINGX = Habits(own_book=False)


class Clock:
    now = 1_795_262_400_000

    def __call__(self) -> int:
        self.now += 7
        return self.now


def opened(habits: Habits, slices: int | None) -> tuple[Venue, VenueAccount]:
    venue = Venue("venue", Clock(), habits)
    return venue, venue.open_account("key", "secret", wallet=Decimal(2_000), slices=slices)


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    kind, side = draw(st.sampled_from(Kind)), draw(st.sampled_from(OrderSide))
    reduces, whole = draw(st.booleans()), kind.is_conditional and draw(st.booleans())
    target = Protection(Kind.TAKE_PROFIT_MARKET, draw(PRICES))
    return Wish(
        symbol=BTC,
        order_side=side,
        kind=kind,
        quantity=None if whole else draw(QUANTITIES),
        price=draw(PRICES) if kind.executed_as is Kind.LIMIT else None,
        trigger=draw(PRICES) if kind.is_conditional else None,
        reduce_only=reduces and not whole,
        time_in_force=draw(st.sampled_from(["GTC", "IOC", "GTX"])) if kind is Kind.LIMIT else "GTC",
        attached=(target,) if not reduces and not kind.is_conditional and draw(st.booleans()) else (),
    )


ACTIONS = st.one_of(
    st.tuples(st.just("place"), wishes()),
    st.tuples(st.just("price"), PRICES, st.booleans()),
    st.tuples(st.just("cancel"), st.integers(0, 9)),
    st.tuples(st.just("part"), st.integers(0, 9), QUANTITIES),
    st.tuples(st.just("deleverage"), QUANTITIES),
    st.tuples(st.just("fund"), st.sampled_from([Decimal("0.0001"), Decimal("-0.0003")])),
)


def act(venue: Venue, account: VenueAccount, action: tuple) -> None:
    orders = list(account.open_orders())
    match action:
        case "place", wish:
            account.place(wish)
        case "price", price, jump:
            venue.set_price(BTC, price, jump=jump)
        case "cancel", which if orders:
            account.cancel(orders[which % len(orders)])
        case "part", which, quantity if orders:
            account.fill_part(orders[which % len(orders)], quantity)
        case "deleverage", quantity:
            account.deleverage(BTC, quantity)
        case "fund", rate:
            venue.fund(BTC, rate)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    habits=st.sampled_from([BINANCE, BINGX, BYBIT]),
    slices=st.one_of(st.none(), st.integers(0, 99)),
    actions=st.lists(ACTIONS, min_size=5, max_size=30),
)
def test_all_books_of_an_account_tell_the_same(habits, slices, actions):
    venue, account = opened(habits, slices)
    for action in actions:
        try:
            act(venue, account, action)
        except Refused:
            continue
        money_agrees(account)
        orders_agree(venue, account)


def money_agrees(account: VenueAccount) -> None:
    ledger, books = account.ledger, account.sim.books
    assert books.wallet == account.shadow.wallet == sum((row.amount for row in ledger.income), ZERO)
    signed = [t.quantity if t.order_side is OrderSide.BUY else -t.quantity for t in ledger.trades]
    held = account.position(BTC)
    assert sum(signed, ZERO) == (held.quantity if held else ZERO)
    assert books.holdings.keys() == account.shadow.holdings.keys()


def orders_agree(venue: Venue, account: VenueAccount) -> None:
    ledger = account.ledger
    for order in ledger.orders.values():
        assert order.filled == sum((t.quantity for t in ledger.trades if t.order_id == order.id), ZERO)
        assert order.status.is_open == (order.key in account.working or order.id in account.armed)
    for order in ledger.algos.values():
        assert order.filled == ZERO
        assert (order.status is Status.NEW) == (order.id in account.armed)
        assert (order.child is not None) == (order.status in (Status.TRIGGERED, Status.FINISHED))
    for order in account.armed.values():
        assert not rules.is_triggered(order.wish, venue.prices[BTC])


def test_a_venue_waits_for_nobody():
    """One price sets off entry, stop and all that follows before the call is over."""
    venue, account = opened(BINANCE, None)
    account.place(Wish(BTC, OrderSide.BUY, Kind.STOP_MARKET, Decimal("0.01"), trigger=Decimal(65_000)))
    venue.set_price(BTC, Decimal(66_000))
    account.place(Wish(BTC, OrderSide.SELL, Kind.STOP_MARKET, None, trigger=Decimal(63_000)))
    venue.set_price(BTC, Decimal(62_000))
    assert [trade.price for trade in account.ledger.trades] == [Decimal(65_000), Decimal(63_000)]


def test_each_event_tells_what_was_so_after_it():
    """Also where one price sets off several executions at once."""
    venue, account = opened(BINANCE, None)
    told: list[tuple[Decimal, Decimal]] = []
    for lots in (1, 2, 3):
        account.place(Wish(BTC, OrderSide.BUY, Kind.LIMIT, Decimal(lots) / 100, Decimal(63_000 - lots * 100)))

    def listen(event: Event) -> None:
        if isinstance(event, AccountChanged) and event.position:
            told.append((event.wallet, event.position.quantity))

    account.listeners.append(listen)
    venue.set_price(BTC, Decimal(60_000), jump=True)
    assert [quantity for _, quantity in told] == [Decimal("0.01"), Decimal("0.03"), Decimal("0.06")]
    assert len({wallet for wallet, _ in told}) == 3
