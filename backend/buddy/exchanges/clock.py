"""An account's clock. A replay has its own: it showed `clock_time` when the wall showed `clock_wall`."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from .models import Account
from .wall import wall

FULL_SPEED = "max"
SLOWEST, FASTEST = Decimal("0.1"), Decimal(100_000)


def replay_time(account: Account) -> int:
    """What a replay's clock shows now. At full speed it only moves when the paper exchange has walked on."""
    if account.replay_speed == FULL_SPEED:
        return account.clock_time
    passed = Decimal(wall() - account.clock_wall)
    return account.clock_time + int(passed * Decimal(account.replay_speed))


def set_clock(account: Account, shows: int) -> None:
    """From now on the replay's clock shows `shows` and runs on at the account's speed. Not saved here."""
    account.clock_wall, account.clock_time = wall(), shows


def read_speed(text: str) -> str | None:
    """The speed as it is kept, None for nonsense: "60", "×60" and "max" are speeds."""
    text = text.strip().lower().removeprefix("×").removeprefix("x")
    if text == FULL_SPEED:
        return FULL_SPEED
    try:
        factor = Decimal(text)
    except InvalidOperation:
        return None
    return f"{factor.normalize():f}"[:8] if factor.is_finite() and SLOWEST <= factor <= FASTEST else None
