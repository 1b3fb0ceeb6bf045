"""The trader at the browser: signed in, and clicking again with the same key until there is an answer."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model

from buddy.users.sessions import SessionStore

TOKEN = "k" * 32
PATIENCE = 90.0
"""Seconds until a web that does not answer is given up."""
AGAIN = (409, 503)
UNREAD = "reading_old"
"""Nothing is entered at a venue that was not read just now: the trader is told to try again."""


class Trader:
    """`user` is signed in on the web at `port`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.user: Any = get_user_model().objects.create_user(f"{uuid.uuid4().hex}@example.org")
        session = SessionStore()
        session[SESSION_KEY] = str(self.user.pk)
        session[BACKEND_SESSION_KEY] = "buddy.users.backends.AuthenticationBackend"
        session[HASH_SESSION_KEY] = self.user.get_session_auth_hash()
        session.save()
        self.cookies = f"sessionid={session.session_key}; csrftoken={TOKEN}"

    def get(self, path: str) -> Any:
        return self._until_answered("GET", path, None)

    def post(self, path: str, body: Any) -> Any:
        return self._until_answered("POST", path, body)

    def _until_answered(self, method: str, path: str, body: Any) -> Any:
        """With one key, unless it was denied for what passes: a denial is the answer to that key for good."""
        deadline, key = time.monotonic() + PATIENCE, uuid.uuid4().hex
        while True:
            try:
                status, told = self._once(method, path, body, key)
            except (OSError, http.client.HTTPException) as trouble:
                status, told = 503, repr(trouble)
            if status < 300:
                return told
            if status not in AGAIN or time.monotonic() > deadline:
                raise AssertionError(f"{method} {path}: {status} {told}")
            if _codes(told) == {UNREAD}:
                key = uuid.uuid4().hex
            time.sleep(0.1)

    def _once(self, method: str, path: str, body: Any, key: str) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json", "Cookie": self.cookies, "X-CSRFToken": TOKEN}
        headers |= {"Idempotency-Key": key} if body is not None else {}
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            line.request(method, f"/api/v1/{path}", None if body is None else json.dumps(body), headers)
            answer = line.getresponse()
            text = answer.read().decode()
        finally:
            line.close()
        return answer.status, json.loads(text) if text.startswith(("{", "[")) else text


def _codes(problem: Any) -> set[str]:
    """Of an RFC 9457 problem: of everything that is wrong."""
    errors = problem.get("errors", {}) if isinstance(problem, dict) else {}
    return {each["code"] for found in errors.values() for each in found}
