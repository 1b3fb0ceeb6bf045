"""Binance, spot, as data. See `recipe` for the columns."""

from __future__ import annotations

from buddy.core.exchange import Refusal

from ..recipe import BY_CLIENT, DAY, ID, Call, Charges, Fact, Pages, Pairing, Rate, Recipe, Trigger, Wallet
from ..venue_codes import Meaning, codes

CODES = codes(
    PRECISION="-1111",
    INACTIVE="-1121",
    OTHER=(
        "-1014 -1020 -1100 -1101 -1102 -1103 -1104 -1105 -1106 -1108 -1112 -1114 -1115 -1116 -1117 -1118 -1119 -1120 "
        "-1128 -1130 -1145 -1158 -1160 -1165 -1166 -1168 -1196 -1197 -1198 -1199"
    ),
    ABSENT="-2011 -2013 -2026",
    SKEW="-1021",
    SLOW_DOWN="-1003 -1015",
    TEMPORARY="-1008",
    KEY="-1002 -1022 -2008 -2014 -2015",
)

SAYINGS = (
    ("Duplicate order sent.", Refusal.DUPLICATE),
    ("Order would trigger immediately.", Refusal.WOULD_TRIGGER),
    ("Stop price would trigger immediately.", Refusal.WOULD_TRIGGER),
    ("Account has insufficient balance", Refusal.MARGIN),
    ("Unknown order sent.", Meaning.ABSENT),
    ("Market is closed.", Refusal.INACTIVE),
    ("This symbol is not permitted for this account.", Refusal.INACTIVE),
    ("This symbol is restricted for this account.", Refusal.INACTIVE),
    ("Price * QTY is zero or less.", Refusal.MINIMUM),
    ("Filter failure: MIN_NOTIONAL", Refusal.MINIMUM),
    ("Filter failure: NOTIONAL", Refusal.MINIMUM),
    ("Filter failure: LOT_SIZE", Refusal.MINIMUM),
    ("Filter failure: PRICE_FILTER", Refusal.PRECISION),
    ("Filter failure: ", Refusal.OTHER),
    # Which of a pair's two prices is wrong is not said, so neither of them counts as reached.
    ("The relationship of the prices for the orders is not correct.", Refusal.OTHER),
    ("Order would immediately match and take.", Refusal.OTHER),
    ("OCO orders are not supported for this symbol", Refusal.OTHER),
    ("Market orders are not supported for this symbol.", Refusal.OTHER),
    ("Stop loss orders are not supported for this symbol.", Refusal.OTHER),
    ("Stop loss limit orders are not supported for this symbol.", Refusal.OTHER),
    ("Unsupported order combination", Refusal.OTHER),
    ("This action is disabled on this account.", Refusal.OTHER),
    ("This account may not place or cancel orders.", Refusal.OTHER),
    ("Rest API trading is not enabled.", Refusal.OTHER),
)

STOP = Trigger("stopLossPrice", "")

RECIPE = Recipe(
    options={
        "fetchMarkets": {"types": ["spot"]},
        "defaultType": "spot",
        "recvWindow": 5000,
        "createOrder": {"quoteOrderQty": False},
    },
    codes=CODES,
    code_at=(("code",),),
    fine=frozenset({"200", "0"}),
    words_at=("msg",),
    sayings=SAYINGS,
    per_address=Rate(200, 15),
    per_account=Rate(8, 1),
    demo="demo",
    used_header="x-mbx-used-weight-1m",
    used_limit=6000,
    stop=STOP,
    entry=STOP,
    trigger_at=("stopPrice",),
    pairing=Pairing(
        Call(
            "privatePostOrderListOco",
            {
                "symbol": "{market}",
                "side": "{side}",
                "quantity": "{quantity}",
                "listClientOrderId": "{client_id}-pair",
                "aboveType": "LIMIT_MAKER",
                "abovePrice": "{price}",
                "aboveClientOrderId": "{beside_id}",
                "belowType": "STOP_LOSS",
                "belowStopPrice": "{trigger}",
                "belowClientOrderId": "{client_id}",
                "newOrderRespType": "RESULT",
            },
            shape="raw",
        ),
        reports=("orderReports",),
    ),
    bulk_from=14,
    find=(Call("fetch_order", BY_CLIENT),),
    find_by_id=(Call("fetch_order", id=ID),),
    cancel=(Call("cancel_order", BY_CLIENT),),
    cancel_by_id=(Call("cancel_order", id=ID),),
    cancel_conditional=(Call("cancel_order", BY_CLIENT),),
    cancel_conditional_by_id=(Call("cancel_order", id=ID),),
    has_hedge=False,
    wallet=Wallet(("balances",), {"omitZeroBalances": "true"}),
    charges=Charges(
        Call("privateGetAccount", {"omitZeroBalances": "true"}, shape="raw"),
        maker=("commissionRates", "maker"),
        taker=("commissionRates", "taker"),
    ),
    trade_pages=Pages(1000, ascending=True, window=DAY),
    trades_by_symbol=True,
    key=Call("sapiGetAccountApiRestrictions", shape="raw"),
    tells_demo_keys=False,
    key_facts={
        "can_trade": (Fact(("enableSpotAndMarginTrading",)),),
        "can_withdraw": (Fact(("enableWithdrawals",)),),
        "ip_bound": (Fact(("ipRestrict",)),),
        "expires_at": (Fact(("tradingAuthorityExpirationTime",), how="time"),),
    },
)
