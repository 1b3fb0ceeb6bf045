"""A signed-in HTTP client for the real processes: cookies, CSRF, JSON; nothing of Django."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from http.cookiejar import CookieJar
from typing import Any


class Desk:
    """One trader at one running desk. Calls are repeated while the web is being started again."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.jar = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def sign_up(self) -> None:
        self.call("GET", "/_allauth/browser/v1/config")
        who = {"email": f"{uuid.uuid4().hex}@example.org", "password": "correct horse battery staple"}
        self.call("POST", "/_allauth/browser/v1/auth/signup", who)

    def get(self, path: str) -> Any:
        return self.call("GET", f"/api/v1/{path}")

    def post(self, path: str, body: Any) -> Any:
        return self.call("POST", f"/api/v1/{path}", body, key=uuid.uuid4().hex)

    def call(self, method: str, path: str, body: Any = None, key: str = "", seconds: float = 30) -> Any:
        """The answer's JSON; the same request, with the same key, until there is one."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self._once(method, path, body, key)
            except urllib.error.HTTPError as refused:
                if refused.code not in (409, 503) or time.monotonic() > deadline:
                    raise AssertionError(f"{method} {path}: {refused.code} {refused.read().decode()}") from refused
            except OSError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.2)

    def _once(self, method: str, path: str, body: Any, key: str) -> Any:
        headers = {"Content-Type": "application/json", "Referer": self.url, "Origin": self.url}
        headers["X-CSRFToken"] = next((cookie.value or "" for cookie in self.jar if "csrftoken" in cookie.name), "")
        headers |= {"Idempotency-Key": key} if key else {}
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=sent, headers=headers, method=method)
        with self.opener.open(request, timeout=10) as answer:
            return json.loads(answer.read() or "null")
