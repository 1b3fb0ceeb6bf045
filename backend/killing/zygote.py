"""A process that has loaded the whole product and done nothing: workers, webs and beats fork off it in a moment.

It reads a line of JSON for each from its standard input, and answers with the process id. It ends with its input, and
all that forked off it end with it.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
WORKER = ["--pool", "threads", "--concurrency", "4", "--queues", "watch,default,backtest"]
WORKER += ["--without-gossip", "--without-mingle"]
"""As the supervisor starts one."""


def work(order: Mapping[str, Any]) -> None:
    from django.conf import settings

    from buddy.celery import app

    settings.CANARY_ORDERS = order["proves"]
    app.worker_main(["worker", "--hostname", f"{os.getpid()}@story", *WORKER, "--loglevel", "WARNING"])


def beat(order: Mapping[str, Any]) -> None:
    from buddy.celery import app

    app.start(["beat", "--schedule", order["schedule"], "--pidfile", "", "--loglevel", "WARNING"])


def serve(order: Mapping[str, Any]) -> None:
    import uvicorn

    uvicorn.run(
        "buddy.asgi:application",
        host="127.0.0.1",
        port=order["port"],
        access_log=False,
        proxy_headers=False,
        server_header=False,
        log_level="warning",
    )


ROLES: dict[str, Callable[[Mapping[str, Any]], None]] = {"worker": work, "beat": beat, "web": serve}


def load() -> None:
    """All that a worker, a web or a beat would load by and by. No connection is opened, no thread started."""
    import importlib

    import django

    django.setup()
    for name in (
        "buddy.celery",
        "buddy.asgi",
        "buddy.urls",
        "buddy.exchanges.ccxt_connect",
        "buddy.exchanges.ccxt_public",
        "celery.apps.worker",
        "celery.apps.beat",
        "celery.bin.celery",
        "celery.concurrency.thread",
        "celery.worker.consumer",
        "kombu.transport.redis",
        "uvicorn.protocols.http.auto",
        "uvicorn.loops.auto",
        "uvicorn.lifespan.on",
    ):
        importlib.import_module(name)
    from buddy.celery import app

    app.loader.import_default_modules()
    app.finalize()
    from .pace import quicken

    quicken()


def live(order: Mapping[str, Any]) -> None:
    """In the fork: never returns to the zygote's own work."""
    from .board import Board
    from .executioner import Executioner

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setpgid(0, 0)
    null = os.open(os.devnull, os.O_RDONLY)
    log = os.open(order["log"], os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    for target, source in ((0, null), (1, log), (2, log)):
        os.dup2(source, target)
    Executioner(Board(Path(order["board"])), order.get("freezes_at", "")).set_to_work()
    ROLES[order["role"]](order)


def main() -> None:
    load()
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead leave nothing behind
    print("ready", flush=True)
    while line := sys.stdin.readline():
        order = json.loads(line)
        child = os.fork()
        if child:
            print(child, flush=True)
            continue
        try:
            live(order)
        finally:
            os._exit(0)


if __name__ == "__main__":
    main()
