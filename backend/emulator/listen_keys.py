"""Listen keys: what an account stream lives on. They run out unless they are kept alive."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from .venue import Key

LIFE = 3_600_000


@dataclass(slots=True)
class ListenKey:
    name: str
    owner: Key
    expires: int


@dataclass(slots=True)
class ListenKeys:
    clock: Callable[[], int]
    living: dict[str, ListenKey] = field(default_factory=dict)

    def open(self, owner: Key) -> ListenKey:
        """The account's living key, its life begun anew; or a new one."""
        found = next((each for each in self.living.values() if each.owner is owner and self.is_alive(each)), None)
        if found is None:
            name = secrets.token_hex(32)
            found = self.living[name] = ListenKey(name, owner, 0)
        found.expires = self.clock() + LIFE
        return found

    def is_alive(self, key: ListenKey) -> bool:
        return key.name in self.living and key.owner.active and key.expires > self.clock()

    def close(self, owner: Key) -> list[ListenKey]:
        """The account's keys, which are none any more."""
        gone = [each for each in self.living.values() if each.owner is owner]
        for each in gone:
            del self.living[each.name]
        return gone
