"""Keys against a stand-in Binance over HTTP, through the unmodified client: rights, refusals, clock, and no leak."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache

from buddy import redact
from buddy.exchanges import ccxt_client, probing, venue_exchange
from buddy.exchanges.asking import Asked
from buddy.exchanges.ccxt_public import public_market
from buddy.exchanges.connect import balance_of, connect, source_for
from buddy.exchanges.market_data import fetching
from buddy.exchanges.models import Account, Credentials, Keys
from buddy.exchanges.venue_rows import RECIPES
from buddy.exchanges.venues import VENUES, market_name
from emulator.handle import Hand, StandIn, running

BTC = "BTC/USDT:USDT"
numbers = count(1)


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with running() as venues:
        yield venues


@pytest.fixture
def binance(stand_in: StandIn, settings: Any, store: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hand]:
    """The venue, and this process a worker of a desk that allows real money."""
    settings.EXCHANGE_TRANSPORT_BASE, settings.LIVE_TRADING = stand_in.base, True
    monkeypatch.setattr(fetching.Place, "is_worker", True)
    forget()
    yield stand_in.binance
    stand_in.binance.clear_faults()
    forget()


def forget() -> None:
    cache.clear()
    ccxt_client.forget_markets()
    venue_exchange.forget()


@pytest.fixture
def keys(binance: Hand) -> Keys:
    """Of an account that has 1000 USDT."""
    number = next(numbers)
    made = Keys(f"canary-key-{number:04}", f"canary-secret-{number:04}")
    binance.open_account(made.api_key, made.secret, wallet="1000")
    return made


@pytest.fixture(params=["live", "testnet"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def stored(owner: Any, keys: Keys, mode: str = "live") -> Credentials:
    account = Account.objects.create(owner=owner, name="Real", mode=mode, price_source="live", venue="binance")
    row = Credentials(account=account, in_use=True)
    row.keep(keys)
    row.save()
    return row


def probed(row: Credentials) -> Credentials:
    probing.probe(row.pk)
    return Credentials.objects.select_related("account").get(pk=row.pk)


def test_what_a_key_may_do_is_the_venues_word(alice: Any, binance: Hand, keys: Keys) -> None:
    ends = 1_893_456_000_000
    binance.change_key(keys.api_key, ip_restricted=True, expires=ends)
    row = probed(stored(alice, keys))
    assert (row.trouble, row.can_trade, row.can_withdraw, row.ip_bound) == ("", True, False, True)
    assert row.expires_at is not None
    assert row.expires_at.timestamp() * 1000 == ends
    facts = row.account.venue_facts
    assert (str(facts.wallet), str(facts.equity), facts.position_mode) == ("1000", "1000", "one_way")
    assert abs(facts.clock_offset_ms) < 5_000
    assert len(facts.symbols) == probing.SYMBOLS


def test_on_practice_money_the_venue_cannot_tell(alice: Any, binance: Hand, keys: Keys) -> None:
    row = probed(stored(alice, keys, "testnet"))
    assert (row.trouble, row.can_withdraw) == ("", None)


def test_a_key_that_may_withdraw_halts_its_account(alice: Any, binance: Hand, keys: Keys) -> None:
    row = stored(alice, keys)
    binance.change_key(keys.api_key, can_withdraw=True)
    assert probed(row).account.state == "halted"


def test_a_revoked_key_is_refused_and_no_right_of_it_is_made_up(
    alice: Any, binance: Hand, keys: Keys, mode: str
) -> None:
    row = probed(stored(alice, keys, mode))
    before = row.can_withdraw
    binance.change_key(keys.api_key, active=False)
    row = probed(row)
    assert row.refused_at is not None
    assert row.trouble.startswith("Binance")
    assert row.can_withdraw is before


def test_a_wrong_secret_is_a_refused_key(alice: Any, binance: Hand, keys: Keys, mode: str) -> None:
    row = probed(stored(alice, Keys(keys.api_key, "another-secret"), mode))
    assert row.refused_at is not None
    assert (row.can_trade, row.can_withdraw, row.probed_at) == (None, None, None)


def test_a_venue_that_is_down_says_nothing(alice: Any, binance: Hand, keys: Keys, mode: str) -> None:
    binance.set_maintenance(True)
    row = probed(stored(alice, keys, mode))
    binance.set_maintenance(False)
    assert (row.refused_at, row.can_trade, row.can_withdraw, row.probed_at) == (None, None, None, None)
    assert row.trouble


def test_a_clock_that_differs_is_measured(alice: Any, binance: Hand, keys: Keys) -> None:
    binance.set_skew(30_000)
    row = probed(stored(alice, keys))
    binance.set_skew(0)
    assert row.trouble == ""
    assert abs(row.account.venue_facts.clock_offset_ms - 30_000) < 5_000


def test_a_hedged_account_is_seen_to_be(alice: Any, binance: Hand, keys: Keys, mode: str) -> None:
    binance.set_position_mode(keys.api_key, True)
    assert probed(stored(alice, keys, mode)).account.venue_facts.position_mode == "hedge"


def test_money_and_instruments_are_the_accounts_own(alice: Any, binance: Hand, keys: Keys, mode: str) -> None:
    binance.set_price(BTC, "64000")
    account = stored(alice, keys, mode).account
    assert str(balance_of(account).equity) == "1000"
    own = source_for(account).instrument(BTC)
    assert own == connect(account).instrument(BTC)
    assert own == Asked(account).instrument(BTC)
    assert source_for(account).quote(BTC).last == 64000


def test_practice_money_has_prices_of_its_own(alice: Any, binance: Hand, keys: Keys) -> None:
    binance.set_price(BTC, "64000")
    for mode, host in (("live", "fapi.binance.com"), ("testnet", "demo-fapi.binance.com")):
        account = Account(owner=alice, name="Prices", mode=mode, price_source="live", venue="binance")
        source_for(account).quote(BTC)
        client = public_market(
            market_name("binance", testnet=mode == "testnet"), settings.EXCHANGE_TRANSPORT_BASE
        ).client
        assert client.last_request_url.startswith(f"https://{host}/")


def test_a_new_key_is_another_connection(alice: Any, binance: Hand, keys: Keys) -> None:
    row = stored(alice, keys)
    first = connect(row.account)
    assert connect(row.account) is first
    row.keep(keys)
    row.save()
    assert connect(row.account) is not first


def test_the_web_speaks_to_no_venue(alice: Any, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching.Place, "is_worker", False)
    with pytest.raises(RuntimeError, match="Only workers"):
        connect(stored(alice, keys).account)


FAULTS = [
    {"kind": "drop_before"},
    {"kind": "garbage", "body": "<html>canary-secret</html>"},
    {"kind": "truncated"},
    {"kind": "status_before", "status": 503},
    {"kind": "refuse", "code": -1000},
    {"kind": "refuse", "code": -2015},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault['kind']}{fault.get('code', '')}")
def test_nothing_that_goes_wrong_tells_a_key(
    alice: Any, binance: Hand, keys: Keys, caplog: pytest.LogCaptureFixture, fault: dict[str, Any]
) -> None:
    """Not even where the venue itself says it."""
    caplog.set_level("DEBUG", "ccxt")
    row = probed(stored(alice, keys))
    binance.fault(**fault, path="*apiRestrictions", message=f"odd {keys.api_key} {keys.secret}", times=None)
    row = probed(row)
    assert row.trouble
    assert row.can_withdraw is False  # as told before, and never since
    assert not [word for word in (keys.api_key, keys.secret) if word in row.trouble]
    written = [redact.redact(f"{record.getMessage()} {record.exc_text}") for record in caplog.records]
    assert not [line for line in written if keys.api_key in line or keys.secret in line]


# --- the same at other venues -----------------------------------------------------------------------------------------


@pytest.fixture(params=["binance", "binance-spot", "bingx", "bybit"])
def venue(request: pytest.FixtureRequest, stand_in: StandIn, binance: Hand) -> Hand:
    return getattr(stand_in, request.param)


@pytest.fixture
def theirs(alice: Any, venue: Hand) -> Credentials:
    """A live account's key at `venue`."""
    number = next(numbers)
    keys = Keys(f"canary-key-{number:04}", f"canary-secret-{number:04}")
    venue.open_account(keys.api_key, keys.secret, wallet="1000")
    row = stored(alice, keys)
    Account.objects.update(venue=venue.venue)
    return Credentials.objects.select_related("account").get(pk=row.pk)


