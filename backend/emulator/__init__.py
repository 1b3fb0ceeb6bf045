"""Stand-in venues: servers that speak the venues' own protocols over the simulated exchange.

The unmodified exchange library is run against them over real HTTP and websockets on loopback. Each venue's engine
(`Venue`, `VenueAccount`) is the same; a protocol package (`binance`, `binance_spot`, `bingx`, `bybit`) only translates
requests, answers, error codes and stream events. `control` is the trader's and the test's hand on the venue, `handle`
the same from Python. Stands on `buddy.core` alone. Nothing here is ever imported by the product.
"""
