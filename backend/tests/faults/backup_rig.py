"""Desks to back up and to restore to: the product's own tables with rows in them, on SQLite and on a real Postgres."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.management import call_command
from django.utils import timezone

from buddy import env
from buddy.backups.connecting import as_default, connected
from buddy.backups.desk import Desk, database_of
from buddy.backups.rotation import Kept
from buddy.backups.sealing import KeyPair
from buddy.backups.shelf import Shelf
from buddy.backups.taking import Taken, take
from buddy.events.models import Event
from buddy.exchanges.models import Account, Credentials, Keys
from buddy.journal.models import Entry, Screenshot
from buddy.trading.models import Fill, Order, Trade
from buddy.users.models import User
from scripts.stores import Postgres
from tests.conftest import PASSWORD

KINDS = ("sqlite", "postgresql")
EMAIL = "canary-of-a-trader@example.org"
KEYS = Keys("canary-api-key-7Hq2", "canary-secret-Zx81kPq", "canary-passphrase-pp")
NOTE = "Zu früh ▲ raus; nächstes Mal warten"
PLAN = {
    "symbol": "BTC/USDT:USDT",
    "side": "long",
    "entries": [{"kind": "market"}],
    "stop": {"price": "63000"},
    "take_profits": [{"price": "66000"}],
    "risk": {"percent": "1"},
}
ODD_NAMES = ("screenshots/one.webp", "screenshots/ö ▲ \n'\".webp", "a/" * 60 + "deep.png", "-rf", "x" * 180, "empty")
OPERATOR = KeyPair.fresh()
TRADES = 40
IS_DONE_ELSEWHERE = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
"""Once is enough: these tests are the same whatever the default database is."""
AGAIN = "again"
"""Under which name a test looks into a database."""


class Places:
    """Makes desks: their databases are files in a folder, or databases of a server."""

    def __init__(self, kind: str, folder: Path, server: Postgres) -> None:
        self.kind, self.folder, self.server = kind, folder, server
        self.count = 0
        self.has_first = False

    def desk(self, *, full: bool = False) -> Desk:
        """An empty one, or one with rows and media; each with folders of its own."""
        if full and not self.has_first:
            self._make_the_first()
        self.count += 1
        desk = self._named(f"desk{self.count}")
        if full:
            _fill_media(desk.media)
        self._create(desk, copy=full)
        return desk

    def url(self, name: str) -> str:
        if self.kind == "sqlite":
            return f"sqlite://{self.folder / name / 'buddy.sqlite3'}"
        return self.server.url.rsplit("/", 1)[0] + f"/{name}"

    def _named(self, name: str) -> Desk:
        home = self.folder / name
        home.mkdir()
        database = database_of(env.database(self.url(name)))
        return Desk(database, home / "media", Shelf(home / "shelf"), home / "work", (OPERATOR.recipient,), Kept())

    def _make_the_first(self) -> None:
        """Migrated and filled once; the others are its copies."""
        self.has_first = True
        first = self._named("first")
        self._create(first, copy=False)
        with first.database.connected("filled") as connection, as_default(connection):
            call_command("migrate", database=connection.alias, interactive=False, verbosity=0)
            fill(connection.alias)

    def _create(self, desk: Desk, *, copy: bool) -> None:
        name = desk.database.entry["NAME"]
        if self.kind == "postgresql":
            with connected(env.database(self.server.url), "commanding") as connection, connection.cursor() as cursor:
                cursor.execute(f"CREATE DATABASE {name} TEMPLATE {'first' if copy else 'template0'}")
        elif copy:
            shutil.copy(self.folder / "first" / "buddy.sqlite3", name)


def fill(alias: str) -> None:
    """A trader, accounts on paper and at a venue with sealed keys, and trades with all that belongs to them."""
    user = User.objects.db_manager(alias).create_user(EMAIL)
    user.password = Argon2PasswordHasher().encode(PASSWORD, "salt" * 6)  # as the product itself writes them
    user.save(using=alias)
    paper = Account.objects.using(alias).create(owner=user, name="Practice", is_main=True)
    venue = Account.objects.using(alias).create(owner=user, name="Testnet", mode="testnet")
    row = Credentials(account=venue, in_use=True)
    row.keep(KEYS)
    row.save(using=alias)
    trades = [add_trade(alias, user, paper, number) for number in range(TRADES)]
    picture = {"image": ODD_NAMES[0], "width": 10, "height": 10}
    Screenshot.objects.using(alias).create(entry=trades[0].entry, **picture)


def add_trade(alias: str, user: User, account: Account, number: int) -> Trade:
    now = timezone.now()
    figures: dict[str, Any] = dict.fromkeys(("asked_risk", "first_stop", "initial_risk", "average_entry"), Decimal(100))
    figures |= {"net": Decimal(number) / 8, "fees": Decimal("0.1"), "funding": Decimal(0), "gross": Decimal(number)}
    figures |= {"average_exit": Decimal(110), "entered_quantity": Decimal(1), "r": Decimal(number) / 300}
    words = {"symbol": "BTC/USDT:USDT", "side": "long", "status": "closed", "exit_reason": "take_profit"}
    documents: dict[str, Any] = {"first_plan": PLAN, "plan": PLAN, "quantities": ["1"]}
    times = {"opened_at": now, "closed_at": now}
    trade = Trade.objects.using(alias).create(owner=user, account=account, **figures, **words, **documents, **times)
    order = Order.objects.using(alias).create(
        account=account,
        trade=trade,
        client_id=f"tb{trade.pk}-{number}",
        symbol=trade.symbol,
        role="entry",
        order_side="buy",
        kind="market",
        quantity=Decimal(1),
        status="filled",
    )
    execution: dict[str, Any] = {"price": Decimal("64000.1"), "quantity": Decimal("0.001"), "fee": Decimal("0.0320005")}
    execution |= {"order_side": "buy", "liquidity": "taker", "time": now, "raw": {"id": number}}
    Fill.objects.using(alias).create(
        account=account, trade=trade, order=order, fill_id=f"f{order.pk}", symbol=trade.symbol, **execution
    )
    Event.objects.using(alias).create(owner=user, kind="notice", text=f"Grüße ▲ {number}", data={"n": "1.10"}, time=now)
    Entry.objects.using(alias).create(trade=trade, notes=NOTE)
    return trade


def _fill_media(folder: Path) -> None:
    for name in ODD_NAMES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"" if name == "empty" else os.urandom(5000))
    (folder / "link").symlink_to("/etc/passwd")


def media_of(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def taken(desk: Desk) -> Taken:
    return take(desk, timezone.now())


@contextmanager
def looked_into(desk: Desk) -> Iterator[str]:
    """The alias to ask its database by."""
    with desk.database.connected(AGAIN) as connection:
        yield connection.alias


@contextmanager
def standing_on(desk: Desk) -> Iterator[None]:
    """Its database is the default one of this process, as in life."""
    with desk.database.connected("substitute") as connection, as_default(connection):
        yield
