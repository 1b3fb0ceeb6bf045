"""From a JSON document to a `Plan`, or to all of its faults at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, Decimal

from .document import Place
from .errors import Fault, InvalidPlan
from .exchange import TriggerBy
from .market import ONE, TIMEFRAMES, ZERO, Instrument, Side
from .plan import (
    After,
    BreakEven,
    CancelRules,
    Cover,
    Entry,
    EntryKind,
    MarginMode,
    Plan,
    Risk,
    StopRules,
    TakeProfit,
    Trail,
)
from .plan_rules import EntryDraft, PlanDraft, TargetDraft, check_prices, infer_side

MOST_ENTRIES = MOST_TARGETS = 20
MOST_LEVERAGE = 1000
MOST_CANDLES = 1000
HUNDRED = Decimal(100)
TEN_YEARS = Decimal(60 * 24 * 3652)
"""In minutes."""
PART = Decimal("1E-12")


def read_plan(
    document: object, instrument: Instrument, *, reference_price: Decimal | None = None, entered: bool = False
) -> Plan:
    """The plan of `document` for `instrument`.

    `reference_price` is where a market entry is expected to fill. `entered`: the trade already holds a position, so
    its stop may have passed the entry and its entry lines are history. Raises InvalidPlan with every fault.
    """
    faults: list[Fault] = []
    if not isinstance(document, Mapping):
        raise InvalidPlan(
            [Fault("", "A plan is an object.", "Put it in curly braces, with named values.", "not_an_object")]
        )
    draft = _draft(Place(document, "", faults), instrument)
    side = infer_side(draft, reference_price, faults)
    check_prices(draft, side, instrument, reference_price, faults, entered=entered)
    if faults:
        raise InvalidPlan(faults)
    return _freeze(draft, side)


def _draft(root: Place, instrument: Instrument) -> PlanDraft:
    root.only("symbol", "side", "entries", "stop", "take_profits", "risk", "leverage", "margin_mode", "rules", "cancel")
    _symbol(root, instrument)
    targets = _targets(root)
    stop = _stop(root)
    return PlanDraft(
        symbol=instrument.symbol,
        side=root.choice("side", Side),
        side_given=root.has("side"),
        entries=_entries(root),
        stop_price=stop.decimal("price") if stop else None,
        trigger_by=(stop.choice("trigger_by", TriggerBy) if stop else None) or TriggerBy.LAST,
        targets=targets,
        risk=_risk(root),
        leverage=root.integer("leverage", most=MOST_LEVERAGE),
        margin_mode=root.choice("margin_mode", MarginMode) or MarginMode.ISOLATED,
        rules=_rules(root, _count(root, "take_profits")),
        cancel=_cancel(root, _count(root, "take_profits")),
    )


def _symbol(root: Place, instrument: Instrument) -> None:
    symbol = root.values.get("symbol")
    if symbol is None:
        root.missing("symbol", f'Name what is traded, like "{instrument.symbol}".')
    elif symbol != instrument.symbol:
        root.refuse("symbol", "other_symbol", f"This is not {instrument.symbol}.", f'Write "{instrument.symbol}".')


def _count(root: Place, key: str) -> int:
    value = root.values.get(key)
    return len(value) if isinstance(value, list | tuple) else 0


def _stop(root: Place) -> Place | None:
    if not root.has("stop"):
        root.missing("stop", 'Every trade has a stop: {"price": "…"}.')
    stop = root.child("stop")
    if stop is not None:
        stop.only("price", "trigger_by")
        _needs(stop, "price", "Say where the trade is wrong.")
    return stop


def _needs(place: Place, key: str, cure: str) -> None:
    if not place.has(key):
        place.missing(key, cure)


def _entries(root: Place) -> list[EntryDraft]:
    places = root.children("entries", most=MOST_ENTRIES)
    if not _count(root, "entries") and isinstance(root.values.get("entries", []), list | tuple | None):
        root.missing("entries", 'Give at least one way in, like [{"kind": "market"}].')
    drafts = [_entry(place) for place in places]
    for draft, share in zip(drafts, _shares(root, "entries", places), strict=True):
        draft.share = share
    return drafts


def _entry(place: Place) -> EntryDraft:
    place.only("kind", "price", "trigger", "share")
    usual = EntryKind.LIMIT if place.has("price") else EntryKind.MARKET
    kind = place.choice("kind", EntryKind) if place.has("kind") else usual
    price, trigger = place.decimal("price"), place.decimal("trigger")
    if kind is EntryKind.TRIGGER and not place.has("trigger"):
        _needs(place, "price", "Say at which price the entry is triggered.")
        return EntryDraft(place, kind, None, price, "price")
    if kind is not None:
        _keys_of_kind(place, kind)
    return EntryDraft(place, kind, price, trigger, "trigger" if kind is EntryKind.TRIGGER else "price")


USED = {
    EntryKind.MARKET: (),
    EntryKind.LIMIT: ("price",),
    EntryKind.TRIGGER: ("trigger",),
    EntryKind.TRIGGER_LIMIT: ("price", "trigger"),
}


def _keys_of_kind(place: Place, kind: EntryKind) -> None:
    for key in ("price", "trigger"):
        if key in USED[kind]:
            _needs(place, key, f"A {kind} entry needs its {key}.")
        elif place.has(key):
            cure = "Leave it out, or choose another kind of entry."
            place.refuse(key, "not_used", f"A {kind} entry has no {key}.", cure)


def _targets(root: Place) -> list[TargetDraft]:
    places = root.children("take_profits", most=MOST_TARGETS)
    shares = _shares(root, "take_profits", places)
    return [_target(place, share) for place, share in zip(places, shares, strict=True)]


def _target(place: Place, share: Decimal | None) -> TargetDraft:
    place.only("price", "share")
    _needs(place, "price", "Say where this part of the profit is taken.")
    return TargetDraft(place, place.decimal("price"), share)


def _shares(root: Place, key: str, places: Sequence[Place]) -> list[Decimal | None]:
    """Each leg's share: all given, or none and then equal parts."""
    if not any(place.has("share") for place in places):
        return list(equal_shares(len(places)))
    for place in places:
        _needs(place, "share", "Give every share, or none for equal parts.")
    shares = [place.decimal("share", most=ONE) for place in places]
    known = [share for share in shares if share is not None]
    if len(known) == _count(root, key) and sum(known) != ONE:
        total = sum(known, ZERO)
        root.refuse(
            key, "shares_sum", f"The shares add up to {total:f}, not to 1.", "Change them until they add up to 1."
        )
    return shares


