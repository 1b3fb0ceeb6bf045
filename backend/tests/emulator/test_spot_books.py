"""The engine beneath a stand-in venue for coins: whatever is done to it, no coin is lost, made or promised twice."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buddy.core.market import ZERO, OrderSide
from emulator.account_books import FeeCoin, Habits
from emulator.orders import Kind, Status, Wish
from emulator.refusals import Refused
from emulator.spot_account import SpotAccount
from emulator.venue import Venue

from .test_venue_books import Clock

BTC = "BTC/USDT"
FIRST = {"USDT": Decimal(2_000), "BTC": Decimal("0.05"), "BNB": Decimal("0.002")}
PRICES = st.integers(600_000, 680_000).map(lambda tenths: Decimal(tenths) / 10)
QUANTITIES = st.integers(2, 60).map(lambda lots: Decimal(lots) / 1000)


def opened(slices: int | None, fee_coin: FeeCoin | None) -> tuple[Venue, SpotAccount]:
    venue = Venue("venue", Clock(), Habits(spot=True, own_book=False))
    account = venue.open_account("key", "secret", wallet=FIRST["USDT"], slices=slices, fee_coin=fee_coin)
    assert isinstance(account, SpotAccount)
    for coin in ("BTC", "BNB"):
        account.credit(FIRST[coin], "TRANSFER", coin)
    return venue, account


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    kind = draw(st.sampled_from(Kind))
    return Wish(
        symbol=BTC,
        order_side=draw(st.sampled_from(OrderSide)),
        kind=kind,
        quantity=draw(QUANTITIES),
        price=draw(PRICES) if kind.executed_as is Kind.LIMIT else None,
        trigger=draw(PRICES) if kind.is_conditional else None,
        time_in_force=draw(st.sampled_from(["GTC", "IOC", "GTX"])) if kind is Kind.LIMIT else "GTC",
    )


ACTIONS = st.one_of(
    st.tuples(st.just("place"), wishes()),
    st.tuples(st.just("pair"), st.sampled_from(OrderSide), QUANTITIES, PRICES, PRICES),
    st.tuples(st.just("price"), PRICES, st.booleans()),
    st.tuples(st.just("cancel"), st.integers(0, 9)),
    st.tuples(st.just("part"), st.integers(0, 9), QUANTITIES),
)


def act(venue: Venue, account: SpotAccount, action: tuple) -> None:
    orders = list(account.open_orders())
    match action:
        case "place", wish:
            account.place(wish)
        case "pair", side, quantity, price, trigger:
            stop = Wish(BTC, side, Kind.STOP_MARKET, quantity, trigger=trigger)
            account.place_pair(stop, Wish(BTC, side, Kind.LIMIT, quantity, price, time_in_force="GTX"), "pair")
        case "price", price, jump:
            venue.set_price(BTC, price, jump=jump)
        case "cancel", which if orders:
            account.cancel(orders[which % len(orders)])
        case "part", which, quantity if orders:
            account.fill_part(orders[which % len(orders)], quantity)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    slices=st.one_of(st.none(), st.integers(0, 99)),
    fee_coin=st.sampled_from([None, FeeCoin("BNB", Decimal(640))]),
    actions=st.lists(ACTIONS, min_size=5, max_size=30),
)
def test_no_coin_is_lost_made_or_promised_twice(slices, fee_coin, actions):
    venue, account = opened(slices, fee_coin)
    for action in actions:
        try:
            act(venue, account, action)
        except Refused:
            continue
        coins_agree(account)
        pairs_agree(account)


def coins_agree(account: SpotAccount) -> None:
    owned = dict(FIRST)
    for trade in account.ledger.trades:
        bought = trade.quantity if trade.order_side is OrderSide.BUY else -trade.quantity
        owned["BTC"] += bought
        owned["USDT"] -= bought * trade.price
        owned[trade.fee_asset] -= trade.fee
    assert account.owned() == owned
    assert account.funds()["BTC"].free >= ZERO
    for order in account.ledger.orders.values():
        assert order.filled == sum((t.quantity for t in account.ledger.trades if t.order_id == order.id), ZERO)
        assert order.status.is_open == (order.key in account.working or order.id in account.armed)


def pairs_agree(account: SpotAccount) -> None:
    for pair in account.pairs.values():
        assert pair.stop.filled + pair.limit.filled <= pair.stop.quantity
        assert pair.is_done == (not pair.stop.status.is_open and not pair.limit.status.is_open)
        if pair.limit.filled:
            assert pair.stop.status is Status.EXPIRED
        if pair.stop.filled:
            assert pair.limit.status is Status.EXPIRED
        if Status.CANCELED in (pair.stop.status, pair.limit.status) and not pair.limit.filled and not pair.stop.filled:
            assert pair.stop.status is pair.limit.status is Status.CANCELED
