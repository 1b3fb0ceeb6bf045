"""What beat starts. The work has a name elsewhere."""

from __future__ import annotations

from celery import shared_task

from . import chain


@shared_task(name="buddy.events.tasks.link_events", ignore_result=True)
def link_events() -> None:
    chain.extend()
