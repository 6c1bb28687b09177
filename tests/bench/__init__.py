"""What Alcaide can do on this machine, beside what the machine can do: `make bench`, or `python -m tests.bench`.

Every bound that is written down is measured here, next to the raw figure it depends on and in the same run:
durable appends beside raw fsync on the same file system and beside SQLite's own commits.
"""
