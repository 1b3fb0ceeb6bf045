"""Whole lives of trades on a clock, a venue and with a fate of our own: one seed is one story, always the same.

What runs is the product itself (executor, gate, ledger, watcher, lease, booking) on a real database; what is made up
is everything outside it. See `__main__` for how it is started, `invariants` for what must hold.
"""
