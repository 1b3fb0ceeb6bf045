"""Where stories are played: a stand-in of each venue, a web, a trader at it, and workers and beats to be killed.

One stage stands on a database and a store of its own. A run's account is new; when the run is over it is archived.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.utils import timezone

from buddy.celery import app
from buddy.exchanges.models import Account, Credentials, Keys
from buddy.store import store
from emulator.handle import Hand, StandIn, running
from scripts.stores import free_port

from .processes import Process, Zygote
from .trader import Trader

COINS, CONTRACTS = "BTC/USDT", "BTC/USDT:USDT"
PRICE = "100000"
WALLET = 10_000
WATCH = "buddy.trading.tasks.watch_all"
ROLES = ("worker", "web", "beat")


class Stage:
    """`stand_in`: the venues; `zygote`: what all processes fork off."""

    def __init__(self, folder: Path, stand_in: StandIn, zygote: Zygote) -> None:
        self.folder, self.stand_in, self.zygote = folder, stand_in, zygote
        self.boards = {role: zygote.board(role) for role in ROLES}
        self.port = free_port()
        self.web = self.new_web()
        self.trader = Trader(self.port)

    def new_web(self) -> Process:
        return self.zygote.fork("web", port=self.port)

    def new_worker(self, name: str = "worker", freezes_at: str = "", *, proves: bool = False) -> Process:
        """`proves`: it sends canary orders."""
        return self.zygote.fork("worker", name, freezes_at=freezes_at, proves=proves)

    def new_beat(self) -> Process:
        return self.zygote.fork("beat", schedule=str(self.folder / "schedule"))

    def tick(self) -> None:
        """What beat enqueues every two seconds."""
        app.send_task(WATCH, queue="watch", expires=2, retry=False)

    def flush(self) -> None:
        """The store forgets everything."""
        store().flushall()

    def hand(self, venue: str) -> Hand:
        found: Hand = getattr(self.stand_in, venue.replace("-", "_"))
        return found

    def open_account(self, venue: str) -> tuple[Account, str]:
        """A new one with 10 000 USDT, at a price of 100 000; and its key there."""
        hand, key = self.hand(venue), f"key-{uuid.uuid4().hex}"
        hand.clear_faults()
        forget_prices()
        hand.open_account(key, "secret", wallet=str(WALLET))
        account = Account.objects.create(
            owner=self.trader.user,
            name=key,
            mode=Account.Mode.LIVE,
            price_source=Account.PriceSource.LIVE,
            venue=venue,
            margin_mode="cross" if venue == "bybit" else "isolated",  # there it is the whole account's
        )
        hand.set_price(COINS if account.is_spot else CONTRACTS, PRICE, jump=True)
        row = Credentials(account=account, in_use=True, can_trade=True, can_withdraw=False)
        row.keep(Keys(key, "secret"))
        row.save()
        return account, key

    def retire(self, account: Account, key: str) -> None:
        """Nobody looks at it any more, and the venue forgets it."""
        Account.objects.filter(pk=account.pk).update(archived_at=timezone.now())
        self.hand(account.venue).close_account(key)


def forget_prices() -> None:
    """Those of the last run: between two runs a market leaps."""
    for name in store().scan_iter(match="*:ticker*"):
        store().delete(name)


@contextmanager
def standing(folder: Path, words: dict[str, str], port: int) -> Iterator[Stage]:
    """A stage in this process, whose settings name the stores; `port` is the stand-in's."""
    with ExitStack() as after:
        stand_in = after.enter_context(running(port))
        zygote = Zygote(folder, words)
        after.callback(zygote.close)
        yield Stage(folder, stand_in, zygote)
