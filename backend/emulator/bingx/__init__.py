"""BingX perpetual swaps: every answer is HTTP 200 with a code, stops keep no client id, fills have no id."""
