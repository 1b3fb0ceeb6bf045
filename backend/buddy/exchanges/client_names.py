"""Our client order ids as a venue wants them, and back: mostly as they are, at some as the UUID inside of them."""

from __future__ import annotations

from uuid import UUID

PREFIX, LETTERS = "tb", "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 26


def to_venue(client_id: str, how: str) -> str:
    """What is no id of ours stays as it is."""
    if how != "uuid" or not _is_ours(client_id):
        return client_id
    number = 0
    for letter in client_id.removeprefix(PREFIX):
        number = number << 5 | LETTERS.index(letter)
    return str(UUID(int=number)) if number < 1 << 128 else client_id


def from_venue(name: str, how: str) -> str:
    """A UUID of another version than ours is somebody else's."""
    try:
        number = UUID(name) if how == "uuid" else None
    except ValueError:
        return name
    if number is None or number.version != 7:
        return name
    return PREFIX + "".join(LETTERS[number.int >> 5 * place & 31] for place in reversed(range(LENGTH)))


def _is_ours(client_id: str) -> bool:
    letters = client_id.removeprefix(PREFIX)
    return len(client_id) == len(PREFIX) + LENGTH and letters != client_id and set(letters) <= set(LETTERS)
