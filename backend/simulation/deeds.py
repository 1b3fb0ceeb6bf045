"""What traders do here, and hands at the venue. What does not fit is refused, which is an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from decimal import Decimal
from random import Random
from typing import Any

from buddy.core.errors import Denied, InvalidPlan, Rejected, Temporary
from buddy.core.exchange import OrderIntent
from buddy.core.market import Instrument, Side
from buddy.exchanges.models import Account
from buddy.prepared import Select
from buddy.trading import adoption, executor
from buddy.trading.client_ids import is_ours
from buddy.trading.executor import NotNow
from buddy.trading.models import ForeignPosition, Trade
from buddy.trading.states import WORKING

from . import at_once, clicks, plans
from .books import Key
from .markets import EVERY, MARKETS, costs_at
from .story import Deed
from .venue import role_of
from .world import World

D = Decimal
PARTS = (("take_profits",), ("rules",), ("stop",), ("take_profits", "rules"), ("entries", "stop", "risk"))
"""What of a plan is amended together."""
ANSWERS = (InvalidPlan, Denied, NotNow, Temporary)
OF_A_CENT = D("0.01")
Doing = Callable[[World, int, Random], str]
_ACCOUNT = Select(lambda account: Account.objects.filter(pk=account))
_TRADES = Select(lambda account: Trade.objects.filter(account_id=account, status__in=WORKING).order_by("pk"))
_NOBODYS = Select(lambda account: ForeignPosition.objects.filter(account_id=account).order_by("pk"))


def done(world: World, deed: Deed) -> None:
    """Do it, and write down what came of it."""
    dice = Random(deed.dice)
    in_web = dice.random() < 0.5
    try:
        if in_web:
            with world.as_web():
                told = TRADERS[deed.kind](world, deed.account, dice)
        else:
            told = TRADERS[deed.kind](world, deed.account, dice)
    except ANSWERS as answer:
        told = f"{type(answer).__name__}: {answer}"
    world.tell(f"[{deed.account}] {deed.kind}: {told}")
    world.changes(deed.account)


def by_hand(world: World, deed: Deed, hands: Mapping[str, Doing]) -> None:
    """`hands`: what they can do at this venue."""
    try:
        told = hands[deed.kind](world, deed.account, Random(deed.dice))
    except Rejected as refusal:  # hands are refused, too: what is held was just taken away by a liquidation, say
        told = f"refused: {refusal}"
    world.tell(f"[{deed.account}] {deed.kind}: {told}")
    world.changes(deed.account)


# --- here ---


def _account(world: World, number: int) -> Account:
    (account,) = _ACCOUNT.rows(account=world.accounts[number])
    return account


def _trade(world: World, number: int, dice: Random) -> Trade:
    found = _TRADES.rows(account=world.accounts[number])
    if not found:
        raise NotNow("There is no trade.")
    trade = dice.choice(found)
    trade.account = _account(world, number)
    return trade


def _known(world: World, symbol: str) -> Instrument:
    """As the trader is shown it."""
    return world.rules.instrument(symbol) or EVERY[symbol]


def _open(world: World, number: int, dice: Random) -> str:
    market = _known(world, dice.choice(list(world.books[number].markets)))
    wanted = plans.document(dice, market, world.ways[market.symbol].last)
    account = _account(world, number)
    wish = clicks.opens(
        account.pk,
        wanted,
        lambda: executor.open_trade(account, wanted),
        lambda trade: _hold_against_risk(world, number, trade),
    )
    return f"{clicks.ask(world, number, wish)}: {wanted}"


def _hold_against_risk(world: World, number: int, trade: Trade) -> None:
    """I8 of what is asked for where the prices of its entries are known."""
    prices = [entry.get("price") or entry.get("trigger") for entry in trade.plan["entries"]]
    if not all(prices) or trade.plan != trade.first_plan:  # a repeated request is answered with what it is by now
        return
    stop, costs = D(trade.plan["stop"]["price"]), costs_at(trade.account.venue)
    loss, units = D(0), EVERY[trade.symbol].contract_size
    for price, quantity in zip(map(D, prices), map(D, trade.quantities), strict=True):
        loss += quantity * units * (abs(price - stop) + stop * (costs.taker + costs.slippage))
    found = at_once.over_risk(f"trade {trade.pk}", loss=loss, most=trade.asked_risk + OF_A_CENT)
    world.witnesses[number].seen += found


def _close(world: World, number: int, dice: Random) -> str:
    trade = _trade(world, number, dice)
    return clicks.ask(world, number, clicks.closes(trade.pk, "1", lambda: executor.close(trade, D(1))))


def _close_part(world: World, number: int, dice: Random) -> str:
    trade, share = _trade(world, number, dice), dice.choice(("0.25", "0.5", "0.9"))
    return clicks.ask(world, number, clicks.closes(trade.pk, share, lambda: executor.close(trade, D(share))))


def _withdraw(world: World, number: int, dice: Random) -> str:
    trade = _trade(world, number, dice)
    return clicks.ask(world, number, clicks.withdraws(trade.pk, lambda: executor.withdraw_entry(trade)))


def _break_even(world: World, number: int, dice: Random) -> str:
    trade = _trade(world, number, dice)
    world.witnesses[number].asks_for_even(trade)
    return clicks.ask(world, number, clicks.breaks_even(trade.pk, lambda: executor.break_even_now(trade)))


def _hands_off(world: World, number: int, dice: Random) -> str:
    return f"{executor.hands_off(_trade(world, number, dice), True).pk}"


def _hands_on(world: World, number: int, dice: Random) -> str:
    trade = _trade(world, number, dice)
    world.witnesses[number].moved_by_the_trader(trade.pk)
    return f"{executor.hands_off(trade, False).pk}"


def _amend(world: World, number: int, dice: Random) -> str:
    trade = _trade(world, number, dice)
    market, wanted = _known(world, trade.symbol), deepcopy(trade.plan)
    fresh = plans.document(dice, market, world.ways[trade.symbol].last)
    names = dice.choice(
        (("take_profits",), ("rules",), ("stop",), ("take_profits", "rules"), ("entries", "stop", "risk"))
    )
    for name in names:
        if name in fresh:
            wanted[name] = fresh[name]
    return _amended(world, number, trade, wanted)


def _move_stop(world: World, number: int, dice: Random) -> str:
    trade = _trade(world, number, dice)
    wanted = deepcopy(trade.plan)
    market, last = _known(world, trade.symbol), world.ways[trade.symbol].last
    wanted["stop"] = wanted["stop"] | {"price": plans.stop_near(dice, market, last, Side(trade.side))}
    return _amended(world, number, trade, wanted)


def _amended(world: World, number: int, trade: Trade, wanted: dict[str, Any]) -> str:
    wish = clicks.amends(
        trade.pk,
        wanted,
        lambda: executor.amend_plan(trade, wanted),
        lambda: world.witnesses[number].moved_by_the_trader(trade.pk),
    )
    return f"{clicks.ask(world, number, wish)}: {wanted}"


def _foreign(world: World, number: int, dice: Random) -> ForeignPosition:
    found = _NOBODYS.rows(account=world.accounts[number])
    if not found:
        raise NotNow("There is no such position.")
    return dice.choice(found)


def _adopt(world: World, number: int, dice: Random) -> str:
    row = _foreign(world, number, dice)
    key = (row.symbol, Side(row.side))
    stop = plans.stop_near(dice, _known(world, row.symbol), world.ways[row.symbol].last, key[1])
    trade = adoption.adopt(_account(world, number), row.pk, {"stop": {"price": stop}})
    world.witnesses[number].takes_over(key)
    return f"trade {trade.pk}: {key} with a stop at {stop}"


def _close_foreign(world: World, number: int, dice: Random) -> str:
    row = _foreign(world, number, dice)
    return f"trade {adoption.close(_account(world, number), row.pk).pk}"


def _ignore(world: World, number: int, dice: Random) -> str:
    row = _foreign(world, number, dice)
    adoption.ignore(row, not row.ignored)
    return f"{row.symbol} {row.side} {row.ignored}"


def _halt(world: World, number: int, dice: Random) -> str:
    state = dice.choice(list(Account.State))
    Account.objects.filter(pk=world.accounts[number]).update(state=state)
    return state


TRADERS: dict[str, Doing] = {
    "open": _open,
    "close": _close,
    "close_part": _close_part,
    "withdraw": _withdraw,
    "amend": _amend,
    "move_stop": _move_stop,
    "break_even": _break_even,
    "hands_off": _hands_off,
    "hands_on": _hands_on,
    "adopt": _adopt,
    "close_foreign": _close_foreign,
    "ignore": _ignore,
    "halt": _halt,
}


# --- at the venue ---


def _key(world: World, number: int, dice: Random) -> Key | None:
    keys = world.books[number].holdings()
    return dice.choice(keys) if keys else None


def _leaves(part: str) -> Callable[[World, int, Random], str]:
    def by_this_much(world: World, number: int, dice: Random) -> str:
        key, book = _key(world, number, dice), world.books[number]
        if key is None:
            return "nothing is held"
        market, held = world.rules.there[key[0]], book.held(*key)
        quantity = held if part == "1" else max(market.round_quantity(held * D(part)), market.lot_size)
        book.by_hand(key[1].exit_order_side, quantity, key[0], reduce_only=True)
        return f"{quantity} of {held} {key}"

    return by_this_much


def _enlarge(world: World, number: int, dice: Random) -> str:
    key, book = _key(world, number, dice), world.books[number]
    if key is None:
        return "nothing is held"
    market, share = world.rules.there[key[0]], D(dice.choice(("0.2", "0.5", "1")))
    quantity = max(market.round_quantity(book.held(*key) * share), market.lot_size, market.min_quantity)
    book.by_hand(key[1].entry_order_side, quantity, key[0], reduce_only=False)
    return f"{quantity} more of {key}"


def _reverse(world: World, number: int, dice: Random) -> str:
    key, book = _key(world, number, dice), world.books[number]
    if key is None or book.hedge:
        return "nothing to turn round"
    quantity = book.held(*key) * D(dice.choice((2, 3)))
    book.by_hand(key[1].exit_order_side, quantity, key[0], reduce_only=False)
    return f"{key} by {quantity}"


def _there(world: World, number: int) -> list[Instrument]:
    """The markets of its venue, as they are there."""
    return [world.rules.there[symbol] for symbol in world.books[number].markets]


def _enter(world: World, number: int, dice: Random) -> str:
    market, side = dice.choice(_there(world, number)), dice.choice(list(Side))
    quantity = max(market.lot_size * dice.choice((1, 5, 20)), market.min_quantity)
    world.books[number].by_hand(side.entry_order_side, quantity, market.symbol, reduce_only=False)
    return f"{side} {quantity} {market.symbol}"


def _rest(world: World, number: int, dice: Random) -> str:
    """An order of the hand's own, far from the price."""
    market, side = dice.choice(_there(world, number)), dice.choice(list(Side))
    price = market.round_price(world.ways[market.symbol].last * (1 - side.sign * D("0.2")))
    return world.books[number].by_hand(
        side.entry_order_side, market.lot_size * 3, market.symbol, reduce_only=False, price=price
    )


