"""A second rehearsal, written from the words of the plan alone: slow, plain loops, nothing shared with the product.

The price walks open → extreme → extreme → close. On its way it meets, nearest first, resting orders and the prices that
rules wait for; whatever it meets is dealt with at once, and so is all that follows from it, before the price moves on.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import Any

D = Decimal
ZERO = D(0)
Row = tuple[int, Decimal, Decimal, Decimal, Decimal]


@dataclass
class Oracle:
    """One trade. `quantities` per entry; `doc` is a plan document with every share and the side written out."""

    doc: dict[str, Any]
    quantities: list[Decimal]
    maker: Decimal
    taker: Decimal
    slippage: Decimal
    tick: Decimal
    lot: Decimal
    opened: int
    price: Decimal
    now: int = 0
    entries: list[tuple[int, Decimal, Decimal, str, int]] = field(default_factory=list)
    exits: list[tuple[int, Decimal, Decimal, str, int | None]] = field(default_factory=list)
    fees: Decimal = ZERO
    entry_fees: Decimal = ZERO
    gross: Decimal = ZERO
    resting: dict[tuple[str, int], Decimal] = field(default_factory=dict)
    triggered: set[int] = field(default_factory=set)
    withdrawn: bool = False
    best: Decimal = ZERO
    best_of_leg: Decimal = ZERO
    stop: Decimal = ZERO
    cause: str = "stop_loss"
    risk: Decimal = ZERO

    def __post_init__(self) -> None:
        self.sign = 1 if self.doc["side"] == "long" else -1
        self.first_stop = self.stop = D(self.doc["stop"]["price"])
        self.targets = [(D(t["price"]), D(t["share"])) for t in self.doc.get("take_profits", [])]
        self.rules, self.cancel = self.doc.get("rules") or {}, self.doc.get("cancel") or {}
        self.now = self.opened

    # figures
    @property
    def entered(self) -> Decimal:
        return sum((q for _, _, q, _, _ in self.entries), ZERO)

    @property
    def held(self) -> Decimal:
        return self.entered - sum((q for _, _, q, _, _ in self.exits), ZERO)

    @property
    def average(self) -> Decimal:
        return sum((p * q for _, p, q, _, _ in self.entries), ZERO) / self.entered

    @property
    def equity(self) -> Decimal:
        open_ = self.sign * self.held * (self.price - self.average) if self.held else ZERO
        return self.gross - self.fees + open_

    def beyond(self, level: Decimal, price: Decimal) -> bool:
        """Whether `price` has gone as far as `level` in favour, or further."""
        return self.sign * (price - level) >= 0

    # executions
    def enter(self, leg: int, price: Decimal, rate: Decimal) -> None:
        quantity, kind = self.quantities[leg], self.doc["entries"][leg]["kind"]
        if not self.entries:
            self.best = self.price
        self.best_of_leg = self.price
        self.entries.append((self.now, price, quantity, kind, leg + 1))
        self.fees += price * quantity * rate
        self.entry_fees += price * quantity * rate
        self.resting.pop(("entry", leg), None)
        at_stop = self.first_stop * self.entered
        self.risk = abs(self.average - self.first_stop) * self.entered + self.entry_fees
        self.risk += at_stop * self.taker + at_stop * self.slippage

    def leave(self, quantity: Decimal, price: Decimal, rate: Decimal, reason: str, order: int | None = None) -> None:
        self.gross += self.sign * quantity * (price - self.average)
        self.fees += price * quantity * rate
        self.exits.append((self.now, price, quantity, reason, order))
        self.withdraw()
        if not self.held:
            self.resting.clear()

    def leave_at_market(self, reason: str) -> None:
        self.leave(self.held, self.price * (1 - self.sign * self.slippage), self.taker, reason)

    def withdraw(self) -> None:
        self.withdrawn = True
        self.resting = {key: quantity for key, quantity in self.resting.items() if key[0] != "entry"}

    # rules
    def react(self) -> None:
        """Everything that follows from the price and the time of now."""
        while self.one_reaction():
            pass

    def one_reaction(self) -> bool:
        if self.entries:
            self.best = self.further(self.best)
            self.best_of_leg = self.further(self.best_of_leg)
        if not self.withdrawn and self.must_withdraw():
            self.withdraw()
        if not self.withdrawn and self.place_entry():
            return True
        if not self.held:
            return False
        self.move_stop()
        if self.beyond(self.price, self.stop):
            self.leave_at_market(self.cause)
            return False
        return self.place_target()

    def further(self, than: Decimal) -> Decimal:
        return self.price if self.beyond(than, self.price) else than

    def since_first_fill(self, minutes: str) -> bool:
        return self.now >= self.entries[0][0] + int(D(minutes) * 60_000)

    def cancel_levels(self) -> list[tuple[Decimal, int]]:
        """Each price that withdraws the entry, and the direction from which it is met."""
        levels = [(D(self.cancel[key]), way) for key, way in (("above", 1), ("below", -1)) if self.cancel.get(key)]
        if number := self.cancel.get("at_take_profit"):
            levels.append((self.targets[number - 1][0], self.sign))
        return levels

    def expired(self) -> bool:
        minutes = self.cancel.get("after_minutes")
        return minutes is not None and self.now >= self.opened + int(D(minutes) * 60_000)

    def must_withdraw(self) -> bool:
        return self.expired() or any(way * (self.price - level) >= 0 for level, way in self.cancel_levels())

    def place_entry(self) -> bool:
        """Send the first entry that is not there yet; whether it executed at once."""
        done = {order - 1 for _, _, _, _, order in self.entries}
        for leg, entry in enumerate(self.doc["entries"]):
            if leg in done or ("entry", leg) in self.resting:
                continue
            if entry["kind"] == "market" or self.triggers(entry):
                self.enter_at_market(leg)
                return True
            if entry["kind"] == "limit" and self.beyond(self.price, D(entry["price"])):
                self.enter(leg, self.price, self.taker)
                return True
            self.resting["entry", leg] = self.quantities[leg]
            if entry["kind"] == "trigger_limit" and self.beyond(D(entry["trigger"]), self.price):
                self.release(leg)
                return True
        return False

    def triggers(self, entry: dict[str, Any]) -> bool:
        return entry["kind"] == "trigger" and self.beyond(D(entry["trigger"]), self.price)

    def enter_at_market(self, leg: int) -> None:
        self.enter(leg, self.price * (1 + self.sign * self.slippage), self.taker)

    def release(self, leg: int) -> None:
        """A trigger_limit was triggered: a limit now, taken at once where it crosses the market."""
        self.triggered.add(leg)
        if self.beyond(self.price, D(self.doc["entries"][leg]["price"])):
            self.enter(leg, self.price, self.taker)

    def split(self) -> list[Decimal]:
        parts = [(self.entered * share) // self.lot * self.lot for _, share in self.targets[:-1]]
        return [*parts, self.entered - sum(parts, ZERO)] if self.targets else []

    def filled(self, leg: int) -> bool:
        return any(reason == "take_profit" and order == leg + 1 for _, _, _, reason, order in self.exits)

    def place_target(self) -> bool:
        """Send each target anew whose quantity changed; whether one executed at once, as a taker."""
        for leg, (quantity, (price, _)) in enumerate(zip(self.split(), self.targets, strict=True)):
            if not quantity or self.filled(leg) or self.resting.get(("target", leg)) == quantity:
                continue
            if self.beyond(price, self.price):
                self.resting.pop(("target", leg), None)
                self.leave(quantity, self.price, self.taker, "take_profit", leg + 1)
                return True
            self.resting["target", leg] = quantity
        return False

    def level_of(self, after: dict[str, Any]) -> Decimal:
        if after.get("r"):
            return self.average + self.sign * D(after["r"]) * abs(self.average - self.first_stop)
        return self.average * (1 + self.sign * D(after["percent"]) / 100)

    def reached(self, after: dict[str, Any] | None) -> bool:
        """R and percent count from the average entry as it is, so only prices since the last entry count."""
        if not after:
            return True
        if after.get("take_profit"):
            return self.target_is_done(after["take_profit"] - 1)
        if after.get("minutes"):
            return self.since_first_fill(after["minutes"])
        return self.beyond(self.level_of(after), self.best_of_leg)

    def target_is_done(self, leg: int) -> bool:
        """A target too small for a lot is done with the next one."""
        split = self.split()
        while leg < len(split) - 1 and not split[leg]:
            leg += 1
        return self.filled(leg)

    def move_stop(self) -> None:
        """To the tightest price that any rule asks for; a rule of time waits until the price is on the right side."""
        for asked, cause, after in self.asked():
            level = self.on_tick(asked)
            waits = bool(after and after.get("minutes")) and self.beyond(self.price, level)
            if level > 0 and not waits and level != self.stop and self.beyond(self.stop, level):
                self.stop, self.cause = level, cause

    def on_tick(self, price: Decimal) -> Decimal:
        """The first price in favour of us that can trade."""
        rounding = ROUND_CEILING if self.sign > 0 else ROUND_FLOOR
        return (price / self.tick).to_integral_value(rounding) * self.tick

    def asked(self) -> list[tuple[Decimal, str, dict[str, Any] | None]]:
        asked: list[tuple[Decimal, str, dict[str, Any] | None]] = []
        even, trail = self.rules.get("break_even"), self.rules.get("trail")
        if even and self.reached(even["after"]):
            fee = self.entry_fees * self.held / self.entered
            costs = (self.average + self.sign * fee / self.held) / (1 - self.sign * self.taker)
            asked.append((self.average if even.get("cover") == "entry" else costs, "break_even", even["after"]))
        if self.rules.get("step"):
            done = [n for n in range(1, len(self.targets)) if self.target_is_done(n)]
            asked.extend((self.targets[n - 1][0], "step", None) for n in done)
        if trail and self.reached(trail.get("after")):
            level = self.best * (1 - self.sign * D(trail["percent"]) / 100)
            asked.append((level, "trailing_stop", trail.get("after")))
        return asked

    # the walk
    def met(self, way: int) -> list[tuple[Decimal, str, int]]:
        """What the price would meet going up (1) or down (-1)."""
        found: list[tuple[Decimal, str, int]] = []
        with_us = way == self.sign
        for kind, leg in self.resting:
            entry = self.doc["entries"][leg] if kind == "entry" else {}
            breakout = kind == "entry" and "trigger" in entry and leg not in self.triggered
            if kind == "target" and with_us:
                found.append((self.targets[leg][0], kind, leg))
            elif kind == "entry" and breakout == with_us:
                found.append((D(entry["trigger" if breakout else "price"]), kind, leg))
        if self.held and not with_us:
            found.append((self.stop, "stop", 0))
        if not self.withdrawn:
            found.extend((level, "rule", 0) for level, towards in self.cancel_levels() if towards == way)
        if self.held and with_us:
            rules = [self.rules.get("break_even"), self.rules.get("trail")]
            afters = [rule["after"] for rule in rules if rule and rule.get("after")]
            levels = [self.level_of(after) for after in afters if after.get("r") or after.get("percent")]
            found.extend((self.on_tick(level), "rule", 0) for level in levels)
        return found

    def go(self, to: Decimal, *, jump: bool = False) -> None:
        """To the price `to`; a `jump` does not trade at the prices between, so what it meets executes at its end."""
        way, origin, seen = (1 if to > self.price else -1), self.price, set()
        if to == origin:
            self.react()
            return
        while ahead := sorted(
            (
                (way * level, kind, leg)
                for level, kind, leg in self.met(way)
                if way * (origin if jump else self.price) <= way * level <= way * to
            ),
            key=lambda thing: thing[0],
        ):
            fresh = [thing for thing in ahead if thing[1] != "rule" or thing[0] not in seen]
            if not fresh:
                break
            at, kind, leg = fresh[0]
            if kind == "rule":
                seen.add(at)
            self.price = to if jump else way * at
            self.execute(kind, leg)
            self.react()
        self.price = to
        self.react()

    def open(self, price: Decimal) -> None:
        """The first price of a candle. What time alone decides comes first: it was due before anything traded."""
        if self.expired():
            self.withdraw()
        if self.held and self.time_is_up():
            self.price = price
            self.leave_at_market("time")
        self.go(price, jump=True)

    def time_is_up(self) -> bool:
        limit = self.rules.get("close_after_minutes")
        return limit is not None and self.since_first_fill(limit)

    def execute(self, kind: str, leg: int) -> None:
        if kind == "stop":
            self.leave_at_market(self.cause)
        elif kind == "target":
            quantity = min(self.resting.pop(("target", leg)), self.held)
            self.leave(quantity, self.price, self.maker, "take_profit", leg + 1)
        elif kind == "entry":
            entry = self.doc["entries"][leg]
            if entry["kind"] == "trigger":
                self.enter_at_market(leg)
            elif entry["kind"] == "limit" or leg in self.triggered:
                self.enter(leg, self.price, self.maker)
            else:
                self.release(leg)


def play(oracle: Oracle, candles: list[Row], policy: str) -> tuple[Oracle, int]:
    """The trade after all candles, and how many candles were ambiguous."""
    ambiguous = 0
    with localcontext(prec=80):
        for time, open_, high, low, close in candles:
            oracle.now = time
            oracle.open(open_)
            ways = []
            for path in ((low, high, close), (high, low, close)):
                twin = copy.deepcopy(oracle)
                for point in path:
                    twin.go(point)
                ways.append(twin)
            fills = [sorted(twin.entries, key=str) + sorted(twin.exits, key=str) for twin in ways]
            ambiguous += fills[0] != fills[1]
            oracle = ways[0] if low_first(oracle, ways, policy, close >= open_) else ways[1]
    return oracle, ambiguous


def low_first(before: Oracle, ways: list[Oracle], policy: str, green: bool) -> bool:
    if policy == "colour":
        return green
    low, high = (way.equity for way in ways)
    if low != high:
        return (low < high) == (policy == "pessimistic")
    adverse_low = before.sign > 0
    return (adverse_low == bool(before.held)) == (policy == "pessimistic")
