"""Trading Buddy: risk-sized, laddered, protected trades, and the journal of them."""