def _cancels(role: str) -> Callable[[World, int, Random], str]:
    def one(world: World, number: int, dice: Random) -> str:
        book = world.books[number]
        found = [(place, intent) for place, intent, _ in book.resting() if _is_a(intent, role)]
        if not found:
            return "there is none"
        place, intent = dice.choice(found)
        world.witnesses[number].taken_by_hand(place, intent)
        return f"{intent.client_id} {book.cancel_by_name(intent.client_id)}"

    return one


def _is_a(intent: OrderIntent, role: str) -> bool:
    return role_of(intent) == role and (is_ours(intent.client_id) or intent.client_id[:3] in ("sl-", "tp-"))


def _deleverage(world: World, number: int, dice: Random) -> str:
    key, book = _key(world, number, dice), world.books[number]
    if key is None:
        return "nothing is held"
    held = book.held(*key)
    quantity = max(MARKETS[key[0]].round_quantity(held * D(dice.choice(("0.3", "1")))), MARKETS[key[0]].lot_size)
    book.deleverage(key, min(quantity, held))
    return f"{quantity} of {key}"


def _liquidate(world: World, number: int, dice: Random) -> str:
    key, book = _key(world, number, dice), world.books[number]
    if key is None:
        return "nothing is held"
    quantity = book.held(*key)
    book.liquidate(key)
    return f"{quantity} of {key}"


HANDS: dict[str, Doing] = {
    "hand_close": _leaves("1"),
    "hand_reduce": _leaves("0.4"),
    "hand_enlarge": _enlarge,
    "hand_reverse": _reverse,
    "hand_open": _enter,
    "hand_rest": _rest,
    "hand_cancels_stop": _cancels("stop"),
    "hand_cancels_target": _cancels("take_profit"),
    "hand_cancels_entry": _cancels("entry"),
    "deleverage": _deleverage,
    "liquidate": _liquidate,
}
