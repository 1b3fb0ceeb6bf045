"""How each venue is spoken to through the client library, as data: what the same wish is called at which venue.

One row per venue. What a row says was compared with the client's outgoing requests, which the tests keep doing. The
program behind it is `ccxt_exchange`; nothing there knows a venue by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from buddy.core.exchange import TriggerBy

from . import venue_codes
from .venue_codes import Codes

Params = Mapping[str, Any]
"""Extra parameters of a call. In texts `{client_id}`, `{exchange_id}` and `{market}` stand for what they name."""

DAY = 86_400_000
WEEK = 7 * DAY
HEDGE: Params = {"hedged": True}


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the client. `order`: one order comes back; `list`: several; `raw`: a plain endpoint, `rows` deep."""

    method: str
    params: Params = field(default_factory=dict)
    id: str | None = None
    shape: str = "order"
    rows: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Trigger:
    """How an order that waits for a price is said: the parameter its trigger goes in, and whose price counts."""

    name: str
    by: str = ""
    extra: Params = field(default_factory=dict)
    direction: str = ""
    """The parameter that must say which way the price has to cross, where one must."""


@dataclass(frozen=True, slots=True)
class Pages:
    """How a long list is read to its end. `size` rows fill a page; the last row's `field` goes into `param`."""

    size: int
    param: str = ""
    field: tuple[str, ...] = ()
    window: int = 0
    """Longest span of time one question may cover, in milliseconds; 0 where there is none."""


@dataclass(frozen=True, slots=True)
class Purse:
    """Where the balance stands in the venue's own answer. `wallet` empty: equity less `unrealised`."""

    rows: tuple[str | int, ...]
    currency: str
    equity: str
    free: str
    wallet: str = ""
    unrealised: str = ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where income comes from: `kinds` maps the venue's words to ours, anything else goes by `other`."""

    call: Call
    since: str
    page: int
    id: tuple[str, ...]
    kind: str
    funding: frozenset[str]
    ignored: frozenset[str]
    amount: str = "amount"
    symbol: str = "symbol"
    currency: str = "asset"
    time: str = "time"


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket: it holds `size` and gains `per_second`."""

    size: float
    per_second: float


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing a venue says of a key: where, and what means yes. `how`: the same word, one of a list, or a time."""

    path: tuple[str | int, ...]
    yes: tuple[str, ...] = ("true", "1", "True")
    no: tuple[str, ...] = ("false", "0", "False")
    how: str = "word"

    def of(self, answer: Any) -> Any:
        """None when the venue does not say, or says something unheard of."""
        found = at(answer, self.path)
        if self.how == "time":
            return int(found) if str(found or "").isdigit() and int(found) > 0 else None
        if self.how == "list":
            return None if not isinstance(found, list) else any(str(word) in self.yes for word in found)
        if self.how == "filled":
            return None if found is None else str(found) not in self.no
        return True if str(found) in self.yes else False if str(found) in self.no else None


def at(found: Any, path: Sequence[str | int]) -> Any:
    """What lies at `path` in a decoded answer; None where it leads nowhere."""
    for step in path:
        if isinstance(step, int):
            found = found[step] if isinstance(found, list) and len(found) > step else None
        else:
            found = found.get(step) if isinstance(found, dict) else None
    return found


@dataclass(frozen=True, slots=True)
class Recipe:
    """One venue. See the fields; those without a word are explained at their type."""

    options: Params
    codes: Codes
    code_at: tuple[tuple[str | int, ...], ...]
    """Where an answer says what went wrong, in the order of trust."""
    fine: frozenset[str]
    """What it says there when nothing did."""

    stop: Trigger
    """A reduce-only order that waits; `entry`: one that opens."""
    entry: Trigger
    words: Mapping[TriggerBy, str]
    find: tuple[Call, ...]
    find_conditional: tuple[Call, ...]
    find_by_id: tuple[Call, ...]
    find_conditional_by_id: tuple[Call, ...]
    cancel: Call
    cancel_conditional: Call
    cancel_by_id: Call
    cancel_conditional_by_id: Call
    purse: Purse
    per_address: Rate
    per_account: Rate

    demo: str = "sandbox"
    """How practice money is switched on: the client's `sandbox` or `demo`; empty where the venue has none."""
    open_lists: tuple[Params, ...] = ({},)
    """One per book of orders; together they are all that rests."""
    open_pages: Pages = field(default_factory=lambda: Pages(500))
    bulk_from: int = 0
    """From how many symbols on all of them are asked for at once; 0: never."""
    position_lists: tuple[Params, ...] = ({},)
    fills: Pages = field(default_factory=lambda: Pages(100))
    fills_by_symbol: bool = False
    fills_params: Params = field(default_factory=dict)
    children: Call | None = None
    """Recent conditional orders with the orders they became, where executions carry the latter's id."""
    client_id_of_fill: tuple[str | int, ...] = ()
    """Where an execution names the client id of its order, where it does."""
    client_id_of_child: tuple[str, ...] = ()
    child: tuple[str | int, ...] = ()
    """Where a conditional order names the order it became."""
    income: Ledger | None = None
    mark: str = ""
    """Field of the ticker's raw row; empty: asked for by itself."""
    names_stops: bool = True
    attaches_stop: bool = False
    attached_mark: tuple[str, frozenset[str]] = ("", frozenset())
    """Field and values of a raw order that tell protection which came with an entry."""
    attach: Mapping[str, Params] = field(default_factory=dict)
    """Parameters of the protection an entry carries: its `stop` and its `target`, at `{trigger}`."""
    has_hedge: bool = True
    order_carries_margin_mode: bool = False
    leverage_params: Params = field(default_factory=dict)
    leverage_with_margin_mode: bool = False
    margin_modes: str = "symbol"
    """Who has a margin mode: each `symbol`, the whole `account`, or each `order`; `leverage`: it goes with that."""
    account_margin_mode: Call | None = None
    margin_words: Mapping[str, str] = field(default_factory=dict)
    position_mode: Call | None = None
    mode_at: tuple[str | int, ...] = ()
    hedge_words: frozenset[str] = frozenset()
    key: Call | None = None
    key_facts: Mapping[str, Fact] = field(default_factory=dict)
    tells_demo_keys: bool = True
    """Whether it also says what a key of practice money may do."""
    used_header: str = ""
    used_limit: int = 0
    settle_ms: int = 15_000
    liquidation: tuple[str, frozenset[str]] = ("", frozenset())
    """Field and beginnings of values of a raw fill, or of its order, that tell a liquidation."""
    tiers: str = "one"
    """Margin tiers: of `one` market at a time, or `all` at once."""


