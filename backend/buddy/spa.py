"""The single-page application: every address that is neither the API's nor a file's is its index.html."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

NOT_BUILT = "<!doctype html><title>Trading Buddy</title><p>The pages are not built yet. Run <code>make run</code>."
_INLINE = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)


@cache
def index() -> bytes:
    page = settings.FRONTEND_BUILD / "index.html"
    return page.read_bytes() if page.is_file() else NOT_BUILT.encode()


def inline_script_hashes(page: bytes) -> list[str]:
    """CSP sources for the scripts written into `page`: SvelteKit boots with one."""
    return [
        f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in _INLINE.findall(page)
    ]


@require_safe
def show(request: HttpRequest, path: str = "") -> HttpResponse:
    """`no-cache`: the page is asked for anew each time, its hashed files are kept for ever."""
    return HttpResponse(index(), headers={"Cache-Control": "no-cache"})
