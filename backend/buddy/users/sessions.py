"""Sessions in the database, where signing out ends them whatever the store holds; their rows read with prepared SQL."""

from __future__ import annotations

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from buddy.prepared import Select

_SESSION = Select(lambda key: Session.objects.filter(session_key=key))


class SessionStore(db.SessionStore):
    """As Django's own in everything but how its row is found; every request finds one."""

    def _get_session_from_db(self) -> Session | None:
        found = _SESSION.first(key=self.session_key)
        if found is not None and found.expire_date > timezone.now():
            return found
        self._session_key = None
        return None
