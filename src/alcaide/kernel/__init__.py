"""Mechanism: evidence, ledger, policy, database, access, jobs. Imports nothing else of Alcaide."""
