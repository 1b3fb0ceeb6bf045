"""SIGKILL at every point of a trade: real processes, a real Postgres and Valkey, stand-in venues over HTTP.

A point lies before or after each request to a venue, each database commit and each enqueue of a task. A story is first
played without a kill and its points are counted; then it is played again, killed there, until every point was the last
moment of some process. However often that is, it must end as if nothing had happened.
"""
