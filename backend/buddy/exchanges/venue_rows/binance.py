"""Binance, USD-M perpetuals, as data. See `recipe` for the columns."""

from __future__ import annotations

from buddy.core.exchange import TriggerBy

from ..recipe import BY_CLIENT, ID, WEEK, Call, Charges, Fact, Ledger, Pages, Purse, Rate, Recipe, Since, Trigger
from ..venue_codes import codes

LAST, MARK = TriggerBy.LAST, TriggerBy.MARK

CODES = codes(
    DUPLICATE="-4116",
    WOULD_TRIGGER="-2021",
    MARGIN="-2018 -2019 -2027 -2028 -4051",
    MINIMUM="-4003 -4004 -4164",
    PRECISION="-1111 -4014 -4023 -4029 -4030",
    REDUCE_ONLY="-2022 -2024 -4118",
    INACTIVE="-1121 -4108 -4140 -4141",
    OTHER=(
        "-1100 -1101 -1102 -1103 -1104 -1105 -1106 -1108 -1114 -1115 -1116 -1117 -1118 -1119 -1120 -1128 -1130 -2020 "
        "-2023 -2025 -4000 -4001 -4002 -4005 -4006 -4007 -4008 -4013 -4015 -4016 -4024 -4028 -4045 -4047 -4048 -4060 "
        "-4061 -4067 -4068 -4083 -4087 -4088 -4109 -4120 -4129 -4130 -4131 -4135 -4136 -4137 -4138 -4142 -4161 -4165 "
        "-4183 -4184 -4192 -4400 -4401 -4402 -4403 -5021 -5022"
    ),
    UNCHANGED="-4046 -4059",
    ABSENT="-2011 -2013",
    SKEW="-1021",
    SLOW_DOWN="-1003 -1015",
    TEMPORARY="-1008",
    KEY="-1002 -1022 -2014 -2015 -2017",
)

RECIPE = Recipe(
    options={"fetchMarkets": {"types": ["linear"]}, "defaultType": "swap", "recvWindow": 5000},
    codes=CODES,
    code_at=(("code",),),
    fine=frozenset({"200", "0"}),
    per_address=Rate(400, 30),
    per_account=Rate(50, 5),
    demo="demo",
    used_header="x-mbx-used-weight-1m",
    used_limit=2400,
    stop=Trigger("stopLossPrice", "workingType"),
    entry=Trigger("triggerPrice", "workingType"),
    words={LAST: "CONTRACT_PRICE", MARK: "MARK_PRICE"},
    trigger_at=("triggerPrice", "stopPrice"),
    open_lists=({}, {"trigger": True}),
    bulk_from=40,
    find=(Call("fetch_order", BY_CLIENT),),
    find_by_id=(Call("fetch_order", id=ID),),
    find_conditional=(Call("fetch_order", {**BY_CLIENT, "trigger": True}),),
    find_conditional_by_id=(Call("fetch_order", {"trigger": True}, id=ID),),
    cancel=(Call("cancel_order", BY_CLIENT),),
    cancel_by_id=(Call("cancel_order", id=ID),),
    cancel_conditional=(Call("cancel_order", {**BY_CLIENT, "trigger": True}),),
    cancel_conditional_by_id=(Call("cancel_order", {"trigger": True}, id=ID),),
    children=(Call("fapiPrivateGetAllAlgoOrders", {"symbol": "{market}"}, shape="raw"),),
    child=("actualOrderId",),
    position_mode=Call("fapiPrivateGetPositionSideDual", shape="raw", rows=("dualSidePosition",)),
    hedge_words=frozenset({"True", "true"}),
    purse=Purse(("assets",), "asset", "marginBalance", "availableBalance", wallet="walletBalance"),
    tiers="all",
    trade_pages=Pages(1000, ascending=True, window=WEEK),
    trades_by_symbol=True,
    liquidation=("clientOrderId", frozenset({"autoclose-", "adl_autoclose", "settlement_autoclose-"})),
    income=Ledger(
        Call("fapiPrivateGetIncome", {"limit": 1000}, shape="raw"),
        Since("startTime", "endTime"),
        Pages(1000, ascending=True, window=WEEK),
        id=("incomeType", "tranId", "symbol", "asset"),
        kind="incomeType",
        funding=frozenset({"FUNDING_FEE"}),
        other=frozenset(
            {
                "WELCOME_BONUS",
                "INSURANCE_CLEAR",
                "REFERRAL_KICKBACK",
                "COMMISSION_REBATE",
                "API_REBATE",
                "CONTEST_REWARD",
                "FEE_RETURN",
                "POSITION_LIMIT_INCREASE_FEE",
                "FUTURES_PRESENT",
                "BFUSD_REWARD",
            }
        ),
        amount="income",
    ),
    charges=Charges(
        Call("fapiPrivateGetCommissionRate", {"symbol": "BTCUSDT"}, shape="raw"),
        maker=("makerCommissionRate",),
        taker=("takerCommissionRate",),
    ),
    key=Call("sapiGetAccountApiRestrictions", shape="raw"),
    tells_demo_keys=False,
    key_facts={
        "can_trade": (Fact(("enableFutures",)),),
        "can_withdraw": (Fact(("enableWithdrawals",)),),
        "ip_bound": (Fact(("ipRestrict",)),),
        "expires_at": (Fact(("tradingAuthorityExpirationTime",), how="time"),),
    },
)
