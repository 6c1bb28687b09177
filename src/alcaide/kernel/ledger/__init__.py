"""The log: a Merkle tree over envelopes, with checkpoints, proofs and an authenticated index.

`merkle`, `note` and `subject_index` are pure; `log` is the only writer; `verify` reads everything from
zero; `keys` holds the instance's signing key.
"""
