"""Who a session belongs to, as allauth answers it; every request asks, so the row is read with prepared SQL."""

from __future__ import annotations

from allauth.account.auth_backends import AuthenticationBackend as Allauth

from buddy.prepared import Select
from buddy.users.models import User

_USER = Select(lambda user: User.objects.filter(pk=user))


class AuthenticationBackend(Allauth):  # type: ignore[misc]
    def get_user(self, user_id: int) -> User | None:
        """None for somebody who is gone or may no longer sign in."""
        user = _USER.first(user=user_id)
        return user if user is not None and self.user_can_authenticate(user) else None
