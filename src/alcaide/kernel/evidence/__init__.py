"""What is said: Statements about subjects, in canonical JSON, in DSSE envelopes. Pure: no I/O, no clock.

A Statement is in-toto v1; its bytes are RFC 8785 canonical JSON; its envelope is DSSE with Ed25519.
"""

from __future__ import annotations

from alcaide.kernel.evidence.canonical import canonical, strict_json
from alcaide.kernel.evidence.envelope import (
    PAYLOAD_TYPE,
    Envelope,
    Signature,
    Signer,
    pae,
    parse_envelope,
    sign,
    verify,
)
from alcaide.kernel.evidence.statement import STATEMENT_TYPE, Statement, Subject, parse_statement

__all__ = [
    "PAYLOAD_TYPE",
    "STATEMENT_TYPE",
    "Envelope",
    "Signature",
    "Signer",
    "Statement",
    "Subject",
    "canonical",
    "pae",
    "parse_envelope",
    "parse_statement",
    "sign",
    "strict_json",
    "verify",
]
