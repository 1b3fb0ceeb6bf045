"""The names of the stories of `cuts`, for whoever chooses some without loading the product."""

CUTS = (
    "flushed",
    "store-stopped",
    "network-cut",
    "network-deaf",
    "database-restarted",
    "frozen-before-entry",
    "frozen-after-entry",
    "frozen-before-stop",
    "frozen-in-a-read",
)
