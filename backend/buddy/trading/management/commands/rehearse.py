"""`manage.py rehearse PLAN.json CANDLES.csv`: what would this plan have done?"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from decimal import Decimal
from math import inf, isfinite
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand

from buddy.core.errors import Fault, InvalidPlan

from ..candle_rows import Candles, read_csv, read_rows
from ..rehearsal_request import OPTIONS, play, read_instrument, read_options

LINE_KEYS = ("id", "plan", "candles", "options", "instrument")


class Command(BaseCommand):
    help = "Play a plan over recorded candles with the same management as live and paper."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("plan", nargs="?", help="the plan document, JSON; - reads it from standard input")
        parser.add_argument("candles", nargs="?", help="CSV: time, open, high, low, close, volume")
        parser.add_argument("--json", action="store_true", help="print the result, and errors, as JSON")
        parser.add_argument("--batch", metavar="FILE.jsonl", help="many rehearsals, one a line; - for standard input")
        parser.add_argument("--intrabar", help="pessimistic (the default), colour or optimistic")
        parser.add_argument("--fine", metavar="FINER.csv", help="finer candles, walked where they cover the others")
        parser.add_argument("--fee-maker", help="fraction; by default the instrument's")
        parser.add_argument("--fee-taker", help="fraction; by default the instrument's")
        parser.add_argument("--slippage", help="fraction lost by market orders and stops; by default 0")
        parser.add_argument("--equity", help="by default 10000")
        parser.add_argument("--instrument", metavar="FILE.json", help="without one, tick and lot do not round")

    def handle(self, *args: Any, **options: Any) -> None:
        given = {key: options[key] for key in OPTIONS if key != "fine" and options[key] is not None}
        try:
            if options["batch"]:
                self._batch(options["batch"], given, options)
            else:
                self._single(given, options)
        except InvalidPlan as invalid:
            self._fail(invalid, as_json=options["json"])
        except BrokenPipeError:
            sys.stderr.close()

    def _single(self, given: dict[str, Any], options: dict[str, Any]) -> None:
        if not options["plan"] or not options["candles"]:
            _refuse("", "Name a plan and its candles, or a --batch.", "rehearse PLAN.json CANDLES.csv", "missing")
        wanted = read_options(given)
        plan = _json(_text(options["plan"], "plan"), "plan")
        told = options["instrument"]
        instrument = read_instrument(_json(_text(told, "instrument"), "instrument")) if told else None
        candles = read_csv(_text(options["candles"], "candles").splitlines(), "candles")
        finer = read_csv(_text(options["fine"], "fine").splitlines(), "fine") if options["fine"] else None
        result = play(plan, candles, wanted, instrument, finer)
        self.stdout.write(json.dumps(result) if options["json"] else "\n".join(_told(result)))

    def _batch(self, name: str, given: dict[str, Any], options: dict[str, Any]) -> None:
        told = options["instrument"]
        instrument = _json(_text(told, "instrument"), "instrument") if told else None
        for line in _lines(name):
            if line.strip():
                self.stdout.write(encoded(answer(line, given, instrument)))

    def _fail(self, invalid: InvalidPlan, *, as_json: bool) -> NoReturn:
        if as_json:
            self.stderr.write(json.dumps({"error": error_of(invalid)}))
        else:
            for fault in invalid.faults:
                self.stderr.write(str(fault))
        raise SystemExit(1)


def answer(line: str, given: dict[str, Any], instrument: object) -> dict[str, Any]:
    """The result of one line of a batch with its id, or what is wrong with the line."""
    known: dict[str, Any] = {"id": None}
    try:
        asked = _json(line, "")
        if not isinstance(asked, dict):
            _refuse("", "A line is an object.", f"Give {', '.join(LINE_KEYS)}.", "not_an_object")
        known["id"] = asked.get("id")
        return known | _played(asked, given, instrument)
    except InvalidPlan as invalid:
        return known | {"error": error_of(invalid)}


def _played(asked: dict[str, Any], given: dict[str, Any], instrument: object) -> dict[str, Any]:
    for key in asked:
        if key not in LINE_KEYS:
            _refuse(key[:60], "This key is not known.", f"Known here: {', '.join(LINE_KEYS)}.", "unknown_key")
    options = {} if asked.get("options") is None else asked["options"]
    wanted = read_options(given | options if isinstance(options, dict) else options)
    told = instrument if asked.get("instrument") is None else asked["instrument"]
    candles = read_rows(asked.get("candles"), "candles")
    fine = options.get("fine") if isinstance(options, dict) else None
    finer: Candles | None = read_rows(fine, "options.fine") if fine is not None else None
    return play(asked.get("plan"), candles, wanted, read_instrument(told) if told is not None else None, finer)


def error_of(invalid: InvalidPlan) -> dict[str, Any]:
    faults = [{"field": f.field, "message": f.message, "cure": f.cure, "code": f.code} for f in invalid.faults]
    return {"message": str(invalid), "faults": faults}


def _lines(name: str) -> Iterable[str]:
    if name == "-":
        return sys.stdin
    return _file_lines(name)


def _file_lines(name: str) -> Iterator[str]:
    try:
        with Path(name).open(encoding="utf-8", errors="replace") as lines:
            yield from lines
    except OSError as error:
        _refuse("batch", f"{name}: {error.strerror}.", "Name a file that can be read.", "unreadable")


def _text(name: str, field: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8-sig")
    except OSError as error:
        _refuse(field, f"{name}: {error.strerror}.", "Name a file that can be read.", "unreadable")
    except UnicodeDecodeError:
        _refuse(field, f"{name} is not UTF-8 text.", "Save it as UTF-8.", "unreadable")


def _json(text: str, field: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        _refuse(field, f"This is not JSON: {str(error)[:200]}.", "Correct it.", "not_json")


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def encoded(result: dict[str, Any]) -> str:
    """One line of JSON; an id is written as it came."""
    return json.dumps(result, default=_number)


def _number(value: Any) -> Any:
    number = float(value) if isinstance(value, Decimal) else inf
    return number if isfinite(number) else str(value)


def _refuse(field: str, message: str, cure: str, code: str) -> NoReturn:
    raise InvalidPlan([Fault(field, message, cure, code)])


def _told(result: dict[str, Any]) -> Iterator[str]:
    """The result for people."""
    for name in ("entries", "exits"):
        for row in result[name]:
            order = f" {row['order']}" if row["order"] else ""
            yield f"{name:8} {row['time']}  {row['quantity']} at {row['price']}  {row['reason']}{order}"
    for name in ("gross", "fees", "funding", "net", "initial_risk", "r", "ambiguous_candles", "open_quantity"):
        yield f"{name:18} {result[name] if result[name] is not None else '–'}"
