"""`alcaide scan`, `alcaide sign` and `alcaide verify`."""
