"""Kraken, spot, as data. See `recipe` for the columns."""

from __future__ import annotations

from buddy.core.exchange import Refusal, TriggerBy

from ..recipe import DAY, ID, Call, Charges, Fact, Pages, Rate, Recipe, Trigger, Wallet
from ..venue_codes import Meaning, codes

CODES = codes()  # there are words only

SAYINGS = (
    ("EOrder:Insufficient funds", Refusal.MARGIN),
    ("EOrder:Insufficient margin", Refusal.MARGIN),
    ("EOrder:Insufficient initial margin", Refusal.MARGIN),
    ("EOrder:Order minimum not met", Refusal.MINIMUM),
    ("EOrder:Cost minimum not met", Refusal.MINIMUM),
    ("EGeneral:Invalid arguments:volume minimum not met", Refusal.MINIMUM),
    ("EOrder:Tick size check failed", Refusal.PRECISION),
    ("EOrder:Invalid price", Refusal.PRECISION),
    ("EGeneral:Invalid arguments:price", Refusal.PRECISION),
    ("EGeneral:Invalid arguments:volume", Refusal.PRECISION),
    ("EOrder:cl_ord_id already in use", Refusal.DUPLICATE),
    ("EOrder:Duplicate", Refusal.DUPLICATE),
    ("EOrder:Unknown order", Meaning.ABSENT),
    ("EOrder:Invalid order", Meaning.ABSENT),
    ("EQuery:Unknown asset pair", Refusal.INACTIVE),
    ("EService:Market in cancel_only mode", Refusal.INACTIVE),
    ("EService:Market in post_only mode", Refusal.INACTIVE),
    ("EService:Market in limit_only mode", Refusal.INACTIVE),
    ("EOrder:Rate limit exceeded", Meaning.SLOW_DOWN),
    ("EOrder:Domain rate limit exceeded", Meaning.SLOW_DOWN),
    ("EOrder:Orders limit exceeded", Refusal.OTHER),
    ("EOrder:Positions limit exceeded", Refusal.OTHER),
    ("EOrder:Cannot open", Refusal.OTHER),
    ("EOrder:Trading agreement required", Refusal.OTHER),
    ("EGeneral:Invalid arguments", Refusal.OTHER),
    ("EAPI:Rate limit exceeded", Meaning.SLOW_DOWN),
    ("EGeneral:Too many requests", Meaning.SLOW_DOWN),
    ("EGeneral:Temporary lockout", Meaning.SLOW_DOWN),
    ("EService:Throttled", Meaning.SLOW_DOWN),
    ("EAPI:Invalid nonce", Meaning.SKEW),
    ("EAPI:Invalid key", Meaning.KEY),
    ("EAPI:Invalid signature", Meaning.KEY),
    ("EGeneral:Permission denied", Meaning.KEY),
    ("EAuth:Account", Meaning.KEY),
    ("ESession:Invalid session", Meaning.KEY),
)

STOP = Trigger("stopLossPrice", "trigger")
BY_NAME = {"cl_ord_id": "{client_id}"}
FIND = (
    Call("privatePostOpenOrders", BY_NAME, shape="raw", rows=("result", "open"), keyed="id"),
    Call("privatePostClosedOrders", BY_NAME, shape="raw", rows=("result", "closed"), keyed="id"),
)
FIND_BY_ID = (Call("privatePostQueryOrders", {"txid": ID}, shape="raw", rows=("result",), keyed="id"),)
CANCEL = (Call("privatePostCancelOrder", BY_NAME, shape="raw"),)
CANCEL_BY_ID = (Call("cancel_order", id=ID),)

RECIPE = Recipe(
    options={"defaultType": "spot"},
    codes=CODES,
    code_at=(("error", 0),),
    fine=frozenset(),
    words_at=("error", 0),
    sayings=SAYINGS,
    always_told=("result",),
    per_address=Rate(20, 1),
    per_account=Rate(45, 1.5),
    reads_by_account=True,
    nonce="count",
    needs_coins=True,
    demo="",
    stop=STOP,
    entry=STOP,
    words={TriggerBy.LAST: "last", TriggerBy.MARK: "last"},
    says={"oflags": "fciq"},
    names="uuid",
    client_id_at=("cl_ord_id",),
    bulk_from=1,
    find=FIND,
    find_by_id=FIND_BY_ID,
    find_conditional=FIND,
    find_conditional_by_id=FIND_BY_ID,
    cancel=CANCEL,
    cancel_by_id=CANCEL_BY_ID,
    cancel_conditional=CANCEL,
    cancel_conditional_by_id=CANCEL_BY_ID,
    cancelled_at=("result", "count"),
    attaches_stop=True,
    attach={"stop": {"close": {"ordertype": "stop-loss", "price": "{trigger}"}}},
    attached_mark=("refid", frozenset({"O"})),
    has_hedge=False,
    wallet=Wallet(("result",), also=(".F",)),
    charges=Charges(
        Call("privatePostTradeVolume", {"pair": "XXBTZUSD"}, shape="raw"),
        maker=("result", "fees_maker", "XXBTZUSD", "fee"),
        taker=("result", "fees", "XXBTZUSD", "fee"),
        percent=True,
    ),
    trade_pages=Pages(50, "ofs", counted=True, window=7 * DAY),
    trades_when_due=True,
    key=Call("privatePostGetApiKeyInfo", shape="raw"),
    key_facts={
        "can_trade": (Fact(("result", "permissions"), yes=("modify-trades",), how="list"),),
        "can_withdraw": (Fact(("result", "permissions"), yes=("withdraw-funds",), how="list"),),
        "ip_bound": (Fact(("result", "ipAllowlist"), how="addresses"),),
        "expires_at": (Fact(("result", "validUntil"), how="seconds"),),
    },
)
