"""Whose a model or a dataset is, and what it was made from.

Signs in the OpenSSF Model Signing format and holds files against such signatures (`signing`, `verifying`), verifies
SLSA provenance and other in-toto statements about files (`attestation`), and reads what an artifact says about its
descent (`lineage`).

What it is signed with counts only if somebody named it beforehand: keys, root certificates, a Sigstore instance with
an identity. Everything else is Unknown.
"""
