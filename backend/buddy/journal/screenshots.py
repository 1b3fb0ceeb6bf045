"""Keeping, replacing and dropping the one screenshot of a trade. The old file goes only once the new row is certain."""

from __future__ import annotations

from uuid import uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from buddy.trading.models import Trade

from .models import Entry, Screenshot
from .pictures import Picture
from .words import entry_of

FOLDER = "screenshots"


def keep(trade: Trade, picture: Picture) -> Screenshot:
    """Store the picture under a random name and make it the trade's, in place of one before."""
    name = default_storage.save(f"{FOLDER}/{uuid4().hex}{picture.suffix}", ContentFile(picture.content))
    try:
        return _put(trade, name, picture)
    except BaseException:
        default_storage.delete(name)
        raise


@transaction.atomic
def _put(trade: Trade, name: str, picture: Picture) -> Screenshot:
    entry = Entry.objects.select_for_update().get(pk=entry_of(trade).pk)
    _forget_file(Screenshot.objects.filter(entry=entry).first())
    values = {"image": name, "width": picture.width, "height": picture.height}
    return Screenshot.objects.update_or_create(entry=entry, defaults=values)[0]


@transaction.atomic
def drop(screenshot: Screenshot) -> None:
    _forget_file(screenshot)
    screenshot.delete()


def _forget_file(screenshot: Screenshot | None) -> None:
    if screenshot:
        old = str(screenshot.image.name)
        transaction.on_commit(lambda: default_storage.delete(old))
