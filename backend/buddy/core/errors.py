"""Errors are named by what the caller may do next.

CoreError
├── InvalidPlan       the plan cannot be carried out; every fault names its field and its cure
├── Denied            we refused: the account's limits or state forbid it
└── ExchangeError     the venue, or the way to it
    ├── Temporary     nothing happened; trying again later is safe
    │   └── CouldNotRead   neither flat nor open: change nothing on the strength of it
    │       └── KeyRefused     the venue does not accept our key (any more): only the trader can mend it
    ├── Rejected      the venue refused for sure; the same order would be refused again
    └── OutcomeUnknown     the order may or may not exist; look it up before anything else
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a document: `field` is a path like `take_profits.0.price`."""

    field: str
    message: str
    cure: str
    code: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message} {self.cure}".strip()


class CoreError(Exception):
    """Base of every error the core raises on purpose."""


class InvalidPlan(CoreError):
    """Carries *all* faults, so that everything can be mended in one go."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(str(fault) for fault in self.faults))


class Denied(CoreError):
    """Refused by us; `denials` are all the reasons (`core.risk.Denial`)."""

    def __init__(self, denials: Iterable[object]) -> None:
        self.denials = tuple(denials)
        super().__init__("; ".join(str(denial) for denial in self.denials))


class ExchangeError(CoreError):
    """Something at the venue, or on the way to it."""


class Temporary(ExchangeError):
    """Nothing happened; trying again later is safe."""


class CouldNotRead(Temporary):
    """The third reading beside flat and open: nothing is closed, sized or cancelled on it."""


class KeyRefused(CouldNotRead):
    """The venue does not accept our key: revoked, expired, or from the wrong address."""


class Rejected(ExchangeError):
    """The venue refused for sure. `code` says why, in our words (see `core.exchange.Refusal`)."""

    def __init__(self, message: str, code: str = "other") -> None:
        self.code = code
        super().__init__(message)


class OutcomeUnknown(ExchangeError):
    """The order may or may not exist; look it up by its client id before trying again."""
