"""How a world begins: the trader, the accounts, and who listens to their venues."""

from __future__ import annotations

from functools import partial

from buddy.core.market import ZERO
from buddy.exchanges.models import Account, Credentials, Keys, VenueFacts
from buddy.exchanges.venues import fees_of
from buddy.users.models import User

from .books import Executed
from .coin_witness import CoinWitness
from .line import PROFILES
from .market_changes import MarketChanges
from .story import Seat
from .uncovered import Gaps
from .witness import Witness
from .world import World


def settle_in(world: World, market: MarketChanges) -> None:
    """The user, the accounts, and all that is going to happen outside."""
    owner = world.owner = User.objects.create(email="trader@example.org")
    for number, seat in enumerate(world.story.seats):
        account = Account.objects.create(
            owner=owner,
            name=f"Account {number}",
            mode=Account.Mode.LIVE,
            price_source=Account.PriceSource.LIVE,
            venue=seat.venue,
            is_main=number == 0,
            position_mode="hedge" if seat.hedge else "one_way",
            max_leverage=50,
            **fees_of(seat.venue),
        )
        VenueFacts.objects.create(account=account, position_mode=account.position_mode)
        key = Credentials(account=account, in_use=True, can_trade=True, can_withdraw=False)
        key.keep(Keys(f"simulated-key-{number}", "simulated-secret"))
        key.save()
        world.accounts.append(account.pk)
        witness = CoinWitness if seat.is_spot else Witness
        world.witnesses.append(
            witness(account.pk, world.books[number], world.fates[number], world.rules, world.executioner.writes)
        )
        _listen(world, market, number)
    market.plan()


def _listen(world: World, market: MarketChanges, number: int) -> None:
    book, fate, witness = world.books[number], world.fates[number], world.witnesses[number]
    seen, taken = book.on_execution, book.on_acceptance
    book.on_delay, book.on_mode = fate.excuse, partial(market.mode_changed, number)
    gaps = Gaps(
        book,
        kind=_kind_of_gaps(book.seat),
        ours=lambda key: max(witness.ours[key] - witness.slack(key), ZERO),
        struck=lambda: fate.faults,
        excused_until=lambda symbol: max(fate.excused_until, world.rules.excused_until(symbol)),
        left_to_hand=witness.is_the_hands,
    )
    world.gaps.append(gaps)

    def accepted(name: str) -> None:
        with world.executioner.aside():
            taken(name)
            gaps.covered()

    def executed(one: Executed) -> None:
        with world.executioner.aside():
            seen(one)
            gaps.executed(one)
        fill = one.fill
        world.tell(f"[{number}] executed {one.name or 'venue'} {fill.order_side} {fill.quantity} at {fill.price}")
        world.changes(number)
        if world.story.streamed and not (fate.is_on("wakes_lost") or world.is_away("store_away")):
            world.woken.setdefault(number, world.clock.now + 150)

    book.on_execution, book.on_acceptance = executed, accepted


def _kind_of_gaps(seat: Seat) -> str:
    if seat.is_spot:
        return "coins"
    return "attached" if PROFILES[seat.venue].attaches_stop else "unattached"
