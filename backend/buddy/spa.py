"""The single-page application: every address that is neither the API's nor a file's is its index.html.

The page may be built anew while the process runs. Then its files and the hash of its boot script are other ones, and
an old list of either would leave the browser with a blank page: both follow the page that is there.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from csp.constants import HEADER
from csp.middleware import CSPMiddleware, PolicyParts
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe
from whitenoise.middleware import WhiteNoiseMiddleware

NOT_BUILT = "<!doctype html><title>Trading Buddy</title><p>The pages are not built yet. Run <code>make run</code>."
_INLINE = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """`script_hashes`: what the content policy must allow for this very page."""

    content: bytes
    script_hashes: tuple[str, ...]


def index() -> Page:
    return _read(settings.FRONTEND_BUILD / "index.html", built_at())


def built_at() -> int:
    """When the page was built, in nanoseconds; 0 while there is none. A build writes it last."""
    try:
        return int((settings.FRONTEND_BUILD / "index.html").stat().st_mtime_ns)
    except FileNotFoundError:
        return 0


@lru_cache(maxsize=1)
def _read(path: Path, built: int) -> Page:
    content = path.read_bytes() if built else NOT_BUILT.encode()
    return Page(content, tuple(inline_script_hashes(content)))


def inline_script_hashes(page: bytes) -> list[str]:
    """CSP sources for the scripts written into `page`: SvelteKit boots with one."""
    return [
        f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in _INLINE.findall(page)
    ]


@require_safe
def show(request: HttpRequest, path: str = "") -> HttpResponse:
    """`no-cache`: the page is asked for anew each time, its hashed files are kept for ever."""
    return HttpResponse(index().content, headers={"Cache-Control": "no-cache"})


class Policy(CSPMiddleware):
    """The content policy of the settings, and the boot script of the page as it is now."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The library puts the header together for every answer anew; the usual one is kept instead."""
        if any(name.startswith("_csp_") for name in (*vars(response), *vars(request))):
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, _usual_policy(index().script_hashes))
        return response

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        parts.update = {"script-src": list(index().script_hashes), **(parts.update or {})}
        return parts


@lru_cache(maxsize=1)
def _usual_policy(script_hashes: tuple[str, ...]) -> str:
    """Where a view has changed nothing of it."""
    return str(build_policy(update={"script-src": list(script_hashes)}))


class Files(WhiteNoiseMiddleware):  # type: ignore[misc]  # whitenoise carries no types
    """The files of the page as it is now."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        super().__init__(get_response)
        self.files: dict[str, Any]
        self.built = 0

    def __call__(self, request: HttpRequest) -> Any:
        if (built := built_at()) != self.built and built:
            self._list_again(built)
        return super().__call__(request)

    def _list_again(self, built: int) -> None:
        """New files first, then without those that are gone: no request in between misses one that is there."""
        before = set(self.files)
        self.add_files(settings.FRONTEND_BUILD)
        self.files = {url: file for url, file in self.files.items() if url not in before or _exists(url)}
        self.built = built


def _exists(url: str) -> bool:
    return (Path(settings.FRONTEND_BUILD) / url.lstrip("/")).is_file()
