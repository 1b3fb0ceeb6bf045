"""Binance USD-M futures: REST, user data and market streams, as the vendor documents them."""
