"""Bybit's fifth interface, unified account, linear perpetuals: protection belongs to the position, codes in retCode."""
