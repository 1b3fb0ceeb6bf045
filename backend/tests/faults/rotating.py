"""A process of its own that reads every exchange key over and over, or seals all of them anew over and over.

`python -m tests.faults.rotating read` (or `rotate`), until its input ends; then one JSON line on what it did.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

import django

Outcome = dict[str, Any]


def main(work: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "buddy.settings")
    django.setup()
    ending = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ending.set()), daemon=True).start()
    print("ready", flush=True)
    print(json.dumps({"read": read, "rotate": rotate}[work](ending.is_set)), flush=True)


def read(is_over: Callable[[], bool]) -> Outcome:
    """Under how many sealing keys each key was met, how often one was read, and what went wrong with that."""
    from buddy.exchanges.models import Credentials

    outcome: Outcome = {"reads": 0, "wrong": []}
    seals: set[str] = set()
    while not is_over():
        for row in Credentials.objects.all():
            seals.add(row.secret.split(".")[1])
            try:
                keys = row.keys()
            except Exception as error:  # noqa: BLE001  whatever it is, it is what is looked for
                outcome["wrong"].append(repr(error))
                continue
            outcome["reads"] += 1
            if keys.secret != keys.api_key.replace("key", "secret"):
                outcome["wrong"].append(f"torn: {row.pk}")
    return {**outcome, "seals": len(seals)}


def rotate(is_over: Callable[[], bool]) -> Outcome:
    """To and fro between the first key and the second."""
    from django.conf import settings

    from buddy.exchanges.resealing import reseal

    anew = rounds = 0
    while not is_over():
        settings.VAULT_KEY = ",".join(reversed(settings.VAULT_KEY.split(",")))
        anew, rounds = anew + reseal().anew, rounds + 1
    return {"anew": anew, "rounds": rounds}


if __name__ == "__main__":
    main(sys.argv[1])
