"""Where the kept documents lie, and the makers of small ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parents[2] / "corpus"
VALID = {
    "cyclonedx": sorted((CORPUS / "cyclonedx").glob("*.json")),
    "sarif": sorted((CORPUS / "sarif").glob("*.sarif")),
    "dsse": sorted((CORPUS / "dsse").glob("*.json")),
    "model-signature": sorted((CORPUS / "model_signature").glob("*.sig")),
}
"""Every valid document, by the kind it must be read as."""
HOSTILE = sorted(CORPUS.glob("*/hostile/*"))


def content(*parts: str) -> bytes:
    return CORPUS.joinpath(*parts).read_bytes()


def document(*parts: str) -> Any:
    return json.loads(content(*parts))


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()