BY_CLIENT: Params = {"clientOrderId": "{client_id}"}
LAST, MARK = TriggerBy.LAST, TriggerBy.MARK

BINANCE = Recipe(
    options={"fetchMarkets": {"types": ["linear"]}, "defaultType": "swap", "recvWindow": 5000},
    codes=venue_codes.BINANCE,
    code_at=(("code",),),
    fine=frozenset({"200", "0"}),
    demo="demo",
    stop=Trigger("stopLossPrice", "workingType"),
    entry=Trigger("triggerPrice", "workingType"),
    words={LAST: "CONTRACT_PRICE", MARK: "MARK_PRICE"},
    open_lists=({}, {"trigger": True}),
    find=(Call("fetch_order", BY_CLIENT),),
    find_by_id=(Call("fetch_order", id="{exchange_id}"),),
    find_conditional=(Call("fetch_order", {**BY_CLIENT, "trigger": True}),),
    find_conditional_by_id=(Call("fetch_order", {"trigger": True}, id="{exchange_id}"),),
    cancel=Call("cancel_order", BY_CLIENT),
    cancel_by_id=Call("cancel_order", id="{exchange_id}"),
    cancel_conditional=Call("cancel_order", {**BY_CLIENT, "trigger": True}),
    cancel_conditional_by_id=Call("cancel_order", {"trigger": True}, id="{exchange_id}"),
    fills=Pages(1000, window=WEEK),
    fills_by_symbol=True,
    children=Call("fapiPrivateGetAllAlgoOrders", {"symbol": "{market}"}, shape="raw"),
    child=("actualOrderId",),
    client_id_of_child=("clientAlgoId",),
    income=Ledger(
        Call("fapiPrivateGetIncome", {"limit": 1000}, shape="raw"),
        since="startTime",
        page=1000,
        id=("incomeType", "tranId", "symbol", "asset"),
        kind="incomeType",
        funding=frozenset({"FUNDING_FEE"}),
        ignored=frozenset(
            {
                "TRANSFER", "COMMISSION", "REALIZED_PNL", "CROSS_COLLATERAL_TRANSFER", "COIN_SWAP_DEPOSIT",
                "COIN_SWAP_WITHDRAW", "INTERNAL_TRANSFER", "STRATEGY_UMFUTURES_TRANSFER", "AUTO_EXCHANGE",
            }
        ),
        amount="income",
    ),
    purse=Purse(("assets",), "asset", "marginBalance", "availableBalance", wallet="walletBalance"),
    position_mode=Call("fapiPrivateGetPositionSideDual", shape="raw"),
    mode_at=("dualSidePosition",),
    hedge_words=frozenset({"True", "true"}),
    key=Call("sapiGetAccountApiRestrictions", shape="raw"),
    tells_demo_keys=False,
    key_facts={
        "can_trade": Fact(("enableFutures",)),
        "can_withdraw": Fact(("enableWithdrawals",)),
        "ip_bound": Fact(("ipRestrict",)),
        "expires_at": Fact(("tradingAuthorityExpirationTime",), how="time"),
    },
    used_header="x-mbx-used-weight-1m",
    used_limit=2400,
    per_address=Rate(400, 30),
    per_account=Rate(50, 5),
    liquidation=("clientOrderId", frozenset({"autoclose-", "adl_autoclose", "settlement_autoclose-"})),
    tiers="all",
    bulk_from=40,
)  # fmt: skip

RECIPES: Mapping[str, Recipe] = {"binance": BINANCE}
