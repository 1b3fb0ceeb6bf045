"""What there is to say of how a venue is spoken to through the client library: the columns of `venue_rows`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from buddy.core.exchange import Refusal, TriggerBy

from .venue_codes import Codes, Meaning

Path = tuple[str | int, ...]
Params = Mapping[str, Any]
"""Extra parameters of a call. In texts `{client_id}`, `{exchange_id}` and `{market}` stand for what they name."""
Sayings = tuple[tuple[str, Refusal | Meaning], ...]

ID = "{exchange_id}"
BY_CLIENT: Params = {"clientOrderId": "{client_id}"}
HEDGE: Params = {"hedged": True}
DAY = 86_400_000
WEEK = 7 * DAY


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the client. `order`: one order comes back; `list`: several; `raw`: a plain endpoint's own answer.

    `rows`: where the rows lie in a raw answer. `none_is_empty`: it says null where others say an empty list. `keyed`:
    it tells a table by id where others tell a list, and this is the field of a row that is to hold its id.
    """

    method: str
    params: Params = field(default_factory=dict)
    id: str | None = None
    shape: str = "order"
    rows: Path = ()
    none_is_empty: bool = False
    keyed: str = ""


@dataclass(frozen=True, slots=True)
class Trigger:
    """How an order that waits for a price is said: the parameter its trigger goes in, and whose price counts.

    `by` is empty where there is one price alone.
    """

    name: str
    by: str
    extra: Params = field(default_factory=dict)
    direction: str = ""
    """The parameter that must say which way the price has to cross, where one must."""


@dataclass(frozen=True, slots=True)
class Pages:
    """How a long list is read to its end. `size` rows fill a page.

    `ascending`: oldest first, so the next page begins at the newest time. Else `param` gets the token found at `field`
    of a row, or for a raw call of the answer; a full page that tells no token cannot be read on. `counted`: `param` is
    how many rows were read before.
    """

    size: int
    param: str = ""
    field: Path = ()
    ascending: bool = False
    counted: bool = False
    window: int = 0
    """Longest span of time one question may cover, in milliseconds; 0 where there is none."""


@dataclass(frozen=True, slots=True)
class Since:
    """What a raw call's times are called; `both`: it needs the end as well."""

    begin: str
    end: str
    both: bool = False


@dataclass(frozen=True, slots=True)
class Purse:
    """Where the balance stands in the venue's own answer. `wallet` empty: equity less `unrealised`.

    `free_at`: of the whole account, where the currency's own row does not tell; `tied` is what to take off else.
    """

    rows: Path
    currency: str
    equity: str
    free: str = ""
    wallet: str = ""
    unrealised: str = ""
    free_at: Path = ()
    tied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wallet:
    """What coins an account owns: `rows` are in every good answer to the question for its balance."""

    rows: Path
    params: Params = field(default_factory=dict)
    also: tuple[str, ...] = ()
    """Ends of a coin's name under which the venue tells a part of it that can be sold as well."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """How a stop and the limit order beside it are placed at once: in texts `{client_id}`, `{trigger}`, `{beside_id}`,
    `{price}`, `{quantity}`, `{side}` and `{market}` stand for what they name. `reports`: what became of each order."""

    call: Call
    reports: Path


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where income comes from. Of its kinds `funding` and `other` count; the rest is told by executions, or moved.

    `position`: the signed size of what funding was paid for, where the venue tells; in hedge mode it says which side.
    """

    call: Call
    since: Since
    pages: Pages
    id: tuple[str, ...]
    kind: str
    funding: frozenset[str]
    other: frozenset[str] = frozenset()
    amount: str = "amount"
    symbol: str = "symbol"
    currency: str = "asset"
    time: str = "time"
    position: str = ""


@dataclass(frozen=True, slots=True)
class FeeLog:
    """Where fees are told that executions lack: rows with the execution's `id` and its `fee`."""

    call: Call
    since: str
    id: str
    fee: str


