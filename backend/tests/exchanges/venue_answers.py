"""What venues answer to anybody: a market, the clock, the position mode. Written by hand after their references."""

from __future__ import annotations

from typing import Any

NOW = 1_795_262_400_000
SYMBOLS = {"kraken": "BTC/USD:USD", "binance-spot": "BTC/USDT", "kraken-spot": "BTC/USD"}

BINANCE: dict[str, Any] = {
    "/exchangeInfo": {"symbols": [{
        "symbol": "BTCUSDT", "pair": "BTCUSDT", "contractType": "PERPETUAL", "deliveryDate": 4133404800000,
        "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT", "marginAsset": "USDT",
        "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.10", "maxPrice": "1000000", "tickSize": "0.10"},
            {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0.001", "maxQty": "120", "stepSize": "0.001"},
            {"filterType": "MIN_NOTIONAL", "notional": "100"},
        ],
    }]},
    "": [],
    "/time": {"serverTime": NOW},
    "/positionSide/dual": {"dualSidePosition": False},
    "/leverageBracket": [],
    "/positionRisk": [],
    "/v1/order": {"orderId": 7, "symbol": "BTCUSDT", "status": "NEW", "side": "BUY", "clientOrderId": "tb1",
                  "type": "LIMIT", "origQty": "0.01", "executedQty": "0", "price": "60000", "positionSide": "BOTH"},
    "/v1/algoOrder": {"algoId": 8, "clientAlgoId": "tb1", "symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01",
                      "orderType": "STOP_MARKET", "algoStatus": "NEW", "triggerPrice": "59000", "positionSide": "BOTH"},
}  # fmt: skip

