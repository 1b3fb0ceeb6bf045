"""Whether the one who asks has proved lately who they are; for what puts real money at risk."""

from __future__ import annotations

import time

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest

from buddy.problems import Problem, fault


def insist_on_recent_sign_in(request: HttpRequest) -> None:
    """Raises a Problem (403) that names the cure unless a sign-in, or a password or code typed again, is fresh."""
    if time.time() - _last_proof(request) <= settings.RECENT_SIGN_IN:
        return
    minutes = settings.RECENT_SIGN_IN // 60
    cure = "Type your password again (POST /_allauth/browser/v1/auth/reauthenticate), then repeat this."
    detail = f"This needs a sign-in that is not older than {minutes} minutes."
    raise Problem(403, "sign_in_again", detail, {"request": [fault(detail, cure, "sign_in_again")]})


def _last_proof(request: HttpRequest) -> float:
    """Seconds since the epoch, by the session's own records; 0 where it has none."""
    records = get_authentication_records(request, request.user)
    return max((float(record["at"]) for record in records), default=0.0)
