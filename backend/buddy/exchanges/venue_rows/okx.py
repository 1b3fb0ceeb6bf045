"""OKX, linear perpetual swaps, as data. See `recipe` for the columns."""

from __future__ import annotations

from buddy.core.exchange import TriggerBy

from ..recipe import BY_CLIENT, ID, Call, Charges, Fact, Ledger, Pages, Purse, Rate, Recipe, Since, Trigger
from ..venue_codes import codes

LAST, MARK = TriggerBy.LAST, TriggerBy.MARK

CODES = codes(
    DUPLICATE="51016 51065",
    WOULD_TRIGGER="51046 51047 51048 51049 51050 51051 51052 51053 51277 51278 51279 51280",
    MARGIN="51004 51008 51119 51127 51131 51502",
    MINIMUM="51020",
    PRECISION="51121",
    REDUCE_ONLY="51022 51023 51112 51169 51170 51172 51205",
    INACTIVE="51001 51021 51027 51028 51029",
    OTHER=(
        "51000 51002 51003 51005 51006 51009 51010 51011 51012 51014 51015 51019 51024 51025 51030 51031 51032 51037 "
        "51038 51039 51043 51044 51045 51066 51068 51100 51101 51102 51103 51104 51105 51108 51109 51110 51111 51113 "
        "51116 51117 51118 51120 51122 51124 51125 51126 51128 51130 51136 51137 51138 51139 51250 51251 51252 51253 "
        "51254 51255 51256 51258 51259 51260 51261 51262 51263 51264 51265 51267 51268 51269 51270 51271 51272 51273 "
        "51274 51275 51276 51281 51282 51283 51284 51288 51289 51290 51291 59000 59107 59108"
    ),
    ABSENT="51400 51401 51402 51410 51603 51620",
    SKEW="50102 50112",
    SLOW_DOWN="50011 50061",
    KEY="50100 50101 50103 50104 50105 50106 50107 50110 50111 50113 50114 50119 50120",
)

RECIPE = Recipe(
    options={"fetchMarkets": {"types": ["swap"]}, "defaultType": "swap", "createOrder": "privatePostTradeOrder"},
    codes=CODES,
    code_at=(("data", 0, "sCode"), ("code",)),
    fine=frozenset({"0"}),
    always_told=("code",),
    per_address=Rate(120, 36),
    per_account=Rate(30, 15),
    stop=Trigger("stopLossPrice", "slTriggerPxType", {"algoClOrdId": "{client_id}"}),
    entry=Trigger("triggerPrice", "triggerPxType", {"algoClOrdId": "{client_id}"}),
    words={LAST: "last", MARK: "mark"},
    trigger_at=("slTriggerPx", "triggerPx", "tpTriggerPx"),
    plain_if="accFillSz",
    plain_id="ordId",
    client_id_at=("algoClOrdId", "clOrdId"),
    open_lists=(
        {},
        {"trigger": True, "ordType": "conditional"},
        {"trigger": True, "ordType": "oco"},
        {"trigger": True, "ordType": "trigger"},
    ),
    open_pages=Pages(100, "after", ("id",)),
    find=(Call("fetch_order", BY_CLIENT),),
    find_by_id=(Call("fetch_order", id=ID),),
    find_conditional=(Call("fetch_order", {**BY_CLIENT, "trigger": True}),),
    find_conditional_by_id=(Call("fetch_order", {"trigger": True}, id=ID),),
    cancel=(Call("cancel_order", BY_CLIENT),),
    cancel_by_id=(Call("cancel_order", id=ID),),
    cancel_conditional=(Call("cancel_order", {**BY_CLIENT, "trigger": True}),),
    cancel_conditional_by_id=(Call("cancel_order", {"trigger": True}, id=ID),),
    child=("ordIdList", 0),
    attaches_stop=True,
    attach={
        "stop": {
            "attachAlgoOrds": [
                {
                    "attachAlgoClOrdId": "att{client_id}",
                    "slTriggerPx": "{trigger}",
                    "slOrdPx": "-1",
                    "slTriggerPxType": "last",
                }
            ]
        },
        "target": {
            "attachAlgoOrds": [
                {
                    "attachAlgoClOrdId": "att{client_id}",
                    "tpTriggerPx": "{trigger}",
                    "tpOrdPx": "-1",
                    "tpTriggerPxType": "last",
                }
            ]
        },
    },
    attached_mark=("algoClOrdId", frozenset({"att"})),
    position_mode=Call("privateGetAccountConfig", shape="raw", rows=("data", 0, "posMode")),
    hedge_words=frozenset({"long_short_mode"}),
    order_carries_margin_mode=True,
    margin_modes="leverage",
    tiers_in_contracts=True,
    leverage_hedged=({"posSide": "long"}, {"posSide": "short"}),
    purse=Purse(("data", 0, "details"), "ccy", "eq", "availEq", wallet="cashBal"),
    trade_pages=Pages(100, "after", ("info", "billId")),
    client_id_of_fill=("clOrdId",),
    liquidation=(
        "subType",
        frozenset(
            {
                "100",
                "101",
                "102",
                "103",
                "104",
                "105",
                "106",
                "107",
                "108",
                "109",
                "110",
                "111",
                "125",
                "126",
                "127",
                "128",
            }
        ),
    ),
    income=Ledger(
        Call("privateGetAccountBills", {"instType": "SWAP", "type": "8", "limit": "100"}, shape="raw", rows=("data",)),
        Since("begin", "end"),
        Pages(100, "after", ("data", -1, "billId")),
        id=("billId",),
        kind="type",
        funding=frozenset({"8"}),
        amount="pnl",
        symbol="instId",
        currency="ccy",
        time="ts",
    ),
    charges=Charges(
        Call("privateGetAccountTradeFee", {"instType": "SWAP", "instFamily": "BTC-USDT"}, shape="raw"),
        maker=("data", 0, "makerU"),
        taker=("data", 0, "takerU"),
        negated=True,
    ),
    key=Call("privateGetAccountConfig", shape="raw"),
    key_facts={
        "can_trade": (Fact(("data", 0, "perm"), yes=("trade",), how="list"),),
        "can_withdraw": (Fact(("data", 0, "perm"), yes=("withdraw",), how="list"),),
        "ip_bound": (Fact(("data", 0, "ip"), how="addresses"),),
    },
)
