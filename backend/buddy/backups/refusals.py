"""Why something was not done, and what to do about it."""

from __future__ import annotations


class Refused(Exception):
    """Nothing was changed. `cure` is one plain sentence: what the operator does next."""

    def __init__(self, message: str, cure: str) -> None:
        super().__init__(message)
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.args[0]}\n  → {self.cure}"


class Unsound(Refused):
    """A backup that cannot be believed: damaged, cut short, or other than what was written down when it was taken."""
