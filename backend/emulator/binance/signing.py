"""Whose a request is: keys, signatures and time windows, the same at all of Binance's markets."""

from __future__ import annotations

from ..params import Params
from ..protocol import signature
from ..refusals import Reason, Refused, VenueError
from ..venue import Key, Venue

RECEIVE_WINDOW = 5_000
MOST_AHEAD = 1_000
"""Milliseconds that a request's timestamp may lie ahead of the venue's clock."""
NOT_ALLOWED = VenueError(-2015, "Invalid API-key, IP, or permissions for action.", 401)


def known_key(venue: Venue, name: str) -> Key:
    """Raises VenueError for one that opens nothing."""
    if not name:
        raise VenueError(-2014, "API-key format invalid.", 401)
    key = venue.keys.get(name)
    if key is None or not key.active or key.has_expired(venue.now()):
        raise NOT_ALLOWED
    return key


def check_time(p: Params, now: int) -> None:
    """Raises VenueError, or Refused."""
    stamp, window = p.whole("timestamp"), p.whole("recvWindow")
    if stamp is None:
        raise Refused(Reason.PARAMETER_MISSING, "timestamp")
    window = RECEIVE_WINDOW if window is None else window
    if window > 60_000:
        raise VenueError(-1131, "recvWindow must be less than 60000.")
    if stamp > now + MOST_AHEAD:
        raise VenueError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if stamp < now - window:
        raise VenueError(-1021, "Timestamp for this request is outside of the recvWindow.")


def check_signature(key: Key, signed: str, given: str) -> None:
    """`signed`: query and body as they came, without the signature itself. Raises VenueError, or Refused."""
    if not given:
        raise Refused(Reason.PARAMETER_MISSING, "signature")
    if given != signature(key.secret, signed):
        raise VenueError(-1022, "Signature for this request is not valid.")
