"""What must be when nothing has gone wrong for a minute (I11), and when everything is over (I7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import timedelta
from decimal import Decimal, localcontext

from django.utils import timezone

from buddy.core.costs import PRECISE
from buddy.core.errors import CoreError
from buddy.core.exchange import Fill as Told
from buddy.core.exchange import OrderStatus, Role
from buddy.core.manage import step
from buddy.core.market import ZERO, Side
from buddy.exchanges.connect import connect
from buddy.exchanges.models import Account
from buddy.prepared import Select, Update
from buddy.trading import adopted, caution, executor, rounds
from buddy.trading.books import was_declined
from buddy.trading.case import Case
from buddy.trading.cases import cases
from buddy.trading.executor import NotNow
from buddy.trading.figures import kept
from buddy.trading.lease import leased
from buddy.trading.ledger import Ledger
from buddy.trading.models import Fill, ForeignPosition, Income, Order, Trade
from buddy.trading.states import LIVE, RESTING, WORKING

from . import invariants
from .at_once import not_as_planned, not_booked
from .books import WALLET, Book
from .coin_endings import all_is_sold, held_is_there, money_agrees, sales_are_whole, too_few_to_close
from .coin_witness import CoinWitness
from .invariants import Broken
from .markets import EVERY
from .sight import ATTACHED, accounts_for
from .witness import Witness
from .world import World

_ACCOUNT = Select(lambda account: Account.objects.filter(pk=account))
_WORKING = Select(lambda account: Trade.objects.filter(account_id=account, status__in=WORKING))
_CLOSED = Select(lambda account: Trade.objects.filter(account_id=account, status=Trade.Status.CLOSED))
_ORDERS = Select(lambda account: Order.objects.filter(account_id=account))
_LIVE = Select(
    lambda account: Order.objects.filter(account_id=account, status__in=LIVE, is_attached=False).values_list(
        "client_id", "status", "trade__hands_off", "symbol", "exchange_id", "child_id", "trigger"
    )
)
_FILLS = Select(lambda account: Fill.objects.filter(account_id=account))
_INCOME = Select(lambda account: Income.objects.filter(account_id=account))
_NOBODYS = Select(lambda account: ForeignPosition.objects.filter(account_id=account))
_SET = Update(lambda account: Account.objects.filter(pk=account))
MISSED_AT_MOST = timedelta(minutes=1)


def as_planned(world: World) -> None:
    for number, witness in enumerate(world.witnesses):
        (account,) = _ACCOUNT.rows(account=world.accounts[number])
        witness.seen += _facts_hold(witness)
        witness.seen += _rows_are_settled(account, world.books[number])
        if isinstance(witness, CoinWitness):
            witness.seen += sales_are_whole(account, witness.book, witness)
        else:
            witness.seen += _exits_are_whole(account, world.books[number])
        witness.seen += _nothing_is_wanted(account)


def _managed(account: Account) -> Iterator[Trade]:
    return (trade for trade in _WORKING.rows(account=account.pk) if not trade.hands_off)


def _facts_hold(witness: Witness) -> Iterator[Broken]:
    for each in invariants.broken(witness.facts()):
        yield not_as_planned(each.subject, f"still {each.name}: {each.sentence}")


def _rows_are_settled(account: Account, book: Book) -> Iterator[Broken]:
    if account.trouble:
        yield not_as_planned("account", f"still in trouble: {account.trouble}")
    for trade in _managed(account):
        for name in ("naked_since", "mismatch_since"):
            if getattr(trade, name) is not None:
                yield not_as_planned(f"trade {trade.pk}", f"trade {trade.pk} still has {name}")
    live = _LIVE.rows(account=account.pk)  # what was never sent waits for the trader where he keeps his hands on it
    ours = {
        accounts_for(book, name, symbol, number or child, trigger)
        for name, status, hands_off, symbol, number, child, trigger in live
        if not (hands_off and status == OrderStatus.INTENDED)
    }
    there = {intent.client_id for _, intent, _ in book.resting() if intent.client_id.startswith("tb")}
    for name in ours ^ there:
        where = "our rows only" if name in ours else "the venue only"
        yield not_as_planned(name, f"{name} rests in {where}")


def _nothing_is_wanted(account: Account) -> list[Broken]:
    found = list(_unfinished(account))
    if not found:
        return found
    rounds.look_when_asked(account.pk)  # a rule of time may have become due since the last look
    return list(_unfinished(account))


def _unfinished(account: Account) -> Iterator[Broken]:
    with leased(account.pk, 40.0) as lease:
        ledger = Ledger(lease.account(), connect(account), lease)
        reading = ledger.read()
        found = cases(ledger, reading)
        for case in found:
            wanted = caution.allowed(
                step(case.position, case.working, case.market, case.within_reach, case.exits), case
            )
            if wanted and not case.trade.hands_off:
                yield not_as_planned(f"trade {case.trade.pk}", f"trade {case.trade.pk} still wants {wanted}")
        if account.is_spot:
            yield from held_is_there(found, reading)
            return
        held = _believed(account, found, {(position.symbol, position.side) for position in reading.positions})
        for position in reading.positions:
            known = held.pop((position.symbol, position.side), ZERO)
            if known != position.quantity:
                sentence = f"{position.quantity} {position.symbol} {position.side} is held, and we know of {known}"
                yield not_as_planned(position.symbol, sentence)
        for key, quantity in held.items():
            if quantity:
                yield not_as_planned(key[0], f"we believe in {quantity} of {key}, and nothing is held")


def _believed(
    account: Account, found: Iterable[Case], there: Collection[tuple[str, Side]]
) -> dict[tuple[str, Side], Decimal]:
    """Contracts by symbol and side that are held by what we know, ours and nobody's."""
    held: dict[tuple[str, Side], Decimal] = defaultdict(Decimal)
    for case in found:
        held[case.trade.symbol, case.position.side] += case.position.held
    for row in _NOBODYS.rows(account=account.pk):
        if not _is_missed(row, there):
            held[row.symbol, Side(row.side)] += row.quantity
    return held


