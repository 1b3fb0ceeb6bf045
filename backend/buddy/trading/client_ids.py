"""Our client order ids: "tb" and a UUIDv7 in 26 lower-case letters and digits. They fit every venue, sorted by time."""

from __future__ import annotations

import secrets
import time

PREFIX = "tb"
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: nothing that reads like something else."""
LENGTH = 26


def new_client_id() -> str:
    """A fresh id, unique for ever."""
    number = _uuid7()
    letters = [ALPHABET[number >> 5 * place & 31] for place in reversed(range(LENGTH))]
    return PREFIX + "".join(letters)


def is_ours(client_id: str) -> bool:
    return client_id.startswith(PREFIX) and len(client_id) == len(PREFIX) + LENGTH


def _uuid7() -> int:
    """RFC 9562: 48 bits of milliseconds, version, 12 random bits, variant, 62 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    return milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
