"""`make bench`: one JSON line per figure, then a table. Absolute seconds drift with the machine; ratios do not."""
