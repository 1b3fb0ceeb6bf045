"""Bybit, linear perpetuals of a unified account, as data. See `recipe` for the columns."""

from __future__ import annotations

from buddy.core.exchange import TriggerBy

from ..recipe import DAY, ID, WEEK, Call, Charges, Fact, Ledger, Pages, Params, Purse, Rate, Recipe, Since, Trigger
from ..venue_codes import codes

LAST, MARK = TriggerBy.LAST, TriggerBy.MARK

BY_LINK: Params = {"orderLinkId": "{client_id}"}
BY_ORDER: Params = {"orderId": ID}

CODES = codes(
    DUPLICATE="110072",
    WOULD_TRIGGER="110092 110093",
    MARGIN="110004 110006 110007 110012 110014 110044 110045 110051 110052 110053",
    MINIMUM="110094",
    REDUCE_ONLY="110017 110034",
    INACTIVE="110023 110042 110074 10029",
    OTHER=(
        "10001 110003 110005 110009 110011 110013 110015 110018 110020 110021 110022 110024 110028 110029 110030 "
        "110031 110032 110033 110035 110036 110037 110038 110039 110040 110041 110046 110047 110048 110049 110054 "
        "110055 110056 110057 110058 110059 110060 110061 110062 110063 110067 110068 110069 110070 110071 110080 "
        "110085 110088 110095 110096 110100"
    ),
    UNCHANGED="110025 110026 110043",
    ABSENT="110001 110008 110010 110019",
    SKEW="10002",
    SLOW_DOWN="10006 10009 10018 10429",
    KEY="10003 10004 10005 10007 10010 33004",
)

RECIPE = Recipe(
    options={
        "fetchMarkets": {"types": ["linear"]},
        "defaultType": "swap",
        "recvWindow": 5000,
        "enableUnifiedMargin": True,
        "enableUnifiedAccount": True,
        "unifiedMarginStatus": 6,
    },
    codes=CODES,
    code_at=(("retCode",),),
    fine=frozenset({"0"}),
    always_told=("retCode",),
    per_address=Rate(300, 100),
    per_account=Rate(50, 25),
    stop=Trigger("stopLossPrice", "triggerBy"),
    entry=Trigger("triggerPrice", "triggerBy", direction="triggerDirection"),
    words={LAST: "LastPrice", MARK: "MarkPrice"},
    trigger_at=("triggerPrice",),
    open_lists=({}, {"trigger": True}),
    open_pages=Pages(50, "cursor", ("info", "nextPageCursor")),
    find=(
        Call("fetch_open_orders", BY_LINK, shape="list"),
        Call("fetch_open_orders", {**BY_LINK, "openOnly": 1}, shape="list"),
        Call("fetch_canceled_and_closed_orders", BY_LINK, shape="list"),
    ),
    find_by_id=(
        Call("fetch_open_orders", BY_ORDER, shape="list"),
        Call("fetch_open_orders", {**BY_ORDER, "openOnly": 1}, shape="list"),
        Call("fetch_canceled_and_closed_orders", BY_ORDER, shape="list"),
    ),
    find_conditional=(
        Call("fetch_open_orders", {**BY_LINK, "trigger": True}, shape="list"),
        Call("fetch_open_orders", BY_LINK, shape="list"),
        Call("fetch_open_orders", {**BY_LINK, "openOnly": 1}, shape="list"),
        Call("fetch_canceled_and_closed_orders", BY_LINK, shape="list"),
    ),
    find_conditional_by_id=(
        Call("fetch_open_orders", {**BY_ORDER, "trigger": True}, shape="list"),
        Call("fetch_open_orders", BY_ORDER, shape="list"),
        Call("fetch_canceled_and_closed_orders", BY_ORDER, shape="list"),
    ),
    cancel=(Call("cancel_order", BY_LINK),),
    cancel_by_id=(Call("cancel_order", id=ID),),
    cancel_conditional=(Call("cancel_order", BY_LINK),),
    cancel_conditional_by_id=(Call("cancel_order", id=ID),),
    attaches_stop=True,
    protects_position=True,
    attach={
        "stop": {"stopLoss": {"triggerPrice": "{trigger}"}, "slTriggerBy": "LastPrice", "tpslMode": "Full"},
        "target": {"takeProfit": {"triggerPrice": "{trigger}"}, "tpTriggerBy": "LastPrice", "tpslMode": "Full"},
    },
    attached_mark=("stopOrderType", frozenset({"StopLoss", "TakeProfit", "PartialStopLoss", "PartialTakeProfit"})),
    position_lists=({"settleCoin": "USDT"}, {"settleCoin": "USDC"}),
    position_mode=Call(
        "privateGetV5PositionList",
        {"category": "linear", "symbol": "BTCUSDT"},
        shape="raw",
        rows=("result", "list", 0, "positionIdx"),
    ),
    hedge_words=frozenset({"1", "2"}),
    margin_modes="account",
    account_margin_mode=Call("privateGetV5AccountInfo", shape="raw", rows=("result", "marginMode")),
    margin_words={"ISOLATED_MARGIN": "isolated", "REGULAR_MARGIN": "cross", "PORTFOLIO_MARGIN": "cross"},
    purse=Purse(
        ("result", "list", 0, "coin"),
        "coin",
        "equity",
        wallet="walletBalance",
        free_at=("result", "list", 0, "totalAvailableBalance"),
        tied=("totalPositionIM", "totalOrderIM"),
    ),
    mark="markPrice",
    trades=Call(
        "privateGetV5ExecutionList", {"category": "linear", "limit": 100}, shape="raw", rows=("result", "list")
    ),
    trade_times=Since("startTime", "endTime"),
    trade_pages=Pages(100, "cursor", ("result", "nextPageCursor"), window=WEEK),
    executions=("execType", frozenset({"Trade", "AdlTrade", "BustTrade", "BlockTrade", "MovePosition", "Delivery"})),
    client_id_of_fill=("orderLinkId",),
    liquidation=("execType", frozenset({"BustTrade", "AdlTrade"})),
    income=Ledger(
        Call(
            "privateGetV5AccountTransactionLog",
            {"accountType": "UNIFIED", "category": "linear", "limit": 50},
            shape="raw",
            rows=("result", "list"),
        ),
        Since("startTime", "endTime"),
        Pages(50, "cursor", ("result", "nextPageCursor"), window=DAY),
        id=("id",),
        kind="type",
        funding=frozenset({"SETTLEMENT"}),
        other=frozenset({"BONUS", "FEE_REFUND", "INTEREST"}),
        amount="change",
        currency="currency",
        time="transactionTime",
        position="size",
    ),
    charges=Charges(
        Call("privateGetV5AccountFeeRate", {"category": "linear", "symbol": "BTCUSDT"}, shape="raw"),
        maker=("result", "list", 0, "makerFeeRate"),
        taker=("result", "list", 0, "takerFeeRate"),
    ),
    key=Call("privateGetV5UserQueryApi", shape="raw"),
    key_facts={
        "can_trade": (Fact(("result", "readOnly"), yes=("0",), no=("1",)),),
        "can_withdraw": (Fact(("result", "permissions", "Wallet"), yes=("Withdraw",), how="list"),),
        "ip_bound": (Fact(("result", "ips"), how="addresses"),),
        "expires_at": (Fact(("result", "expiredAt"), how="time"),),
    },
)