def equal_shares(count: int) -> tuple[Decimal, ...]:
    """`count` parts of 1; rounded up but for the last, so that a third of three lots is one lot and not none."""
    if count == 0:
        return ()
    part = (ONE / count).quantize(PART, rounding=ROUND_CEILING)
    return (part,) * (count - 1) + (ONE - part * (count - 1),)


def _one_of(place: Place, *keys: str) -> None:
    """Exactly one of `keys` must be there."""
    given = [key for key in keys if place.has(key)]
    if len(given) != 1:
        found = f"{', '.join(given)} are given" if given else "none is given"
        place.refuse("", "exactly_one", f"Exactly one is needed, but {found}.", f"Give one of: {', '.join(keys)}.")


def _risk(root: Place) -> Risk:
    if not root.has("risk"):
        root.missing("risk", 'Say what may be lost, like {"percent": "1"}.')
    place = root.child("risk")
    if place is None:
        return Risk()
    place.only("percent", "money", "quantity")
    _one_of(place, "percent", "money", "quantity")
    return Risk(place.decimal("percent", most=HUNDRED), place.decimal("money"), place.decimal("quantity"))


def _target_number(place: Place, key: str, targets: int) -> int | None:
    number = place.integer(key, most=MOST_TARGETS)
    if number is not None and number > targets:
        cure = f"Choose one of the {targets}, counted from 1." if targets else "Add a take-profit."
        place.refuse(key, "no_such_target", f"There is no take-profit {number}.", cure)
        return None
    return number


def _after(parent: Place, targets: int) -> After | None:
    place = parent.child("after")
    if place is None:
        return None
    place.only("take_profit", "r", "percent", "minutes")
    _one_of(place, "take_profit", "r", "percent", "minutes")
    return After(
        _target_number(place, "take_profit", targets),
        place.decimal("r", most=Decimal(1000)),
        place.decimal("percent", most=Decimal(100_000)),
        place.decimal("minutes", most=TEN_YEARS),
    )


def _rules(root: Place, targets: int) -> StopRules:
    place = root.child("rules")
    if place is None:
        return StopRules()
    place.only("break_even", "step", "trail", "close_after_minutes")
    return StopRules(
        _break_even(place, targets),
        place.flag("step"),
        _trail(place, targets),
        place.decimal("close_after_minutes", most=TEN_YEARS),
    )


def _break_even(rules: Place, targets: int) -> BreakEven | None:
    place = rules.child("break_even")
    if place is None:
        return None
    place.only("after", "cover")
    _needs(place, "after", 'Say when, like {"take_profit": 1}.')
    after, cover = _after(place, targets), place.choice("cover", Cover)
    return None if after is None else BreakEven(after, cover or Cover.COSTS)


def _trail(rules: Place, targets: int) -> Trail | None:
    place = rules.child("trail")
    if place is None:
        return None
    place.only("percent", "atr", "candles", "after", "timeframe")
    _one_of(place, "percent", "atr", "candles")
    return Trail(
        place.decimal("percent", below=HUNDRED),
        place.decimal("atr", most=HUNDRED),
        place.integer("candles", most=MOST_CANDLES),
        _after(place, targets),
        place.word("timeframe", TIMEFRAMES),
    )


def _cancel(root: Place, targets: int) -> CancelRules:
    place = root.child("cancel")
    if place is None:
        return CancelRules()
    place.only("above", "below", "at_take_profit", "after_minutes")
    return CancelRules(
        place.decimal("above"),
        place.decimal("below"),
        _target_number(place, "at_take_profit", targets),
        place.decimal("after_minutes", most=TEN_YEARS),
    )


def _freeze(draft: PlanDraft, side: Side | None) -> Plan:
    assert side, "a missing side is a fault"
    assert draft.stop_price, "a missing stop is a fault"
    return Plan(
        symbol=draft.symbol,
        side=side,
        entries=tuple(_entry_of(entry) for entry in draft.entries),
        stop_price=draft.stop_price,
        trigger_by=draft.trigger_by,
        take_profits=tuple(_target_of(target) for target in draft.targets),
        risk=draft.risk,
        leverage=draft.leverage,
        margin_mode=draft.margin_mode,
        rules=draft.rules,
        cancel=draft.cancel,
    )


def _entry_of(entry: EntryDraft) -> Entry:
    assert entry.kind, "a wrong kind is a fault"
    assert entry.share, "a missing share is a fault"
    return Entry(entry.kind, entry.price, entry.trigger, entry.share)


def _target_of(target: TargetDraft) -> TakeProfit:
    assert target.price, "a missing price is a fault"
    assert target.share, "a missing share is a fault"
    return TakeProfit(target.price, target.share)