def _is_missed(row: ForeignPosition, there: Collection[tuple[str, Side]]) -> bool:
    """Nobody believes in what is told to be not listed any more, and is kept for a while only to bar the other way."""
    waits = row.gone_since is not None and timezone.now() - row.gone_since < MISSED_AT_MOST
    return waits and (row.symbol, Side(row.side)) not in there


def _exits_are_whole(account: Account, book: Book) -> Iterator[Broken]:
    """One stop for all of it, and targets for all of it where the plan has any: counted at the venue, by our rows."""
    for trade in (each for each in _managed(account) if each.status == Trade.Status.OPEN):
        orders = [order for order in _ORDERS.rows(account=account.pk) if order.trade_id == trade.pk]
        rows = {accounts_for(book, o.client_id, o.symbol, o.exchange_id or o.child_id, o.trigger): o for o in orders}
        fills = [fill for fill in _FILLS.rows(account=account.pk) if fill.trade_id == trade.pk]
        held = sum((f.quantity if f.order_side != _exit(trade) else -f.quantity for f in fills), ZERO)
        left = {role: _left(book, rows, role) for role in (Role.STOP, Role.TAKE_PROFIT)}
        if left[Role.STOP] != held and not _nets(book, rows, "sl-"):
            yield not_as_planned(f"stop of {trade.pk}", f"trade {trade.pk} holds {held}, its stops {left[Role.STOP]}")
        declined = any(row.role == Role.TAKE_PROFIT and was_declined(row) for row in rows.values())
        wanted = trade.plan["take_profits"] and not declined and "reduce_to" not in trade.directives
        if wanted and left[Role.TAKE_PROFIT] != held and not _nets(book, rows, "tp-"):
            sentence = f"trade {trade.pk} holds {held}, its targets {left[Role.TAKE_PROFIT]}"
            yield not_as_planned(f"targets of {trade.pk}", sentence)


def _exit(trade: Trade) -> str:
    return Side(trade.side).exit_order_side


def _left(book: Book, rows: dict[str, Order], role: Role) -> Decimal:
    return sum(
        (left for _, intent, left in book.resting() if getattr(rows.get(intent.client_id), "role", "") == role), ZERO
    )


def _nets(book: Book, rows: dict[str, Order], prefix: str) -> bool:
    """Whether what travelled with an entry still rests."""
    return any(intent.client_id[:3] == prefix and intent.client_id[3:] in rows for _, intent, _ in book.resting())


def close_all(world: World) -> None:
    """By the trader here, and by hand what is nobody's."""
    for number, pk in enumerate(world.accounts):
        _SET({"state": Account.State.ACTIVE}, account=pk)
        for trade in _with_their_account(pk):
            _close(world, trade)
        book = world.books[number]
        for row in _NOBODYS.rows(account=pk):
            side, quantity = Side(row.side), min(row.quantity, book.held(row.symbol, Side(row.side)))
            if quantity:
                book.by_hand(side.exit_order_side, quantity, row.symbol, reduce_only=True)


