"""`make bench`: one JSON line per figure, then a table for people. Absolute seconds drift with the machine; ratios do not."""
