"""Kraken Futures, multi-collateral perpetuals, as data. See `recipe` for the columns."""

from __future__ import annotations

from buddy.core.exchange import TriggerBy

from ..recipe import ID, Call, Charges, FeeLog, Ledger, Pages, Purse, Rate, Recipe, Since, Trigger
from ..venue_codes import codes

LAST, MARK = TriggerBy.LAST, TriggerBy.MARK

CODES = codes(
    DUPLICATE="clientOrderIdAlreadyExist",
    MARGIN="insufficientAvailableFunds maxPositionViolation",
    MINIMUM="tooManySmallOrders",
    PRECISION="invalidSize invalidPrice",
    REDUCE_ONLY="wouldNotReducePosition",
    INACTIVE="marketSuspended marketInactive contractNotFound",
    OTHER=(
        "invalidOrderType invalidSide invalidArgument requiredArgumentMissing postWouldExecute iocWouldNotExecute "
        "selfFill outsidePriceCollar clientOrderIdTooBig clientOrderIdInvalid tooManyOrders accountInactive "
        "cannotParseInput"
    ),
    ABSENT="notFound filled",
    SKEW="nonceBelowThreshold nonceDuplicate",
    SLOW_DOWN="apiLimitExceeded",
    TEMPORARY="marketUnavailable Unavailable",
    KEY="authenticationError",
)

RECIPE = Recipe(
    options={"defaultType": "swap"},
    codes=CODES,
    code_at=(("sendStatus", "status"), ("cancelStatus", "status"), ("error",), ("errors", 0, "message")),
    fine=frozenset({"placed", "cancelled", "edited"}),
    always_told=("result",),
    per_address=Rate(60, 12),
    per_account=Rate(30, 6),
    stop=Trigger("stopLossPrice", "triggerSignal"),
    entry=Trigger("triggerPrice", "triggerSignal"),
    words={LAST: "last", MARK: "mark"},
    find=(
        Call("fetch_open_orders", shape="list"),
        Call("fetch_closed_orders", shape="list"),
        Call("fetch_canceled_orders", shape="list"),
    ),
    find_by_id=(
        Call("fetch_open_orders", shape="list"),
        Call("fetch_closed_orders", shape="list"),
        Call("fetch_canceled_orders", shape="list"),
    ),
    cancel=(Call("privatePostCancelorder", {"cliOrdId": "{client_id}"}, shape="raw"),),
    cancel_by_id=(Call("cancel_order", id=ID),),
    cancel_conditional=(Call("privatePostCancelorder", {"cliOrdId": "{client_id}"}, shape="raw"),),
    cancel_conditional_by_id=(Call("cancel_order", id=ID),),
    has_hedge=False,
    margin_modes="leverage",
    cross=Call("privatePutLeveragepreferences", {"symbol": "{market}"}, shape="raw"),
    purse=Purse(("accounts", "flex"), "", "portfolioValue", "availableMargin", wallet="balanceValue"),
    mark="markPrice",
    trade_pages=Pages(100, "lastFillTime", ("info", "fillTime")),
    client_id_of_fill=("cliOrdId",),
    liquidation=("fillType", frozenset({"liquidation", "assign", "unwind"})),
    fees=FeeLog(
        Call("historyGetAccountLog", {"sort": "asc", "count": 1000}, shape="raw", rows=("logs",)),
        since="since",
        id="execution",
        fee="fee",
    ),
    income=Ledger(
        Call("historyGetAccountLog", {"sort": "asc", "count": 1000}, shape="raw", rows=("logs",)),
        Since("since", "before"),
        Pages(1000, ascending=True),
        id=("id",),
        kind="info",
        funding=frozenset({"funding rate change"}),
        amount="realized_funding",
        symbol="contract",
        currency="collateral",
        time="date",
    ),
    charges=Charges(Call("fetch_trading_fees"), maker=("BTC/USD:USD", "maker"), taker=("BTC/USD:USD", "taker")),
)