def _with_their_account(account: int) -> list[Trade]:
    trades = _WORKING.rows(account=account)
    for trade in trades:
        (trade.account,) = _ACCOUNT.rows(account=account)
    return trades


def _close(world: World, trade: Trade) -> None:
    actions: list[Callable[[], object]] = [
        lambda: executor.close(trade, Decimal(1)),
        lambda: executor.withdraw_entry(trade),
    ]
    if trade.hands_off:
        actions.insert(0, lambda: executor.hands_off(trade, False))
    for act in actions:
        try:
            act()
        except (NotNow, CoreError) as answer:
            world.tell(f"closing trade {trade.pk}: {answer}")


def books_agree(world: World) -> None:
    for number, witness in enumerate(world.witnesses):
        (account,), book = _ACCOUNT.rows(account=world.accounts[number]), world.books[number]
        if not (isinstance(witness, CoinWitness) and too_few_to_close(witness.book, witness)):
            witness.seen += _all_is_over(account, book)
        witness.seen += _fills_agree(account, book)
        if isinstance(witness, CoinWitness):
            witness.seen += all_is_sold(account, world.ways, witness)
            witness.seen += money_agrees(account, witness.book)
        else:
            witness.seen += _money_agrees(account, book)


def _all_is_over(account: Account, book: Book) -> Iterator[Broken]:
    for trade in _WORKING.rows(account=account.pk):
        yield not_as_planned(f"trade {trade.pk}", f"trade {trade.pk} cannot be ended: {trade.status}")
    for key in () if account.is_spot else book.holdings():
        yield not_as_planned(f"{key}", f"{book.held(*key)} of {key} is still held")
    for _, intent, _ in book.resting():
        if intent.client_id.startswith("tb") or intent.client_id[:3] in ATTACHED:
            yield Broken("I5", intent.client_id, f"{intent.client_id} rests when all is over")
    for order in _ORDERS.rows(account=account.pk):
        if order.status in (*RESTING, OrderStatus.UNKNOWN):
            yield not_as_planned(order.client_id, f"{order.client_id} is {order.status} when all is over")


def _fills_agree(account: Account, book: Book) -> Iterator[Broken]:
    """Each execution once, whole, at its price and with its fee."""
    ours: dict[str, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO, ZERO])
    for row in _FILLS.rows(account=account.pk):
        if row.fill_id.startswith(adopted.PREFIX) or row.raw.get("taken"):
            continue
        sums = ours[row.fill_id.split("/")[0]]
        sums[:] = sums[0] + row.quantity, sums[1] + row.fee, row.price, sums[3] + row.withheld
    venues = {row.fill_id: row for _, row in book.told if isinstance(row, Told)}
    for name in sorted(ours.keys() | venues.keys()):
        theirs = venues.get(name)
        said = [theirs.quantity, theirs.fee, theirs.price, theirs.withheld] if theirs is not None else None
        mine = ours.get(name)
        if said is None or mine is None or said != mine:
            yield from not_booked(f"execution {name}", mine, said)


def _money_agrees(account: Account, book: Book) -> Iterator[Broken]:
    fills, income = _FILLS.rows(account=account.pk), _INCOME.rows(account=account.pk)
    with localcontext(PRECISE):  # a venue's liquidation has a price of 28 digits
        real = [fill for fill in fills if not fill.raw.get("adopted")]
        change = _flow(real) + sum((row.amount for row in income), ZERO)
        if change != book.wallet - WALLET:
            yield from not_booked("the wallet's change", change, book.wallet - WALLET)
        for trade in _CLOSED.rows(account=account.pk):
            own = [fill for fill in fills if fill.trade_id == trade.pk]
            net = _flow(own) + sum((row.amount for row in income if row.trade_id == trade.pk), ZERO)
            # averages that were adopted are long
            yield from not_booked(f"net of trade {trade.pk}", trade.net, kept(net))


def _flow(fills: list[Fill]) -> Decimal:
    """Money in, less money out, less fees."""
    total = ZERO
    for fill in fills:
        value = EVERY[fill.symbol].notional(fill.price, fill.quantity)
        total += (value if fill.order_side == "sell" else -value) - fill.fee
    return total