@dataclass(frozen=True, slots=True)
class Charges:
    """Where an account's own fees are told, as fractions. `negated`: what is paid is told as less than nothing.

    `percent`: they are told in hundredths.
    """

    call: Call
    maker: Path
    taker: Path
    negated: bool = False
    percent: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket: it holds `size` and gains `per_second`."""

    size: float
    per_second: float


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing a venue says of a key: where, and what means yes. `how`: see `of`."""

    path: Path
    yes: tuple[str, ...] = ("true", "1", "True")
    no: tuple[str, ...] = ("false", "0", "False")
    how: str = "word"

    def of(self, answer: Any) -> Any:
        """None when the venue does not say, or says something unheard of."""
        found = at(answer, self.path)
        if found is None:
            return None
        match self.how:
            case "time":
                return milliseconds(found)
            case "seconds":
                return (milliseconds(found) or 0) * 1000 or None
            case "list":  # one of these words is in it
                words = found.split(",") if isinstance(found, str) else found
                return any(str(word).strip() in self.yes for word in words) if isinstance(words, list) else None
            case "addresses":  # something is in it, and no star
                words = found.split(",") if isinstance(found, str) else found
                return bool([word for word in words if word]) and "*" not in words if isinstance(words, list) else None
            case _:
                return True if str(found) in self.yes else False if str(found) in self.no else None


