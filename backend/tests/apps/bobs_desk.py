"""A desk with everything on it, and a snapshot of all its rows: what a stranger's request must never touch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.admindocs.views import simplify_regex
from django.core.files.base import ContentFile
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from PIL import Image

from buddy.events.record import record
from buddy.exchanges import paper_book
from buddy.exchanges.connect import source_for
from buddy.exchanges.models import Account, Credentials, Keys, PaperBook, VenueFacts
from buddy.journal.models import Entry, Screenshot, Setup, Tag
from buddy.trading.models import Fill, ForeignPosition, IdempotentCall, Income, Order, Trade

from .records import closed, still_open

OWNER_OF = {
    "users.User": "pk",
    "events.Event": "owner",
    "exchanges.Account": "owner",
    "exchanges.PaperBook": "account__owner",
    "exchanges.Credentials": "account__owner",
    "exchanges.VenueFacts": "account__owner",
    "trading.Trade": "owner",
    "trading.Order": "account__owner",
    "trading.Fill": "account__owner",
    "trading.Income": "account__owner",
    "trading.Alarm": "account__owner",
    "trading.Canary": "account__owner",
    "trading.ForeignPosition": "account__owner",
    "trading.IdempotentCall": "owner",
    "journal.Setup": "owner",
    "journal.Tag": "owner",
    "journal.Entry": "trade__owner",
    "journal.Screenshot": "entry__trade__owner",
    "journal.Entry_tags": "tag__owner",
}
"""The way from every table to whom its rows belong."""
NOBODYS = {"events.Pulse", "events.Link", "backups.Backup"}
"""Signs of life of the desk's own processes, the chain over all events, and what was saved of all."""

VERBS = ("get", "post", "put", "patch", "delete")
Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Desk:
    """One row of each kind that a request may name."""

    owner: Any
    account: Account
    open: Trade
    closed: Trade
    setup: Setup
    tag: Tag

    @property
    def ids(self) -> dict[str, int]:
        return {
            "account": self.account.pk,
            "trade": self.closed.pk,
            "open": self.open.pk,
            "setup": self.setup.pk,
            "tag": self.tag.pk,
            "foreign": ForeignPosition.objects.get(account=self.account).pk,
        }


def furnish(owner: Any, name: str) -> Desk:
    """A desk whose every text holds `name`."""
    account = Account.objects.create(owner=owner, name=f"{name} account", is_main=True)
    PaperBook.objects.create(account=account, state=paper_book.load(account).document())
    _at_a_venue(owner, name)
    plan = plan_at(account)
    words = {"first_plan": plan, "plan": plan, "quantities": ["1"]}
    whole, running = closed(account, **words), still_open(account, **words)
    setup = Setup.objects.create(owner=owner, name=f"{name} setup")
    tag = Tag.objects.create(owner=owner, name=f"{name} tag")
    entry = Entry.objects.create(trade=whole, notes=f"{name} notes", setup=setup)
    entry.tags.add(tag)
    Screenshot.objects.create(entry=entry, image=ContentFile(_picture(), f"{name}.webp"), width=2, height=2)
    _executed(whole, name)
    record(owner_id=owner.pk, kind="notice", text=f"{name} event", account_id=account.pk, trade_id=whole.pk)
    IdempotentCall.objects.create(owner=owner, key=f"{name} key", fingerprint="", status=200, answer={})
    held: dict[str, Any] = {"symbol": "ETH/USDT:USDT", "side": "short", "quantity": 1, "average_entry": 100}
    seen = datetime(2025, 6, 1, tzinfo=UTC)
    ForeignPosition.objects.create(account=account, **held, first_seen=seen, confirmed=True, ignored=True)
    return Desk(owner, account, running, whole, setup, tag)