def test_every_venue_says_what_a_key_may_do(venue: Hand, theirs: Credentials) -> None:
    key = theirs.keys().api_key
    row = probed(theirs)
    assert (row.trouble, row.can_trade, row.can_withdraw, row.ip_bound) == ("", True, False, True)
    assert str(row.account.venue_facts.wallet) == "1000"
    venue.change_key(key, can_withdraw=True, ip_restricted=False)
    row = probed(row)
    assert (row.can_withdraw, row.ip_bound, row.account.state) == (True, False, "halted")


def test_plans_that_name_no_margin_mode_follow_a_venue_that_has_one_for_all(venue: Hand, theirs: Credentials) -> None:
    assert theirs.account.margin_mode == "isolated"
    row = probed(theirs)
    assert row.trouble == ""
    row.account.refresh_from_db()
    assert row.account.margin_mode == ("cross" if venue.venue == "bybit" else "isolated")


def test_every_venue_refuses_a_revoked_key(venue: Hand, theirs: Credentials) -> None:
    venue.change_key(theirs.keys().api_key, active=False)
    row = probed(theirs)
    assert row.refused_at is not None
    assert row.probed_at is None


def test_every_venue_with_real_accounts_can_be_spoken_to_and_practised_at_where_it_has_money_for_that() -> None:
    for name, venue in VENUES.items():
        assert ("live" in venue.modes) == (name in RECIPES)
        assert ("testnet" in venue.modes) == bool(name in RECIPES and RECIPES[name].demo)
    assert [name for name, recipe in RECIPES.items() if not recipe.demo] == ["kraken-spot"]
