"""Where prices come from: a simulated market, a recording or a venue's public data, all behind `PriceSource`."""
