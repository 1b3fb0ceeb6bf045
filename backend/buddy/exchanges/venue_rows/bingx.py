"""BingX, USDT-M perpetuals, as data. See `recipe` for the columns."""

from __future__ import annotations

from buddy.core.exchange import TriggerBy

from ..recipe import BY_CLIENT, ID, WEEK, Call, Charges, Fact, Ledger, Pages, Purse, Rate, Recipe, Since, Trigger
from ..venue_codes import codes

LAST, MARK = TriggerBy.LAST, TriggerBy.MARK

CODES = codes(
    DUPLICATE="101481 109201",
    WOULD_TRIGGER="110411 110412 110413 110414",
    MARGIN="100202 101204 101209 101253",
    MINIMUM="101400 101485 110422 110425",
    REDUCE_ONLY="80017 101205 101290 110424 109420",
    INACTIVE="109415 109418 109425",
    OTHER=(
        "80014 80020 100004 100204 100400 100414 100440 101211 101212 101215 101402 101403 101404 101414 101460 "
        "101500 104103 109400 109403 109429 110206 110415 110416 110417"
    ),
    ABSENT="80016 80018 109414 109421",
    SKEW="100421",
    SLOW_DOWN="100410 429",
    KEY="100001 100412 100413 100419",
)

RECIPE = Recipe(
    options={
        "fetchMarkets": {"types": ["linear"]},
        "defaultType": "swap",
        "defaultSubType": "linear",
        "recvWindow": 5000,
    },
    codes=CODES,
    nonce="clock",
    code_at=(("code",),),
    fine=frozenset({"0"}),
    always_told=("code",),
    per_address=Rate(150, 25),
    per_account=Rate(20, 8),
    stop=Trigger("stopLossPrice", "workingType"),
    entry=Trigger("triggerPrice", "workingType"),
    words={LAST: "CONTRACT_PRICE", MARK: "MARK_PRICE"},
    trigger_at=("stopPrice", "StopPrice"),
    find=(Call("fetch_order", {"clientOrderId": "{client_id}"}, id=""),),
    find_by_id=(Call("fetch_order", id=ID),),
    find_conditional_by_id=(Call("fetch_order", id=ID),),
    cancel=(Call("cancel_order", BY_CLIENT),),
    cancel_by_id=(Call("cancel_order", id=ID),),
    cancel_conditional_by_id=(Call("cancel_order", id=ID),),
    names_stops=False,
    position_mode=Call("swapV1PrivateGetPositionSideDual", shape="raw", rows=("data", "dualSidePosition")),
    hedge_words=frozenset({"true", "True"}),
    leverage_one_way={"side": "BOTH"},
    leverage_hedged=({"side": "LONG"}, {"side": "SHORT"}),
    purse=Purse(("data",), "asset", "equity", "availableMargin", wallet="balance"),
    trades=Call(
        "swapV2PrivateGetTradeFillHistory",
        {"symbol": "{market}", "pageIndex": 1, "pageSize": 1000},
        shape="raw",
        rows=("data", "fill_history_orders"),
        none_is_empty=True,
    ),
    trade_times=Since("startTs", "endTs", both=True),
    trade_pages=Pages(1000, window=WEEK),
    trades_by_symbol=True,
    trade_time="filledTime",
    income=Ledger(
        Call("swapV2PrivateGetUserIncome", {"limit": 1000}, shape="raw", rows=("data",), none_is_empty=True),
        Since("startTime", "endTime", both=True),
        Pages(1000, window=WEEK),
        id=("incomeType", "tranId", "tradeId", "symbol"),
        kind="incomeType",
        funding=frozenset({"FUNDING_FEE"}),
        other=frozenset({"INSURANCE_CLEAR", "ADL", "SYSTEM_DEDUCTION", "GTD_PRICE"}),
        amount="income",
    ),
    charges=Charges(
        Call("swapV2PrivateGetUserCommissionRate", shape="raw"),
        maker=("data", "commission", "makerCommissionRate"),
        taker=("data", "commission", "takerCommissionRate"),
    ),
    key=Call("accountV1PrivateGetAccountApiPermissions", shape="raw"),
    key_facts={
        "can_trade": (Fact(("data", "permissions"), yes=("3",), how="list"), Fact(("data", "enableFutures"))),
        "can_withdraw": (Fact(("data", "permissions"), yes=("5",), how="list"), Fact(("data", "enableWithdrawals"))),
        "ip_bound": (Fact(("data", "ipAddresses"), how="addresses"), Fact(("data", "ipRestrict"))),
    },
)
