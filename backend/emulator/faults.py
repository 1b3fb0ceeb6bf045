"""Faults on request: what goes wrong with which request, or with which stream event, and how often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase


class FaultKind(StrEnum):
    DROP_BEFORE = "drop_before"
    """The connection is cut, and nothing was done."""
    DROP_AFTER = "drop_after"
    """The connection is cut after it was done."""
    SLOW_BEFORE = "slow_before"
    """Done only after `seconds`, when the asker may have given up; answered then."""
    SLOW_AFTER = "slow_after"
    """Done at once, answered after `seconds`."""
    STATUS_BEFORE = "status_before"
    """Answered with HTTP `status`; nothing was done."""
    STATUS_AFTER = "status_after"
    """Answered with HTTP `status`, though it was done: what a venue calls "status unknown"."""
    REFUSE = "refuse"
    """Answered with the venue's own error `code` and `message`; nothing was done."""
    RATE_LIMIT = "rate_limit"
    """429 with Retry-After `seconds`; the venue then bans whoever goes on."""
    BAN = "ban"
    """418 for `seconds`, whatever is asked."""
    ECHO = "echo"
    """Answered with HTTP `status` and all that was sent, key and signature too; nothing was done."""
    GARBAGE = "garbage"
    """Done, and answered with something that is no JSON."""
    TRUNCATED = "truncated"
    """Done, and answered with the first half of the JSON."""
    EMPTY = "empty"
    """Answered with an empty list, though there is something."""
    STALE = "stale"
    """Read as it was `seconds` ago."""


class StreamFaultKind(StrEnum):
    LOSE = "lose"
    DUPLICATE = "duplicate"
    SWAP = "swap"
    """It arrives after the one that follows it."""
    DELAY = "delay"
    CLOSE = "close"
    """The socket is closed instead."""


@dataclass(slots=True)
class Fault:
    """Hits requests whose method, path (a shell pattern) and parameters match: the first `skip` not, then `times`.

    `times` None: until it is cleared. `key`: only this API key's.
    """

    kind: FaultKind
    method: str = ""
    path: str = "*"
    params: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    skip: int = 0
    times: int | None = 1
    seconds: float = 0
    status: int = 503
    code: int = 0
    message: str = ""
    body: str = ""
    hits: int = 0

    def matches(self, method: str, path: str, params: Mapping[str, str], key: str) -> bool:
        return (
            self.method in ("", method)
            and fnmatchcase(path, self.path)
            and all(params.get(name) == value for name, value in self.params.items())
            and self.key in ("", key)
        )

    def takes(self) -> bool:
        """Whether it hits this one of the requests that match."""
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        self.hits += 1
        return True


@dataclass(slots=True)
class StreamFault:
    """Hits events of account streams whose name (a shell pattern) matches."""

    kind: StreamFaultKind
    event: str = "*"
    skip: int = 0
    times: int | None = 1
    seconds: float = 0
    hits: int = 0

    def takes(self) -> bool:
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        self.hits += 1
        return True


@dataclass(slots=True)
class Faults:
    requests: list[Fault] = field(default_factory=list)
    streams: list[StreamFault] = field(default_factory=list)
    stalled: bool = False
    """Streams stay open and say nothing."""

    def clear(self) -> None:
        self.requests.clear()
        self.streams.clear()
        self.stalled = False

    def of_request(self, method: str, path: str, params: Mapping[str, str], key: str) -> Iterator[Fault]:
        """Those that hit this request. One that is used up is forgotten."""
        for fault in list(self.requests):
            if fault.matches(method, path, params, key) and fault.takes():
                yield fault
            if fault.times == 0:
                self.requests.remove(fault)

    def of_event(self, name: str) -> StreamFault | None:
        """The first that hits this event."""
        for fault in list(self.streams):
            if fnmatchcase(name, fault.event) and fault.takes():
                if fault.times == 0:
                    self.streams.remove(fault)
                return fault
        return None
