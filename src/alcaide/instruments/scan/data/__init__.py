"""Looks at data sets and vector stores: what is in them, what is wrong with them, how much of them was looked at.

    report = scan_data("reviews.parquet", labels="stars", against="test.csv", guard=looker)
    report.outcome, report.findings, report.column("author").sightings

A pure library: it reads what it is pointed at and writes nowhere but into a scratch folder of its own. The query
engine (`duckdb`) is loaded when a look begins, and not before.
"""

from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.data.looker import TextLooker
from alcaide.instruments.scan.data.policy import DataLimits, DataPolicy, DataThresholds
from alcaide.instruments.scan.data.report import ColumnProfile, Coverage, DataReport, Marks, Sighting
from alcaide.instruments.scan.data.rules import all_rules
from alcaide.instruments.scan.data.scan import scan_data

if TYPE_CHECKING:
    from alcaide.instruments.scan.data.vectors import scan_vectors

__all__ = [
    "ColumnProfile",
    "Coverage",
    "DataLimits",
    "DataPolicy",
    "DataReport",
    "DataThresholds",
    "Marks",
    "Sighting",
    "TextLooker",
    "all_rules",
    "scan_data",
    "scan_vectors",
]


def __getattr__(name: str) -> Any:
    """`scan_vectors` when it is asked for: it takes NumPy, which nobody else who imports this package needs yet."""
    if name == "scan_vectors":
        from alcaide.instruments.scan.data.vectors import scan_vectors

        return scan_vectors
    raise AttributeError(name)
