"""What a venue's own code means after an order has left: refused for sure, not carried out, or unknown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from buddy.core.errors import ExchangeError, KeyRefused, OutcomeUnknown, Rejected, Temporary
from buddy.core.exchange import OrderKind, Refusal
from buddy.core.market import OrderSide
from buddy.exchanges import venue_rows
from buddy.exchanges.venue_rows import RECIPES

from .recording import recorded, symbol_of
from .test_requests import WISHES, intent

PLACES = {
    "binance": "/v1/order", "bybit": "/v5/order/create", "okx": "/trade/order", "bitget": "/order/place-order",
    "bingx": "/trade/order", "kraken": "/sendorder", "binance-spot": "/v3/order", "kraken-spot": "/AddOrder",
}  # fmt: skip


def okx(code: str) -> dict[str, Any]:
    return {"code": "1", "msg": "All operations failed", "data": [{"ordId": "", "sCode": code, "sMsg": "No."}]}


def coins(code: int, text: str) -> tuple[int, dict[str, Any]]:
    return 400, {"code": code, "msg": text}


def kraken(status: str) -> dict[str, Any]:
    return {"result": "success", "sendStatus": {"status": status, "orderEvents": []}}


ANSWERS: list[tuple[str, Any, type[ExchangeError], str]] = [
    ("binance", (400, {"code": -2019, "msg": "Margin is insufficient."}), Rejected, Refusal.MARGIN),
    ("binance", (400, {"code": -2021, "msg": "Order would immediately trigger."}), Rejected, Refusal.WOULD_TRIGGER),
    ("binance", (400, {"code": -4116, "msg": "ClientOrderId is duplicated."}), Rejected, Refusal.DUPLICATE),
    ("binance", (400, {"code": -2022, "msg": "ReduceOnly Order is rejected."}), Rejected, Refusal.REDUCE_ONLY),
    ("binance", (400, {"code": -4118, "msg": "ReduceOnly Order Failed."}), Rejected, Refusal.REDUCE_ONLY),
    ("binance", (400, {"code": -4164, "msg": "Order's notional must be no smaller."}), Rejected, Refusal.MINIMUM),
    ("binance", (401, {"code": -2015, "msg": "Invalid API-key, IP, or permissions."}), KeyRefused, ""),
    ("binance", (400, {"code": -1007, "msg": "Timeout waiting. Execution status unknown."}), OutcomeUnknown, ""),
    ("binance", (503, {"code": -1001, "msg": "Internal error."}), OutcomeUnknown, ""),
    ("binance", (503, {"code": -1008, "msg": "Server is currently overloaded."}), Temporary, ""),
    ("binance", (200, {}), OutcomeUnknown, ""),
    ("bybit", {"retCode": 110072, "retMsg": "OrderLinkedID is duplicate"}, Rejected, Refusal.DUPLICATE),
    ("bybit", {"retCode": 110093, "retMsg": "expect Falling"}, Rejected, Refusal.WOULD_TRIGGER),
    ("bybit", {"retCode": 110007, "retMsg": "ab not enough"}, Rejected, Refusal.MARGIN),
    ("bybit", {"retCode": 10016, "retMsg": "Internal server error"}, OutcomeUnknown, ""),
    ("bybit", {"retCode": 10000, "retMsg": "Server Timeout"}, OutcomeUnknown, ""),
    ("bybit", {"retCode": 33004, "retMsg": "apikey already expired"}, KeyRefused, ""),
    ("bybit", {"retCode": 10006, "retMsg": "too many visits"}, Temporary, ""),
    ("okx", okx("51016"), Rejected, Refusal.DUPLICATE),
    ("okx", okx("51008"), Rejected, Refusal.MARGIN),
    ("okx", okx("51280"), Rejected, Refusal.WOULD_TRIGGER),
    ("okx", okx("51020"), Rejected, Refusal.MINIMUM),
    ("okx", {"code": "50004", "msg": "Endpoint request timeout", "data": []}, OutcomeUnknown, ""),
    ("okx", {"code": "50111", "msg": "Invalid OK-ACCESS-KEY", "data": []}, KeyRefused, ""),
    ("bitget", (400, {"code": "40786", "msg": "Duplicate clientOid"}), Rejected, Refusal.DUPLICATE),
    ("bitget", (400, {"code": "40762", "msg": "The order amount exceeds the balance"}), Rejected, Refusal.MARGIN),
    ("bitget", (400, {"code": "45110", "msg": "less than the minimum amount"}), Rejected, Refusal.MINIMUM),
    ("bitget", (400, {"code": "40037", "msg": "Apikey does not exist"}), KeyRefused, ""),
    ("bitget", (400, {"code": "40010999", "msg": "Something new"}), OutcomeUnknown, ""),
    ("bingx", {"code": 109201, "msg": "duplicated"}, Rejected, Refusal.DUPLICATE),
    ("bingx", {"code": 101204, "msg": "Insufficient margin"}, Rejected, Refusal.MARGIN),
    ("bingx", {"code": 101205, "msg": "No position to close"}, Rejected, Refusal.REDUCE_ONLY),
    ("bingx", {"code": 100410, "msg": "rate limited"}, Temporary, ""),
    ("bingx", {"code": 100413, "msg": "Incorrect apiKey"}, KeyRefused, ""),
    ("bingx", {"code": 80012, "msg": "service unavailable"}, OutcomeUnknown, ""),
    ("kraken", kraken("insufficientAvailableFunds"), Rejected, Refusal.MARGIN),
    ("kraken", kraken("wouldNotReducePosition"), Rejected, Refusal.REDUCE_ONLY),
    ("kraken", kraken("clientOrderIdAlreadyExist"), Rejected, Refusal.DUPLICATE),
    ("kraken", kraken("clientOrderIdInvalid"), Rejected, Refusal.OTHER),
    ("kraken", {"result": "error", "error": "authenticationError"}, KeyRefused, ""),
    ("kraken", {"result": "error", "error": "Server Error"}, OutcomeUnknown, ""),
    # One code, and only its words tell which.
    ("binance-spot", coins(-2010, "Account has insufficient balance for requested action."), Rejected, Refusal.MARGIN),
    ("binance-spot", coins(-2010, "Order would trigger immediately."), Rejected, Refusal.WOULD_TRIGGER),
    ("binance-spot", coins(-2010, "Stop price would trigger immediately."), Rejected, Refusal.WOULD_TRIGGER),
    ("binance-spot", coins(-2010, "Duplicate order sent."), Rejected, Refusal.DUPLICATE),
    ("binance-spot", coins(-2010, "Order would immediately match and take."), Rejected, Refusal.OTHER),
    (
        "binance-spot",
        coins(-2010, "The relationship of the prices for the orders is not correct."),
        Rejected,
        Refusal.OTHER,
    ),
    ("binance-spot", coins(-2010, "Market is closed."), Rejected, Refusal.INACTIVE),
    ("binance-spot", coins(-1013, "Filter failure: NOTIONAL"), Rejected, Refusal.MINIMUM),
    ("binance-spot", coins(-1013, "Filter failure: LOT_SIZE"), Rejected, Refusal.MINIMUM),
    ("binance-spot", coins(-1013, "Filter failure: PRICE_FILTER"), Rejected, Refusal.PRECISION),
    ("binance-spot", coins(-1013, "Filter failure: MAX_NUM_ALGO_ORDERS"), Rejected, Refusal.OTHER),
    ("binance-spot", coins(-2010, "Something that was never heard of."), OutcomeUnknown, ""),
    ("binance-spot", coins(-1007, "Timeout waiting. Execution status unknown."), OutcomeUnknown, ""),
    ("binance-spot", coins(-2015, "Invalid API-key, IP, or permissions for action."), KeyRefused, ""),
    ("binance-spot", (200, {}), OutcomeUnknown, ""),
    ("kraken-spot", {"error": ["EOrder:Insufficient funds"]}, Rejected, Refusal.MARGIN),
    ("kraken-spot", {"error": ["EOrder:Order minimum not met"]}, Rejected, Refusal.MINIMUM),
    ("kraken-spot", {"error": ["EOrder:Cost minimum not met"]}, Rejected, Refusal.MINIMUM),
    ("kraken-spot", {"error": ["EGeneral:Invalid arguments:volume minimum not met"]}, Rejected, Refusal.MINIMUM),
    ("kraken-spot", {"error": ["EGeneral:Invalid arguments:volume"]}, Rejected, Refusal.PRECISION),
    ("kraken-spot", {"error": ["EGeneral:Invalid arguments:ordertype"]}, Rejected, Refusal.OTHER),
    ("kraken-spot", {"error": ["EOrder:cl_ord_id already in use"]}, Rejected, Refusal.DUPLICATE),
    ("kraken-spot", {"error": ["EService:Market in post_only mode"]}, Rejected, Refusal.INACTIVE),
    ("kraken-spot", {"error": ["EAPI:Rate limit exceeded"]}, Temporary, ""),
    ("kraken-spot", {"error": ["EGeneral:Permission denied"]}, KeyRefused, ""),
    ("kraken-spot", {"error": ["EService:Unavailable"]}, OutcomeUnknown, ""),
    ("kraken-spot", {"error": ["EService:Deadline elapsed"]}, OutcomeUnknown, ""),
    ("kraken-spot", {"error": [], "result": {}}, OutcomeUnknown, ""),
]


@pytest.mark.parametrize(("venue", "answer", "expected", "code"), ANSWERS)
def test_an_answer_to_an_order(store, venue, answer, expected, code):
    exchange, wire = recorded(venue, **{PLACES[venue]: answer})
    exchange._margin_modes[symbol_of(venue)] = "isolated"
    exchange.calls.limiter.stop = lambda *_, **__: None
    with pytest.raises(expected) as failed:
        exchange.place(intent(venue, **WISHES["entry market"]))
    assert type(failed.value) is expected
    assert len(wire.writes()) == 1
    if expected is Rejected:
        assert failed.value.code == code


@pytest.mark.parametrize("venue", RECIPES)
def test_no_code_means_two_things(venue):
    source = Path(venue_rows.__file__).with_name(f"{venue.replace('-', '_')}.py").read_text()
    table = source[source.index("CODES = codes(") : source.index("\n\n", source.index("CODES = codes("))]
    listed = [code for text in re.findall(r'"([^"]*)"', table) for code in text.split()]
    assert len(listed) == len(set(listed))
    assert set(listed) == set(RECIPES[venue].codes)


@pytest.mark.parametrize("venue", RECIPES)
def test_no_saying_hides_behind_a_more_general_one(venue):
    sayings = [beginning for beginning, _ in RECIPES[venue].sayings]
    hidden = [late for n, late in enumerate(sayings) if any(late.startswith(early) for early in sayings[:n])]
    assert not hidden
    assert bool(sayings) is bool(RECIPES[venue].words_at)


def test_an_order_sent_before_is_not_sent_again_by_the_same_process(store):
    exchange, wire = recorded("binance")
    wanted = intent("binance", order_side=OrderSide.BUY, kind=OrderKind.MARKET)
    exchange.place(wanted)
    wire.answers["/v1/order"] = wire.answers["/v1/order"] | {"clientOrderId": wanted.client_id}
    with pytest.raises(Rejected) as refused:
        exchange.place(wanted)
    assert refused.value.code == Refusal.DUPLICATE
    assert len(wire.writes()) == 1
