"""What is the machine doing, and is it well?

Emits no evidence: what it shows (jobs, verifications, backups) is about the machine and not about AI, and
is kept in tables of its own. Reads the ledger as a whole, to verify it.
"""
