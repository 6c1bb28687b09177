"""What other tools say about AI, read; what Alcaide knows, written for them.

Bytes in, frozen values out. Nothing here opens a file on its own (a model folder is checked where one is
given by path), reaches the network, or believes a document: a reader says what a document claims, and in what
it was found wanting. Hostile input is the normal case: size, depth and counts are bounded before anything is
built from them.
"""

from __future__ import annotations

from alcaide.instruments.exchange.cyclonedx import write_mlbom
from alcaide.instruments.exchange.document import Outcome, ParsedDocument, Reader
from alcaide.instruments.exchange.registry import READERS, read_document, reader_for
from alcaide.kernel.strict import strict_json

__all__ = [
    "READERS",
    "Outcome",
    "ParsedDocument",
    "Reader",
    "read_document",
    "reader_for",
    "strict_json",
    "write_mlbom",
]
