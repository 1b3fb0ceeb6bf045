"""Binance spot: REST, user data over the websocket API and market streams, as the vendor documents them."""
