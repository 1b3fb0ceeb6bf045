"""Bitget, USDT-M perpetuals of a classic account, as data. See `recipe` for the columns."""

from __future__ import annotations

from buddy.core.exchange import TriggerBy

from ..recipe import (
    BY_CLIENT,
    ID,
    WEEK,
    Call,
    Charges,
    Fact,
    Ledger,
    Pages,
    Params,
    Purse,
    Rate,
    Recipe,
    Since,
    Trigger,
)
from ..venue_codes import codes

LAST, MARK = TriggerBy.LAST, TriggerBy.MARK

TPSL: Params = {"planType": "profit_loss"}
PLAN: Params = {"planType": "normal_plan"}
USDT: Params = {"productType": "USDT-FUTURES"}
PLANS_OVER = "privateMixGetV2MixOrderOrdersPlanHistory"
ENTRUSTED = ("data", "entrustedList")

CODES = codes(
    DUPLICATE="40786",
    WOULD_TRIGGER="40830 40831 40832 40833 40834 40835 40836 40837 40917 45122 45121",
    MARGIN="40711 40712 40754 40755 40756 40762 43012",
    MINIMUM="45110 45111 45112",
    PRECISION="45115",
    REDUCE_ONLY="22002 40757",
    INACTIVE="40309 40308",
    OTHER=(
        "40017 40019 40020 40021 40022 40023 40029 40031 40032 40034 40035 40102 40304 40305 40404 40409 40704 40707 "
        "40708 40710 40713 40715 40716 40718 40719 40720 40722 40724 40726 40731 40732 40735 40738 40742 40745 40746 "
        "40747 40748 40749 40752 40758 40759 40760 40761 40763 40764 40765 40774 40775 40797 40798 40799 40800 40808 "
        "40815 43002 43003 43004 43005 43006 43007 43008 43009 43010 43011 45003 45006 45043 45068 45097 45102 45103 "
        "45113 45114"
    ),
    ABSENT="40109 40768 43001 43025",
    SKEW="40004 40005 40008",
    SLOW_DOWN="429 1001 30007 40010429",
    KEY="40001 40002 40003 40006 40009 40011 40012 40014 40018 40037",
)

RECIPE = Recipe(
    options={"fetchMarkets": {"types": ["swap"]}, "defaultType": "swap", "uta": False},
    codes=CODES,
    code_at=(("data", "failureList", 0, "errorCode"), ("code",)),
    fine=frozenset({"00000", "0"}),
    always_told=("code",),
    per_address=Rate(200, 60),
    per_account=Rate(20, 8),
    stop=Trigger("stopLossPrice", "triggerType", {"planType": "loss_plan"}),
    entry=Trigger("triggerPrice", "triggerType"),
    words={LAST: "fill_price", MARK: "mark_price"},
    trigger_at=("triggerPrice",),
    open_lists=({}, TPSL, PLAN),
    open_pages=Pages(100, "idLessThan", ("id",)),
    find=(Call("fetch_order", BY_CLIENT),),
    find_by_id=(Call("fetch_order", id=ID),),
    find_conditional=(
        Call("fetch_open_orders", {**TPSL, "clientOid": "{client_id}"}, shape="list"),
        Call("fetch_open_orders", {**PLAN, "clientOid": "{client_id}"}, shape="list"),
        Call(
            PLANS_OVER,
            {**USDT, **TPSL, "symbol": "{market}", "clientOid": "{client_id}"},
            shape="raw",
            rows=ENTRUSTED,
            none_is_empty=True,
        ),
        Call(
            PLANS_OVER,
            {**USDT, **PLAN, "symbol": "{market}", "clientOid": "{client_id}"},
            shape="raw",
            rows=ENTRUSTED,
            none_is_empty=True,
        ),
    ),
    find_conditional_by_id=(
        Call("fetch_open_orders", {**TPSL, "orderId": ID}, shape="list"),
        Call("fetch_open_orders", {**PLAN, "orderId": ID}, shape="list"),
        Call(
            PLANS_OVER,
            {**USDT, **TPSL, "symbol": "{market}", "orderId": ID},
            shape="raw",
            rows=ENTRUSTED,
            none_is_empty=True,
        ),
        Call(
            PLANS_OVER,
            {**USDT, **PLAN, "symbol": "{market}", "orderId": ID},
            shape="raw",
            rows=ENTRUSTED,
            none_is_empty=True,
        ),
    ),
    cancel=(Call("cancel_order", BY_CLIENT),),
    cancel_by_id=(Call("cancel_order", id=ID),),
    cancel_conditional=(
        Call("cancel_order", {**BY_CLIENT, "trigger": True, "planType": "loss_plan"}),
        Call("cancel_order", {**BY_CLIENT, "trigger": True, "planType": "normal_plan"}),
    ),
    cancel_conditional_by_id=(
        Call("cancel_order", {"trigger": True, "planType": "loss_plan"}, id=ID),
        Call("cancel_order", {"trigger": True, "planType": "normal_plan"}, id=ID),
    ),
    children=(
        Call(PLANS_OVER, {**USDT, **TPSL, "symbol": "{market}"}, shape="raw", rows=ENTRUSTED, none_is_empty=True),
        Call(PLANS_OVER, {**USDT, **PLAN, "symbol": "{market}"}, shape="raw", rows=ENTRUSTED, none_is_empty=True),
    ),
    child=("executeOrderId",),
    position_lists=({"productType": "USDT-FUTURES"}, {"productType": "USDC-FUTURES"}),
    position_mode=Call(
        "privateMixGetV2MixAccountAccount",
        {**USDT, "symbol": "BTCUSDT", "marginCoin": "USDT"},
        shape="raw",
        rows=("data", "posMode"),
    ),
    hedge_words=frozenset({"hedge_mode"}),
    order_carries_margin_mode=True,
    leverage_hedged=({"holdSide": "long"}, {"holdSide": "short"}),
    purse=Purse((), "marginCoin", "accountEquity", "crossedMaxAvailable", unrealised="unrealizedPL"),
    mark="markPrice",
    trades=Call(
        "privateMixGetV2MixOrderFills",
        {**USDT, "limit": 100},
        shape="raw",
        rows=("data", "fillList"),
        none_is_empty=True,
    ),
    trade_times=Since("startTime", "endTime"),
    trade_pages=Pages(100, "idLessThan", ("data", "endId"), window=WEEK),
    liquidation=("tradeSide", frozenset({"burst", "force", "adl", "reduce_"})),
    income=Ledger(
        Call(
            "privateMixGetV2MixAccountBill",
            {**USDT, "businessType": "contract_settle_fee", "limit": 100},
            shape="raw",
            rows=("data", "bills"),
            none_is_empty=True,
        ),
        Since("startTime", "endTime"),
        Pages(100, "idLessThan", ("data", "endId"), window=WEEK),
        id=("billId",),
        kind="businessType",
        funding=frozenset({"contract_settle_fee"}),
        currency="coin",
        time="cTime",
    ),
    charges=Charges(
        Call("privateCommonGetV2CommonTradeRate", {"symbol": "BTCUSDT", "businessType": "mix"}, shape="raw"),
        maker=("data", "makerFeeRate"),
        taker=("data", "takerFeeRate"),
    ),
    key=Call("privateSpotGetV2SpotAccountInfo", shape="raw"),
    key_facts={"ip_bound": (Fact(("data", "ips"), how="addresses"),)},
)
