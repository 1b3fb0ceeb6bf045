"""Keeping, replacing and dropping the one screenshot of a trade. The old file goes only once the new row is certain."""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Sum

from buddy.trading.models import Trade
from buddy.users.models import User

from .models import Entry, Screenshot
from .pictures import Picture, refused
from .words import entry_of

FOLDER = "screenshots"
MEGABYTE = 1_000_000


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
    User.objects.select_for_update().get(pk=trade.owner_id)  # whoever uploads many at once has them counted one by one
    entry = Entry.objects.select_for_update().get(pk=entry_of(trade).pk)
    size = len(picture.content)
    _insist_on_room(trade, entry, size)
    _forget_file(Screenshot.objects.filter(entry=entry).first())
    values = {"image": name, "width": picture.width, "height": picture.height, "size": size}
    return Screenshot.objects.update_or_create(entry=entry, defaults=values)[0]


def _insist_on_room(trade: Trade, entry: Entry, size: int) -> None:
    """Raises Problem where the trader's pictures would fill more than there is; the one replaced makes room."""
    others = Screenshot.objects.filter(entry__trade__owner_id=trade.owner_id).exclude(entry=entry)
    if (others.aggregate(used=Sum("size"))["used"] or 0) + size > settings.SCREENSHOTS_MB * MEGABYTE:
        message = f"Your screenshots fill the {settings.SCREENSHOTS_MB} MB that there are for them."
        raise refused("quota", message, "Delete some, or have SCREENSHOTS_MB raised.", status=413)


@transaction.atomic
def drop(screenshot: Screenshot) -> None:
    _forget_file(screenshot)
    screenshot.delete()


def _forget_file(screenshot: Screenshot | None) -> None:
    if screenshot:
        old = str(screenshot.image.name)
        transaction.on_commit(lambda: default_storage.delete(old))
