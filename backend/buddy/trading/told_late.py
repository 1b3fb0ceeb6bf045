"""What a venue tells of a finished trade after its end: a fee, funding of its last hours."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from decimal import localcontext
from typing import Any

from django.db import transaction
from django.utils import timezone

from buddy.core.costs import PRECISE
from buddy.core.market import Instrument
from buddy.core.position import Position

from . import books, records
from .figures import figures, kept, per_risk
from .models import ExitReason, Fill, Trade
from .moments import to_ms
from .rows import Rows
from .telling import hint, signed, tell, text

log = logging.getLogger(__name__)


def take_in(late: Collection[int], instruments: Mapping[str, Instrument]) -> None:
    """Bring finished trades up to what has been booked, inside the transaction that booked it.

    Of a symbol that is not among `instruments` (listed no more, or not readable now) what was traded stays as it is.
    """
    if not late:
        return
    for trade in Trade.objects.filter(pk__in=late, status=Trade.Status.CLOSED).select_related("account"):
        try:
            with transaction.atomic():
                _correct(trade, instruments.get(trade.symbol))
        except Exception:  # one trade's defect must not leave the others without their stops
            log.exception("what was told late of trade %s could not be taken in", trade.pk)


def _correct(trade: Trade, instrument: Instrument | None) -> None:
    position = books.position_of(trade, instrument or books.unbounded(trade.symbol), Rows.of([trade]))
    if trade.net is None and (position.held or instrument is None):
        return  # ended by word without a result, which is not known yet
    told = figures(position, trade.initial_risk) if instrument else _costs_alone(trade, position)
    if trade.exit_reason == ExitReason.BY_WORD and not _rests_on_a_word(trade):
        told["exit_reason"] = ExitReason.EXTERNAL
    changed = {name: value for name, value in told.items() if value != getattr(trade, name)}
    if not changed:
        return
    Trade.objects.filter(pk=trade.pk).update(checked_at=timezone.now(), **changed)
    sentence = f"The exchange told more of this trade after its end: net is {signed(told['net'])} now."
    tell(trade, "notice", sentence, to_ms(trade.closed_at or trade.created_at), net=text(told["net"]))
    hint(trade)


def _rests_on_a_word(trade: Trade) -> bool:
    return Fill.objects.filter(trade=trade, fill_id__startswith=records.WORD).exists()


def _costs_alone(trade: Trade, position: Position) -> dict[str, Any]:
    with localcontext(PRECISE):
        fees, funding = kept(position.fees), kept(position.funding)
        net = (trade.gross or kept(position.gross)) - fees + funding
    return {"fees": fees, "funding": funding, "net": net, "r": per_risk(net, trade.initial_risk)}
