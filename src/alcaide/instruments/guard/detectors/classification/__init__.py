"""What an organisation has classified: markings, dictionaries, fingerprints of documents, canary tokens."""

from __future__ import annotations

from alcaide.instruments.guard.detectors.classification.canaries import Canary, CanaryRegister, make_canary
from alcaide.instruments.guard.detectors.classification.detector import CLASSIFICATION, Classification
from alcaide.instruments.guard.detectors.classification.dictionaries import Dictionary
from alcaide.instruments.guard.detectors.classification.fingerprints import (
    Document,
    FingerprintStore,
    Match,
)

__all__ = [
    "CLASSIFICATION",
    "Canary",
    "CanaryRegister",
    "Classification",
    "Dictionary",
    "Document",
    "FingerprintStore",
    "Match",
    "make_canary",
]
