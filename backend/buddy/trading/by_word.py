"""The way out for a trade whose symbol its venue tells nothing of any more: the trader says how it ended.

Nothing is sent, and nothing can be checked: what is written down so is marked as the trader's word, in the reason, on
the execution and in the timeline, and gives way to whatever the exchange tells after all (`records`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal, localcontext
from typing import Any

from django.db import transaction
from django.utils import timezone

from buddy.core.costs import PRECISE
from buddy.core.errors import Fault, InvalidPlan
from buddy.core.exchange import Liquidity, OrderStatus
from buddy.core.market import ZERO, Instrument, Side
from buddy.core.position import Position
from buddy.exchanges.paper import PaperExchange

from . import books
from .claims import Claim
from .client_ids import new_client_id
from .endings import risk_so_far
from .executor import Bench, NotNow, again, at_bench, bind
from .figures import figures, kept
from .models import ExitReason, Fill, Order, Trade
from .moments import at
from .records import WORD
from .rows import Rows
from .states import LIVE, WORKING
from .telling import hint, signed, tell, text

SENTENCE = "I end {symbol} by my word"
UNWATCHED_FOR = timedelta(minutes=1)
"""A venue may be mistaken for a moment; after that it has said several times that the symbol is gone."""
NOBODY = {"protected_since": None, "naked_since": None, "mismatch_since": None, "unwatched_since": None}
"""What is no longer looked after."""


def end(trade: Trade, price: Decimal | None, sentence: str, *, claim: Claim | None = None) -> Trade:
    """What is held was closed at `price`; None: with a result that nobody knows.

    Raises InvalidPlan where `sentence` is not the one to be typed, NotNow where the trade is looked after, or over.
    """
    _insist_on(sentence, trade)
    with at_bench(trade.account_id) as bench:
        fresh = again(trade)
        _insist_unwatched(fresh)
        position = _position(fresh)
        with transaction.atomic():
            bench.lease.keep()
            _give_up_orders(fresh)
            _write_off(bench, fresh, position, price)
            _end(bench, fresh, position, price)
            bind(claim, fresh)
    return again(trade)


def _insist_on(sentence: str, trade: Trade) -> None:
    wanted = SENTENCE.format(symbol=trade.symbol)
    if sentence.strip() != wanted:
        raise InvalidPlan([Fault("sentence", "This needs your own word.", f"Type: {wanted}", "sentence")])


def _insist_unwatched(trade: Trade) -> None:
    if trade.status not in WORKING:
        raise NotNow("This trade is over.")
    since = trade.unwatched_since
    if since is None:
        raise NotNow(f"{trade.symbol} is watched: close the trade, or withdraw its entry.")
    if timezone.now() - since < UNWATCHED_FOR:
        raise NotNow(f"{trade.symbol} has just stopped being told of. Try again in a minute.")


def _position(trade: Trade) -> Position:
    return books.position_of(trade, _instrument(trade), Rows.of([trade]))


def _instrument(trade: Trade) -> Instrument:
    """As far as it matters to money; the symbol itself cannot be asked for any more."""
    return replace(books.unbounded(trade.symbol), contract_size=trade.contract_size, spot=trade.account.is_spot)


def _give_up_orders(trade: Trade) -> None:
    """Should the venue list one of them again, it is found there and taken back as an order without a trade."""
    rest = Order.objects.filter(trade=trade, status__in=(OrderStatus.INTENDED, *LIVE))
    rest.update(status=OrderStatus.CANCELLED, cancel_reason="ended by word", closed_at=timezone.now())


def _write_off(bench: Bench, trade: Trade, position: Position, price: Decimal | None) -> None:
    """On paper the coins and contracts are let go of as well; without a price at what they cost, without a fee."""
    if not bench.account.is_paper:
        return
    paper = PaperExchange(bench.account, bench.source)
    at_price = price if price is not None else position.average_entry or ZERO
    fee = ZERO if price is None else _fee(position, price)
    paper.write_off(trade.symbol, position.side, position.held, at_price, fee)


def _fee(position: Position, price: Decimal) -> Decimal:
    with localcontext(PRECISE):
        return kept(position.instrument.notional(price, position.held) * position.costs.taker)


def _end(bench: Bench, trade: Trade, position: Position, price: Decimal | None) -> None:
    now = bench.now()
    if not position.entered:
        _finish(trade, {"status": Trade.Status.CANCELLED, "withdrawal": Trade.Withdrawal.MANUAL}, now)
        _tell(trade, "entry_withdrawn", "You ended this trade by word: nothing of it had entered.", now, price)
        return
    if price is not None and position.held:
        _book(trade, position, price, now)
        position = _position(trade)
    is_known = not position.held
    risk = trade.initial_risk if trade.initial_risk is not None else kept(risk_so_far(position))
    frozen = figures(position, risk) | {"initial_risk": risk, "exit_reason": ExitReason.BY_WORD}
    if not is_known:
        frozen |= dict.fromkeys(("gross", "net", "r", "average_exit"))
    _finish(trade, frozen | {"status": Trade.Status.CLOSED}, now)
    _tell(trade, "trade_closed", _sentence(trade, frozen, price, is_known), now, price, **_told(frozen))


def _finish(trade: Trade, fields: dict[str, Any], now: int) -> None:
    if not Trade.objects.filter(pk=trade.pk, status__in=WORKING).update(closed_at=at(now), **NOBODY, **fields):
        raise NotNow("This trade is over.")
    hint(trade)


def _book(trade: Trade, position: Position, price: Decimal, now: int) -> None:
    """The end as an execution; its fee is an estimate by the account's rates."""
    Fill.objects.create(
        account=trade.account,
        trade=trade,
        fill_id=f"{WORD}{new_client_id()}",
        symbol=trade.symbol,
        order_side=Side(trade.side).exit_order_side,
        price=price,
        quantity=position.held,
        fee=_fee(position, price),
        liquidity=Liquidity.TAKER,
        time=at(now),
        raw={"by_word": True},
    )


def _sentence(trade: Trade, frozen: dict[str, Any], price: Decimal | None, is_known: bool) -> str:
    if not is_known:
        return "You ended this trade by word: its result is unknown, and counts in no figure."
    said = f"closed at {text(price)}, as you say; no exchange has told it" if price is not None else "nothing was held"
    money = f"{signed(frozen['net'])} {trade.account.currency}"
    return f"You ended this trade by word: {said}. {money}, its last fee an estimate."


def _told(frozen: dict[str, Any]) -> dict[str, Any]:
    return {name: text(frozen[name]) if frozen[name] is not None else None for name in ("net", "r")}


def _tell(trade: Trade, kind: str, sentence: str, now: int, price: Decimal | None, **more: Any) -> None:
    tell(trade, kind, sentence, now, by_word=True, price=text(price) if price is not None else None, **more)
