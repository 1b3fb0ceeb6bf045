"""One rehearsal as it is asked for: options, instrument, plan and candles, all checked before anything is played."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from buddy.core.backtest import Terms, rehearse
from buddy.core.costs import Costs
from buddy.core.document import LARGEST, Place, exact
from buddy.core.errors import Fault, InvalidPlan
from buddy.core.intrabar import Intrabar
from buddy.core.market import ONE, ZERO, Instrument, MarginTier
from buddy.core.plan_document import read_plan
from buddy.core.rehearsal_report import report

from .candle_rows import Candles

GRAIN = Decimal("1E-12")
"""Tick and lot where no instrument is given: fine enough not to round."""
EQUITY = Decimal(10_000)
OPTIONS = ("intrabar", "fee_maker", "fee_taker", "slippage", "equity", "fine")
USUAL_LEVERAGE = Instrument("", "", "", "", GRAIN, GRAIN).max_leverage
NAMES = ("symbol", "base", "quote", "settle")
STEPS = ("tick_size", "lot_size", "contract_size", "max_leverage")
LIMITS = ("min_quantity", "min_notional", "max_quantity", "market_max_quantity")
FEES = ("maker_fee", "taker_fee")
FLAGS = ("linear", "spot", "active")
MOST_TIERS = 100


@dataclass(frozen=True, slots=True)
class Options:
    """Fees and slippage are fractions; None: the instrument's fees."""

    intrabar: Intrabar = Intrabar.PESSIMISTIC
    fee_maker: Decimal | None = None
    fee_taker: Decimal | None = None
    slippage: Decimal = ZERO
    equity: Decimal = EQUITY


def read_options(document: object) -> Options:
    """Keys may be written with `_` or `-`. Raises InvalidPlan."""
    faults: list[Fault] = []
    if not isinstance(document, Mapping):
        raise InvalidPlan([Fault("options", "Options are an object.", "Put them in curly braces.", "not_an_object")])
    place = Place({str(key).replace("-", "_"): value for key, value in document.items()}, "options", faults)
    place.only(*OPTIONS)
    options = Options(
        intrabar=place.choice("intrabar", Intrabar) or Intrabar.PESSIMISTIC,
        fee_maker=_fraction(place, "fee_maker"),
        fee_taker=_fraction(place, "fee_taker"),
        slippage=_fraction(place, "slippage", least=ZERO) or ZERO,
        equity=place.decimal("equity") or EQUITY,
    )
    if faults:
        raise InvalidPlan(faults)
    return options


def read_instrument(document: object) -> Instrument:
    """The keys of `core.market.Instrument`; names left out are the plan's, steps do not round. Raises InvalidPlan."""
    faults: list[Fault] = []
    if not isinstance(document, Mapping):
        raise InvalidPlan(
            [Fault("instrument", "An instrument is an object.", "Put it in curly braces.", "not_an_object")]
        )
    place = Place(document, "instrument", faults)
    place.only(*NAMES, *STEPS, *LIMITS, *FEES, *FLAGS, "tiers")
    values: dict[str, Any] = {key: _name(place, key) for key in NAMES}
    values |= {"tick_size": place.decimal("tick_size") or GRAIN, "lot_size": place.decimal("lot_size") or GRAIN}
    values |= _present({key: place.decimal(key) for key in STEPS[2:]})
    values |= _present({key: _limit(place, key) for key in LIMITS})
    values |= _present({key: _fraction(place, key) for key in FEES})
    values |= {key: place.flag(key) for key in FLAGS if place.has(key)}
    tiers = tuple(_tier(tier) for tier in place.children("tiers", most=MOST_TIERS))
    if faults:
        raise InvalidPlan(faults)
    return Instrument(**values, tiers=tiers)


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def plain_instrument(plan: object) -> Instrument:
    """An instrument that rounds nothing and has no limits, for the symbol the plan names."""
    symbol = plan.get("symbol") if isinstance(plan, Mapping) else None
    name = symbol if isinstance(symbol, str) else ""
    pair, _, settle = name.partition(":")
    base, _, quote = pair.partition("/")
    return Instrument(name, base, quote, settle or quote, tick_size=GRAIN, lot_size=GRAIN)


def play(
    plan: object, candles: Candles, options: Options, instrument: Instrument | None, finer: Candles | None = None
) -> dict[str, Any]:
    """The report of one rehearsal. Raises InvalidPlan."""
    terms = _terms(options, _named(instrument, plan), venue=instrument is not None and _tells_margin(instrument))
    wanted = read_plan(plan, terms.instrument, reference_price=candles[0].open)
    labels = candles.labels | (finer.labels if finer else {})
    return report(rehearse(wanted, candles, terms, finer=finer or ()), lambda time: labels.get(time, time))


def _tells_margin(instrument: Instrument) -> bool:
    """Whether it says anything of leverage or maintenance; without that nothing is liquidated."""
    return bool(instrument.tiers) or instrument.max_leverage != USUAL_LEVERAGE


def _named(instrument: Instrument | None, plan: object) -> Instrument:
    """The instrument with what it is not told of its name taken from the plan's symbol."""
    plain = plain_instrument(plan)
    if instrument is None:
        return plain
    return replace(instrument, **{name: getattr(instrument, name) or getattr(plain, name) for name in NAMES})


def _terms(options: Options, instrument: Instrument, *, venue: bool) -> Terms:
    maker = instrument.maker_fee if options.fee_maker is None else options.fee_maker
    taker = instrument.taker_fee if options.fee_taker is None else options.fee_taker
    costs = Costs(maker=maker, taker=taker, slippage=options.slippage)
    return Terms(
        replace(instrument, maker_fee=maker, taker_fee=taker), costs, options.equity, options.intrabar, venue=venue
    )


def _name(place: Place, key: str) -> str:
    value = place.values[key] if place.has(key) else ""
    if isinstance(value, str):
        return value
    place.refuse(key, "not_a_text", "This must be text.", "Put it in quotes.")
    return ""


def _fraction(place: Place, key: str, *, least: Decimal = -ONE) -> Decimal | None:
    """A fraction between `least` and 1, both excluded but for 0."""
    if not place.has(key):
        return None
    value = exact(place.values[key])
    if value is None or not (least < value < 1 or value == 0):
        place.refuse(key, "not_a_fraction", "This must be a fraction, like 0.0005.", "Five basis points are 0.0005.")
        return None
    return value


def _limit(place: Place, key: str) -> Decimal | None:
    """A number that may be 0."""
    value = exact(place.values.get(key)) if place.has(key) else None
    if value is not None and value == 0:
        return ZERO
    return place.decimal(key)


def _tier(place: Place) -> MarginTier:
    place.only("notional_cap", "maintenance_rate", "maintenance_amount", "max_leverage")
    return MarginTier(
        place.decimal("notional_cap", most=LARGEST),
        _fraction(place, "maintenance_rate", least=ZERO) or ZERO,
        _limit(place, "maintenance_amount") or ZERO,
        place.decimal("max_leverage") or ONE,
    )