def milliseconds(time: Any) -> int | None:
    """From a number, or a date in ISO's form; None for what is neither, and for a zero, which stands for never."""
    text = str(time)
    try:
        found = int(text) if text.isdigit() else int(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        return None
    return found if found > 0 else None


def at(found: Any, path: Sequence[str | int]) -> Any:
    """What lies at `path` in a decoded answer; None where it leads nowhere."""
    for step in path:
        if isinstance(step, int):
            found = found[step] if isinstance(found, list) and -len(found) <= step < len(found) else None
        else:
            found = found.get(step) if isinstance(found, dict) else None
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One venue."""

    options: Params
    codes: Codes
    code_at: tuple[Path, ...]
    """Where an answer says what went wrong, in the order of trust; `fine` is what it says when nothing did."""
    fine: frozenset[str]
    words_at: Path = ()
    sayings: Sayings = ()
    """What an answer's words begin with, the more special before the general, and what that means: where a code has
    several meanings, so that it is not listed, or where there are words only."""
    always_told: Path = ()
    """What no answer about the account lacks; empty where good answers have nothing in common."""
    per_address: Rate
    per_account: Rate
    """In the library's weights, which stand for the account's own limit of each endpoint; where a venue counts most
    calls by account, an address may ask for several accounts at once."""
    demo: str = "sandbox"
    """How practice money is switched on: the client's `sandbox` or `demo`; empty where there is none."""
    reads_by_account: bool = False
    """Whether questions about the account, too, count against the account and not against the address."""
    nonce: str = ""
    """What requests are numbered with: the library's own idea; the `clock`, set right by the venue's, where the library
    leaves that out; or a `count` of this machine, where each must be greater than the last and the clock is no matter.
    """
    needs_coins: bool = False
    """Whether the steps of a market are right only once the steps of its coins are known."""
    used_header: str = ""
    used_limit: int = 0
    """Where the venue tells how much it has counted in this minute, and how much it allows."""
    settle_ms: int = 15_000

    # Orders
    stop: Trigger
    """A reduce-only order that waits; `entry`: one that opens."""
    entry: Trigger
    words: Mapping[TriggerBy, str] = field(default_factory=dict)
    says: Params = field(default_factory=dict)
    """What every order says besides."""
    pairing: Pairing | None = None
    names: str = ""
    """How our client ids are written there: as they are, or as a `uuid`."""
    trigger_at: tuple[str, ...] = ()
    """Fields of a raw order that hold its trigger; without them the library's. Attached protection is elsewhere."""
    plain_if: str = ""
    """A field that only orders without a trigger have, and `plain_id` their number, where one endpoint tells both."""
    plain_id: str = ""
    client_id_at: tuple[str, ...] = ()
    """Fields of a raw order that hold its client id, the best first; without them the library's."""
    open_lists: tuple[Params, ...] = ({},)
    """One per book of orders; together they are all that rests."""
    open_pages: Pages = field(default_factory=lambda: Pages(500))
    bulk_from: int = 0
    """From how many symbols on all of them are asked for at once; 0: never."""
    find: tuple[Call, ...] = ()
    find_by_id: tuple[Call, ...] = ()
    find_conditional: tuple[Call, ...] = ()
    find_conditional_by_id: tuple[Call, ...] = ()
    cancel: tuple[Call, ...] = ()
    cancel_by_id: tuple[Call, ...] = ()
    cancel_conditional: tuple[Call, ...] = ()
    cancel_conditional_by_id: tuple[Call, ...] = ()
    cancelled_at: Path = ()
    """Where an answer counts what it cancelled, where it may be nothing."""
    names_stops: bool = True
    children: tuple[Call, ...] = ()
    """Recent conditional orders with the orders they became, where executions carry the latter's id."""
    child: Path = ()
    """Where a conditional order names the order it became."""
    attaches_stop: bool = False
    protects_position: bool = False
    """What is attached becomes one stop and one target for all that is held of symbol and side."""
    attach: Mapping[str, Params] = field(default_factory=dict)
    """Parameters of the protection an entry carries: its `stop` and its `target`, at `{trigger}`."""
    attached_mark: tuple[str, frozenset[str]] = ("", frozenset())
    """Field of a raw order, and beginnings of its value, that tell protection which came with an entry."""

    # The account
    has_hedge: bool = True
    position_lists: tuple[Params, ...] = ({},)
    position_mode: Call | None = None
    hedge_words: frozenset[str] = frozenset()
    order_carries_margin_mode: bool = False
    margin_modes: str = "symbol"
    """Who has a margin mode: each `symbol`, the whole `account`, or it goes with the `leverage`."""
    account_margin_mode: Call | None = None
    margin_words: Mapping[str, str] = field(default_factory=dict)
    cross: Call | None = None
    """What makes a symbol cross, where leverage alone makes it isolated."""
    leverage_one_way: Params = field(default_factory=dict)
    leverage_hedged: tuple[Params, ...] = ({},)
    purse: Purse | None = None
    wallet: Wallet | None = None
    """One of the two: money that carries positions, or coins."""
    tiers: str = "one"
    """Margin tiers: of `one` market at a time, or `all` at once."""
    tiers_in_contracts: bool = False
    mark: str = ""
    """Field of the ticker's raw row; empty: asked for by itself."""

    # What happened
    trades: Call | None = None
    """Executions through a plain endpoint; without it by the library's own way."""
    trade_times: Since | None = None
    trade_pages: Pages = field(default_factory=lambda: Pages(100))
    trades_by_symbol: bool = False
    trades_when_due: bool = False
    """Whether asking costs so much that it is done only after something was seen to happen, and now and then."""
    trade_time: str = ""
    """Field of a raw execution with its time as text, where the library overlooks it."""
    executions: tuple[str, frozenset[str]] = ("", frozenset())
    """Field and values of rows that are executions, where other things are listed with them."""
    client_id_of_fill: tuple[str, ...] = ()
    """Fields of a raw execution that name the client id of its order."""
    liquidation: tuple[str, frozenset[str]] = ("", frozenset())
    """Field of a raw execution or of its order, and beginnings of its value, that tell a liquidation."""
    fees: FeeLog | None = None
    charges: Charges | None = None
    income: Ledger | None = None

    # The key
    key: Call | None = None
    key_facts: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict)
    tells_demo_keys: bool = True
    """Whether it also says what a key of practice money may do."""