def _at_a_venue(owner: Any, name: str) -> None:
    """Another account, with a key."""
    account = Account.objects.create(owner=owner, name=f"{name} testnet", mode="testnet", price_source="live")
    row = Credentials(account=account, in_use=True)
    row.keep(Keys(f"{name} api key", f"{name} secret"))
    row.save()
    facts = {"wallet": 1, "equity": 1, "free": 1, "balance_at": timezone.now(), "symbols": [f"{name} symbol"]}
    VenueFacts.objects.create(account=account, **facts)


def _executed(trade: Trade, name: str) -> None:
    what: dict[str, Any] = {"account": trade.account, "trade": trade, "symbol": trade.symbol}
    order = Order.objects.create(
        **what, client_id=f"tb{trade.pk}", role="entry", order_side="buy", kind="limit", quantity=1, status="filled"
    )
    moment = datetime(2025, 6, 1, tzinfo=UTC)
    bought: dict[str, Any] = {"order_side": "buy", "price": 100, "quantity": 1, "fee": 0, "liquidity": "taker"}
    Fill.objects.create(**what, **bought, order=order, fill_id=f"{name} fill", time=moment)
    Income.objects.create(**what, income_id=f"{name} income", kind="funding", amount=1, time=moment)


def _picture() -> bytes:
    written = BytesIO()
    Image.new("RGB", (2, 2)).save(written, "WEBP")
    return written.getvalue()


def plan_at(account: Account) -> dict[str, Any]:
    """A long that the account could open now, resting below the price."""
    price = int(source_for(account).quote("BTC/USDT:USDT").last)
    return {
        "symbol": "BTC/USDT:USDT",
        "entries": [{"kind": "limit", "price": str(price * 95 // 100)}],
        "stop": {"price": str(price * 90 // 100)},
        "take_profits": [{"price": str(price * 98 // 100)}],
        "risk": {"percent": "1"},
    }


def rows(owner: Any = None) -> Rows:
    """Every row of every table, or only those of one owner."""
    found = {}
    for label, path in OWNER_OF.items():
        table = apps.get_model(label)._default_manager.order_by("pk")
        found[label] = list((table.filter(**{path: owner.pk}) if owner else table).values())
    return found


def fingerprint(*but: str) -> dict[str, str]:
    """Of every table there is, ours or not, and of every file that was uploaded, what it comes to; `but` these."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        if model._meta.label not in but:
            whole = repr([*model._default_manager.order_by("pk").values_list()])
            found[model._meta.label] = sha256(whole.encode()).hexdigest()
    files = sorted(path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file())
    return found | {f"file {path.name}": sha256(path.read_bytes()).hexdigest() for path in files}


def others() -> list[str]:
    """The addresses that no view of the API stands behind, apart from signing in."""
    return sorted(str(one.pattern) for one in _leaves(get_resolver()) if not hasattr(one.callback, "cls"))


def _leaves(resolver: URLResolver) -> Iterator[URLPattern]:
    for one in resolver.url_patterns:
        if isinstance(one, URLPattern):
            yield one
        elif not str(one.pattern).startswith("_allauth"):
            yield from _leaves(one)


def routes() -> set[str]:
    """Every "METHOD address" below /api/v1/, read from the URLconf."""
    return {f"{method} {address}" for address, view in _views(get_resolver()) for method in _methods(view)}


def _views(resolver: URLResolver, before: str = "") -> list[tuple[str, Any]]:
    found = []
    for one in resolver.url_patterns:
        address = before + str(one.pattern).replace("<int:", "<")
        if isinstance(one, URLPattern):
            found.append((simplify_regex(address).removeprefix("/api/v1/"), one.callback))
        elif not address.startswith("_allauth"):
            found += _views(one, address)
    return [(address, view) for address, view in found if hasattr(view, "cls")]


def _methods(view: Any) -> set[str]:
    """A view set's `actions` name them; other views have a function for each."""
    verbs = set(getattr(view, "actions", None) or [verb for verb in VERBS if hasattr(view.cls, verb)])
    return {verb.upper() for verb in verbs & set(VERBS) & set(view.cls.http_method_names)}