BYBIT: dict[str, Any] = {
    "/instruments-info": {"retCode": 0, "result": {"category": "linear", "nextPageCursor": "", "list": [{
        "symbol": "BTCUSDT", "contractType": "LinearPerpetual", "status": "Trading", "baseCoin": "BTC",
        "quoteCoin": "USDT", "settleCoin": "USDT", "launchTime": "1584230400000", "deliveryTime": "0",
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10"},
        "lotSizeFilter": {"maxOrderQty": "1190", "minOrderQty": "0.001", "qtyStep": "0.001", "minNotionalValue": "5"},
    }]}},
    "/market/time": {"retCode": 0, "result": {"timeSecond": str(NOW // 1000), "timeNano": f"{NOW}000000"}, "time": NOW},
    "/position/list": {"retCode": 0, "result": {"list": [{"symbol": "BTCUSDT", "positionIdx": 0, "size": "0",
                                                           "side": "", "avgPrice": "0"}]}},
    "/account/info": {"retCode": 0, "result": {"marginMode": "ISOLATED_MARGIN"}},
    "": {"retCode": 0, "result": {"list": [], "orderId": "7", "orderLinkId": "tb1"}},
}  # fmt: skip

OKX: dict[str, Any] = {
    "/public/instruments": {"code": "0", "data": [{
        "instType": "SWAP", "instId": "BTC-USDT-SWAP", "uly": "BTC-USDT", "instFamily": "BTC-USDT", "settleCcy": "USDT",
        "ctVal": "0.01", "ctMult": "1", "ctValCcy": "BTC", "ctType": "linear", "state": "live", "lever": "125",
        "tickSz": "0.1", "lotSz": "0.01", "minSz": "0.01", "listTime": "1606468572000", "expTime": "",
    }]},
    "/public/time": {"code": "0", "data": [{"ts": str(NOW)}]},
    "/account/config": {"code": "0", "data": [{"posMode": "net_mode", "perm": "read_only,trade", "ip": "10.0.0.1"}]},
    "/account/positions": {"code": "0", "data": []},
    "/trade/order": {"code": "0", "data": [{"ordId": "7", "clOrdId": "tb1", "sCode": "0", "sMsg": ""}]},
    "/trade/order-algo": {"code": "0", "data": [{"algoId": "8", "algoClOrdId": "tb1", "sCode": "0", "sMsg": ""}]},
    "": {"code": "0", "data": []},
}  # fmt: skip

BITGET: dict[str, Any] = {
    "/market/contracts": {"code": "00000", "data": [{
        "symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "makerFeeRate": "0.0002", "takerFeeRate": "0.0006",
        "supportMarginCoins": ["USDT"], "minTradeNum": "0.001", "priceEndStep": "1", "volumePlace": "3",
        "pricePlace": "1", "sizeMultiplier": "0.001", "symbolType": "perpetual", "minTradeUSDT": "5",
        "symbolStatus": "normal", "minLever": "1", "maxLever": "125",
    }]},
    "/public/time": {"code": "00000", "data": {"serverTime": str(NOW)}},
    "/account/account": {"code": "00000", "data": {"posMode": "one_way_mode"}},
    "/position/all-position": {"code": "00000", "data": []},
    "/cancel-plan-order": {"code": "00000", "data": {"successList": [{"orderId": "8", "clientOid": "tb1"}],
                                                     "failureList": []}},
    "/fills": {"code": "00000", "data": {"fillList": None, "endId": None}},
    "/bill": {"code": "00000", "data": {"bills": [], "endId": None}},
    "": {"code": "00000", "data": {"orderId": "7", "clientOid": "tb1", "entrustedList": None, "endId": None}},
}  # fmt: skip

BINGX: dict[str, Any] = {
    "/quote/contracts": {"code": 0, "data": [{
        "contractId": "100", "symbol": "BTC-USDT", "size": "0.0001", "quantityPrecision": 4, "pricePrecision": 1,
        "makerFeeRate": 0.0002, "takerFeeRate": 0.0005, "tradeMinQuantity": 0.0001, "tradeMinUSDT": 2,
        "currency": "USDT", "asset": "BTC", "status": 1, "apiStateOpen": "true", "apiStateClose": "true",
    }]},
    "/cswap/v1/market/contracts": {"code": 0, "data": []},
    "/spot/v1/common/symbols": {"code": 0, "data": {"symbols": []}},
    "/server/time": {"code": 0, "data": {"serverTime": NOW}},
    "/positionSide/dual": {"code": 0, "data": {"dualSidePosition": "false"}},
    "/user/positions": {"code": 0, "data": []},
    "/trade/order": {"code": 0, "data": {"order": {"symbol": "BTC-USDT", "orderId": "7", "side": "BUY",
                                                   "positionSide": "BOTH", "type": "LIMIT", "clientOrderID": "tb1"}}},
    "/trade/fillHistory": {"code": 0, "data": {"fill_history_orders": []}},
    "/trade/openOrders": {"code": 0, "data": {"orders": []}},
    "/user/income": {"code": 0, "data": None},
}  # fmt: skip

KRAKEN: dict[str, Any] = {
    "/instruments": {"result": "success", "instruments": [{
        "symbol": "PF_XBTUSD", "type": "flexible_futures", "tradeable": True, "tickSize": 1, "contractSize": 1,
        "maxPositionSize": 100, "contractValueTradePrecision": 4, "base": "BTC", "quote": "USD", "pair": "BTC:USD",
        "openingDate": "2022-01-01T00:00:00.000Z",
        "marginLevels": [{"numNonContractUnits": 0, "initialMargin": 0.02, "maintenanceMargin": 0.01}],
    }]},
    "/openpositions": {"result": "success", "openPositions": []},
    "/openorders": {"result": "success", "openOrders": []},
    "/fills": {"result": "success", "fills": []},
    "/account-log": {"logs": []},
    "/sendorder": {"result": "success", "sendStatus": {"order_id": "7", "status": "placed", "orderEvents": [{
        "type": "PLACE", "order": {"orderId": "7", "cliOrdId": "tb1", "type": "lmt", "symbol": "PF_XBTUSD",
                                   "side": "buy", "quantity": 0.01, "filled": 0, "limitPrice": 60000,
                                   "reduceOnly": False, "timestamp": "2026-11-21T12:00:00.000Z"}}]}},
    "/cancelorder": {"result": "success", "cancelStatus": {"status": "cancelled", "order_id": "7"}},
}  # fmt: skip

BINANCE_SPOT: dict[str, Any] = {
    "/exchangeInfo": {"symbols": [{
        "symbol": f"{base}USDT", "status": "TRADING", "baseAsset": base, "quoteAsset": "USDT", "baseAssetPrecision": 8,
        "quotePrecision": 8, "isSpotTradingAllowed": True, "ocoAllowed": True, "permissions": [],
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT",
                       "TAKE_PROFIT_LIMIT"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01000000"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True, "maxNotional": "9000000"},
        ],
    } for base in ("BTC", "ETH", "BNB")]},
    "": [],
    "/time": {"serverTime": NOW},
    "/v3/account": {"balances": []},
    "/v3/order": {"symbol": "BTCUSDT", "orderId": 7, "orderListId": -1, "clientOrderId": "tb1", "transactTime": NOW,
                  "price": "60000.00000000", "origQty": "0.01000000", "executedQty": "0.00000000", "status": "NEW",
                  "timeInForce": "GTC", "type": "LIMIT", "side": "BUY"},
}  # fmt: skip

KRAKEN_SPOT: dict[str, Any] = {
    "/AssetPairs": {"error": [], "result": {
        f"X{base}ZUSD": {
            "altname": f"{base}USD", "wsname": f"{base}/USD", "base": f"X{base}", "quote": "ZUSD", "pair_decimals": 1,
            "lot_decimals": 8, "ordermin": "0.0001", "costmin": "0.5", "tick_size": "0.1", "status": "online",
            "fees": [[0, 0.4]], "fees_maker": [[0, 0.25]], "leverage_buy": [2, 3], "leverage_sell": [2, 3],
        } for base in ("XBT", "ETH")}},
    "/Assets": {"error": [], "result": {"XXBT": {"altname": "XBT", "decimals": 10, "status": "enabled"},
                                        "XETH": {"altname": "ETH", "decimals": 10, "status": "enabled"},
                                        "ZUSD": {"altname": "USD", "decimals": 4, "status": "enabled"}}},
    "/Time": {"error": [], "result": {"unixtime": NOW // 1000}},
    "/AddOrder": {"error": [], "result": {"descr": {"order": "buy 0.01 XBTUSD @ market"},
                                       "txid": ["OAAAAA-BBBBB-CCCCCC"]}},
    "/CancelOrder": {"error": [], "result": {"count": 1}},
    "/OpenOrders": {"error": [], "result": {"open": {}}},
    "/ClosedOrders": {"error": [], "result": {"closed": {}, "count": 0}},
    "/QueryOrders": {"error": [], "result": {}},
    "/BalanceEx": {"error": [], "result": {}},
    "/TradesHistory": {"error": [], "result": {"trades": {}, "count": 0}},
}  # fmt: skip

ANSWERS = {
    "binance": BINANCE,
    "bybit": BYBIT,
    "okx": OKX,
    "bitget": BITGET,
    "bingx": BINGX,
    "kraken": KRAKEN,
    "binance-spot": BINANCE_SPOT,
    "kraken-spot": KRAKEN_SPOT,
}
